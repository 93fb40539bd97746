"""Fill in the missing three quarters of a photograph: the image is a layer, given where its mask is 1.

The energy ½ Σ (z_i − z_j)² over neighbouring pixels is a spec of one Gaussian layer that couples to itself: d = 4, and
L = 1 to each of the four neighbours. Its maximiser with some pixels given is the harmonic interpolation of them.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from matplotlib.cbook import get_sample_data
from PIL import Image

import lvmc

SIZE = (120, 100)
OUT = Path("build") / "inpainting.png"
SMOOTH = {
    "lvmc": 1,
    "name": "smooth",
    "layers": {
        "image": {
            "channels": 1,
            "from": "none",
            "size": SIZE,
            "unit": "gaussian",
            "diagonal": 4.001,
            "lateral": {"filter": 3},
        }
    },
    "inference": {"passes": 60},
}


def main() -> None:
    """Show what is given, what is inferred, and the original, side by side."""
    with Image.open(str(get_sample_data("grace_hopper.jpg", asfileobj=False))) as photograph:
        grey = photograph.convert("L").resize(SIZE[::-1])
    original = torch.as_tensor(np.asarray(grey, np.float32) / 255)[None, None]
    known = torch.rand(original.shape, generator=torch.Generator().manual_seed(0)) < 0.25

    model = lvmc.compile(SMOOTH, clamp={"image": "mask"})
    neighbours = torch.tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    model.load_state_dict({"image.lateral": neighbours[None, None], "image.bias": torch.zeros(1)})
    with torch.no_grad():
        filled = model.latents(image=original * known, image_mask=known)["image"]

    errors = [float((each - original)[~known].pow(2).mean().sqrt()) for each in (original * known, filled)]
    print(f"error on the missing pixels: {errors[0]:.3f} left black, {errors[1]:.3f} inferred")
    OUT.parent.mkdir(exist_ok=True)
    panels = torch.cat([original * known, filled, original], 3)[0, 0].clamp(0, 1)
    Image.fromarray((panels.numpy() * 255).astype(np.uint8)).resize((SIZE[1] * 6, SIZE[0] * 2)).save(OUT)
    print(f"given, inferred, original: {OUT}")


if __name__ == "__main__":
    main()
