"""A small set in a file, and specs that learn from it in a moment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

import lvmc
from lvmc.data.batches import Batch
from lvmc.spec import Spec

SIZE, POINTS = 16, 3


def write_set(file: Path, count: int = 24, validation: int = 8) -> Path:
    """Pictures of three spots each of its own brightness: points, visibility, masks and labels; all in one file."""
    random = np.random.default_rng(0)
    total = count + validation
    points = random.uniform(3, SIZE - 4, (total, POINTS, 2)).astype(np.float32)
    rows, columns = np.mgrid[0:SIZE, 0:SIZE]
    away = (columns - points[..., 0, None, None]) ** 2 + (rows - points[..., 1, None, None]) ** 2
    spots = np.exp(-away / 3) * np.array([1.0, 0.7, 0.4])[:, None, None]
    images = (255 * spots.max(1)).astype(np.uint8)
    np.savez(
        file,
        images=images,
        keypoints=points,
        visible=random.choice([0, 1, 2], (total, POINTS), p=[0.2, 0.2, 0.6]).astype(np.uint8),
        masks=np.where(spots.max(1) > 0.3, spots.argmax(1) + 1, 0).astype(np.uint8),
        labels=(points[:, 0, 0] > SIZE / 2).astype(np.int64),
        split=np.repeat([0, 1], [count, validation]),
    )
    return file


def spec_of(file: Path, layer: dict[str, Any] | None = None, heads: dict[str, Any] | None = None, **train: Any) -> Spec:
    """Two layers and a heatmap head, trained by SGD without augmentation but for what is given."""
    keypoints = {"kind": "heatmap", "channels": POINTS, "reads": {"h2": 1, "h1": 3}}
    given = {
        "data": {"kind": "npz", "file": str(file), "unit": 10.0},
        "augment": "none", "optimizer": {"kind": "sgd", "rate": 0.1}, "schedule": "constant", "batch": 8,
    } | ({} if "stages" in train else {"epochs": 2})  # fmt: skip
    return lvmc.load(
        {
            "lvmc": 1,
            "name": "small",
            "inputs": {"image": {"channels": 1, "size": [SIZE, SIZE]}},
            "layers": {
                "h1": {"channels": 4, "filter": 3, **(layer or {})},
                "h2": {"channels": 4, "filter": 3, "nms": 2, **(layer or {})},
            },
            "heads": heads or {"keypoints": keypoints},
            "train": given | train,
        }
    )


def batch_of(points: torch.Tensor, visible: torch.Tensor, units: torch.Tensor, size: int = SIZE) -> Batch:
    """A batch of blank pictures."""
    count = len(points)
    images, index = torch.zeros(count, 1, size, size), torch.arange(count)
    return Batch(images=images, index=index, units=units, points=points, visible=visible.to(torch.uint8))
