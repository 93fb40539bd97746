"""A moving picture: start each frame from the latents of the last one, and two passes do the work of many."""

from __future__ import annotations

import numpy as np
import torch
from matplotlib.cbook import get_sample_data
from PIL import Image

import lvmc

FRAMES, SIDE = 8, 32


def frames() -> torch.Tensor:
    """A window that moves over a photograph by a pixel a frame, (FRAMES, 1, SIDE, SIDE)."""
    with Image.open(str(get_sample_data("grace_hopper.jpg", asfileobj=False))) as photograph:
        grey = np.asarray(photograph.convert("L").resize((64, 75)), np.float32) / 255
    return torch.as_tensor(np.stack([grey[10 : 10 + SIDE, 10 + t : 10 + t + SIDE] for t in range(FRAMES)]))[:, None]


def main() -> None:
    """Print how far two passes are from the fixed point, from zero and from the last frame."""
    cold = lvmc.compile("gaussian", passes=2)
    warm = lvmc.compile("gaussian", passes=2, start="given")
    for model in (cold, warm):
        model.load_state_dict({name: 6 * value if "weight" in name else value for name, value in cold.state_dict().items()})
    video = frames()
    with torch.no_grad():
        z = cold.latents(video[:1])
        print("frame   residual from zero   from the last frame")
        for number, image in enumerate(video.split(1)):
            zero, last = lvmc.trace(cold, image), lvmc.trace(warm, image, **z)
            z = warm.latents(image, **z)
            print(f"{number:5}   {zero.residual[-1].max():18.1e}   {last.residual[-1].max():19.1e}")


if __name__ == "__main__":
    main()
