"""A set whose points have the mirror images that a head of the spec gives, where the data give none."""

from __future__ import annotations

from dataclasses import dataclass, replace

from lvmc.data.sample import About, Sample, SampleSet
from lvmc.graph import EnergyGraph
from lvmc.heads.heatmap import Heatmap


@dataclass(frozen=True, slots=True)
class Mirrored:
    """The same samples, with `flip` in what they have in common."""

    samples: SampleSet
    flip: tuple[int, ...]

    @property
    def about(self) -> About:
        """What its samples have in common."""
        return replace(self.samples.about, flip=self.flip)

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Sample:
        return self.samples[index]


def with_mirror(samples: SampleSet, graph: EnergyGraph) -> SampleSet:
    """The set, with the `points.flip` of the first heatmap that has one, if the data say nothing."""
    if samples.about.flip is not None:
        return samples
    records = [head.record for head in graph.heads if isinstance(head.record, Heatmap)]
    flips = [record.points.flip for record in records if record.points and record.points.flip]
    return Mirrored(samples, flips[0]) if flips else samples
