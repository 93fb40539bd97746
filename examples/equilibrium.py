"""Train a net that runs until it settles, with gradients through its fixed point: memory does not grow with passes."""

import torch

import lvmc

torch.manual_seed(0)
model = lvmc.compile("equilibrium")  # inference: {until: {residual: 1e-4, max_passes: 100}, gradient: implicit}
optimiser = torch.optim.Adam(model.parameters(), lr=1e-4)
image = torch.rand(4, 1, 64, 64)
target = (torch.rand(4, 68, 64, 64) < 0.001).float()

for step in range(4):
    heads = model(image)
    loss = model.losses(heads, {"keypoints": target})["keypoints"]
    optimiser.zero_grad()
    loss.backward()  # solves for the adjoint with the same passes, up and down
    optimiser.step()
    used, settled = model.passes_used.tolist(), bool(model.converged.all())
    print(f"step {step}: loss {loss.item():.4f}, passes of each image {used}, all settled: {settled}")

print("six passes of the same parameters:", list(lvmc.compile("equilibrium", passes=6)(image)))
