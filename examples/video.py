"""A moving picture: starting from the last frame's latents, two passes come nearer to the fixed point."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.cbook import get_sample_data
from PIL import Image

import lvmc

FRAMES, SIDE, SPEED = 8, 32, 0.125


def frames() -> torch.Tensor:
    """A window that moves over a photograph by an eighth of a pixel a frame, (FRAMES, 1, SIDE, SIDE)."""
    with Image.open(str(get_sample_data("grace_hopper.jpg", asfileobj=False))) as photograph:
        grey = np.asarray(photograph.convert("L").resize((64, 75)), np.float32) / 255
    left, right = grey[10 : 10 + SIDE, 10 : 10 + SIDE], grey[10 : 10 + SIDE, 11 : 11 + SIDE]
    return torch.as_tensor(np.stack([left + SPEED * t * (right - left) for t in range(FRAMES)]))[:, None]


def distance(z: dict[str, torch.Tensor], fixed: dict[str, torch.Tensor]) -> float:
    """Largest difference, relative to the largest value."""
    return max(float((z[name] - fixed[name]).abs().max() / fixed[name].abs().max()) for name in fixed)


def main() -> None:
    """Print how far two passes end from the fixed point: from zero, and from the last frame's latents."""
    cold, long = lvmc.compile("gaussian", passes=2), lvmc.compile("gaussian", passes=60)
    warm = lvmc.compile("gaussian", passes=2, start="given")
    for model in (cold, warm, long):  # stronger couplings than the first weights', so that feedback matters
        model.load_state_dict(
            {name: 2.5 * value if "weight" in name else value for name, value in model.state_dict().items()}
        )
    with torch.no_grad():
        z = cold.latents(frames()[:1])
        print("frame   from zero   from the last frame")
        for number, image in enumerate(frames().split(1)):
            fixed, z = long.latents(image), warm.latents(image, **z)
            print(f"{number:5}   {distance(cold.latents(image), fixed):9.4f}   {distance(z, fixed):19.4f}")


if __name__ == "__main__":
    main()
