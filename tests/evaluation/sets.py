"""Small sets of samples, and a model with a head of every kind to judge on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.random import default_rng

import lvmc
from lvmc.data.sample import About, Sample

SPEC: dict[str, Any] = {
    "lvmc": 1,
    "name": "small",
    "inputs": {"image": {"channels": 1, "size": [12, 16]}},
    "layers": {"h1": {"channels": 4, "filter": 3, "nms": 2}, "h2": {"channels": 5, "filter": 3}},
    "heads": {
        "keypoints": {"kind": "heatmap", "channels": 3, "reads": ["h2", "h1"], "at": "each"},
        "parts": {"kind": "segmentation", "channels": 2, "classes": ["background", "thing"], "reads": "h1"},
        "scene": {"kind": "classes", "outputs": 4, "reads": "h2"},
        "place": {"kind": "vector", "outputs": 6, "reads": "h2"},
    },
}


def small_model() -> Any:
    return lvmc.compile(SPEC, seed=1)


@dataclass(frozen=True)
class Drawn:
    """Noise with points, masks, labels and superpixels; without those that `without` names."""

    count: int = 7
    seed: int = 0
    without: tuple[str, ...] = ()

    @property
    def about(self) -> About:
        return About(("left", "right", "top"), (1, 0, 2), ((0, 1), (1, 2)), ("background", "thing"))

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        draw = default_rng((self.seed, index))
        sample = Sample(
            name=f"noise {index}",
            image=draw.integers(0, 256, (12, 16, 1)).astype(np.uint8),
            points=draw.uniform(0, 11, (3, 2)).astype(np.float32),
            visible=draw.integers(0, 3, 3).astype(np.uint8),
            mask=draw.choice(np.array([0, 1, 255], np.uint8), (12, 16)),
            label=int(draw.integers(0, 4)),
            unit=float(draw.uniform(4, 8)),
            superpixels=draw.integers(0, 6, (12, 16)).astype(np.int32),
            origin=np.array([[2.0, 0, 3], [0, 2.0, 1]]),
        )
        return replace(sample, **dict.fromkeys(self.without))
