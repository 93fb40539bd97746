"""A net whose score grows without bound, the ray that explains it, and the same net with `constraint: copositive`.

As in Fig. 15 of the CLVM paper: two passes train well, but more of them make the score grow for ever.
"""

import torch

import lvmc

SPEC = {
    "lvmc": 1,
    "name": "blobs",
    "inputs": {"image": {"channels": 1, "size": 16}},
    "layers": {
        "h1": {"channels": 8, "filter": 5, "init": {"normal": 0.06}},
        "h2": {"channels": 8, "filter": 3, "nms": 2, "init": {"normal": 0.06}},
        "h3": {"channels": 16, "filter": 3, "init": {"normal": 0.06}},
    },
    "heads": {"centre": {"kind": "heatmap", "channels": 1, "reads": ["h3", "h1"]}},
}


def blobs(count: int, random: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """A bright blob among noise, and a map of where it is."""
    place = torch.randint(2, 14, (count, 2, 1, 1), generator=random)
    rows, columns = torch.arange(16)[:, None], torch.arange(16)
    distance = (rows - place[:, 0]) ** 2 + (columns - place[:, 1]) ** 2
    image = torch.exp(-distance / 4.0) + 0.5 * torch.rand(count, 16, 16, generator=random)
    return image[:, None], (distance <= 2).float()[:, None]


for constraint in ("none", "copositive"):
    spec = SPEC | {"inference": {"passes": 2, "constraint": constraint}}
    model, random = lvmc.compile(spec), torch.Generator().manual_seed(0)
    optimiser = torch.optim.Adam(model.parameters(), lr=4e-3)
    for _ in range(120):
        image, target = blobs(16, random)
        loss = model.losses(model(image), {"centre": target})["centre"]
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    longer = lvmc.compile(spec, passes=16)  # the same parameters
    longer.load_state_dict(model.state_dict())
    scores = lvmc.trace(longer, blobs(1, random)[0]).score[:, 0]
    after = ", ".join(f"{scores[3 * passes]:.4g}" for passes in (2, 4, 8, 16))
    print(f"constraint: {constraint}, loss {loss.item():.3f}; S after 2, 4, 8, 16 passes: {after}")

    verdict = lvmc.check(model, time_limit=2.0)
    print(f"  {verdict.why}")
    if verdict.bounded is False:
        for pair in verdict.excitations:
            share = f"{pair.energy:.2f} of what their diagonals take"
            print(f"  along it {pair.upper} and {pair.lower} give each other {share}")
