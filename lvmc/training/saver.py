"""When a run is saved, and what is written then."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, final

from lvmc.spec import Spec
from lvmc.training.checkpoints import checkpoint_of, write_checkpoint
from lvmc.training.sharded import is_sharded
from lvmc.training.standing import Standing

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import Tensor

    from lvmc.training.step import Learner

SECONDS = 60.0
"""Between two checkpoints, at the least."""

SHARE = 0.02
"""Of the time, that writing them may take."""

SHARDED_STEPS = 1000
"""Between two checkpoints of a model in shards, which all processes gather together and so not by the clock."""


@final
class Saver:
    """Writes the checkpoints of a run: at the ends of epochs, and in between when they are due.

    Args:
        fabric: Its first process writes.
        spec: Of the whole run.
        folder: Of the run.
        every: Steps between two checkpoints, instead of going by the clock.
    """

    def __init__(self, fabric: Fabric, spec: Spec, folder: Path, every: int | None) -> None:
        self._fabric, self._spec, self._folder, self._every = fabric, spec, folder, every
        self._last, self._took = monotonic(), 0.0

    def due(self, learner: Learner, step: int) -> bool:
        """Whether the run should be saved after this step."""
        if self._every is not None or (self._fabric.world_size > 1 and is_sharded(learner.model)):
            return step % (self._every or SHARDED_STEPS) == 0
        return monotonic() - self._last > max(SECONDS, self._took / SHARE)

    def save(self, learner: Learner, standing: Standing, carried: Mapping[str, Tensor]) -> None:
        """Write a checkpoint; every process must come here at the end of an epoch, and where parameters are sharded."""
        start = monotonic()
        if self._fabric.is_global_zero or is_sharded(learner.model):
            checkpoint = checkpoint_of(self._fabric, learner, standing, carried, self._spec)
            if self._fabric.is_global_zero:
                write_checkpoint(checkpoint, self._folder)
        self._last = monotonic()
        self._took = self._last - start
