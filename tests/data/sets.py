"""Small sets that tests learn from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from lvmc.data.sample import About, Sample, SampleSet
from lvmc.graph import InputNode

REAL = Path(__file__).parents[3] / "shared" / "data"


def real(name: str) -> Path:
    """A file of real data, or the test is skipped."""
    file = REAL / name
    if not file.exists():
        pytest.skip(f"there is no {file}")
    return file


def block(channels: int, *size: int) -> InputNode:
    """An input of this size."""
    return InputNode("image", channels, (size[0], size[1]), None)


@dataclass(frozen=True)
class Flat:
    """The samples of a set without their points in 3D."""

    samples: SampleSet

    @property
    def about(self) -> About:
        return self.samples.about

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return replace(self.samples[index], points3d=None)


@dataclass(frozen=True)
class Noise:
    """Pictures of noise with four points, masks, labels, superpixels and values; no two alike."""

    count: int
    size: tuple[int, int] = (12, 16)
    channels: int = 3
    flip: tuple[int, ...] | None = (1, 0, 3, 2)
    signs: tuple[int, ...] | None = (-1, 1)

    @property
    def about(self) -> About:
        return About(("l_eye", "r_eye", "l_ear", "r_ear"), self.flip, signs=self.signs)

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        random = np.random.default_rng((5, index))
        high, wide = self.size
        points = random.random((4, 2)) * (wide - 1, high - 1)
        return Sample(
            name=f"noise {index}",
            image=random.integers(0, 256, (high, wide, self.channels), dtype=np.uint8),
            points=points.astype(np.float32),
            points3d=random.random((4, 3)).astype(np.float32),
            visible=np.asarray([2, 1, 0, 2], np.uint8),
            mask=random.integers(0, 5, self.size, dtype=np.uint8),
            label=index % 3,
            unit=float(index + 1),
            superpixels=random.integers(0, 99, self.size, dtype=np.int32),
            values=np.asarray([index + 1, 10 * (index + 1)], np.float32),
        )
