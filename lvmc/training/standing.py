"""Where a run stands between two steps: all that is not in a tensor and decides what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from lvmc.training.watch import Best


@dataclass(frozen=True, slots=True)
class Standing:
    """Stages, epochs (of the stage) and batches (of the epoch) done; `sums` of losses by head over `summed` steps.

    `step` counts steps of the optimiser over the whole run, `seconds` their time in all sessions; `best` is of the
    stage.
    """

    stage: int = 0
    epoch: int = 0
    batch: int = 0
    step: int = 0
    sums: tuple[float, ...] = ()
    summed: int = 0
    seconds: float = 0.0
    best: Best | None = None
    finished: bool = False

    def plus(self, losses: Sequence[float]) -> tuple[float, ...]:
        """The sums with the losses of one more step."""
        return tuple(a + b for a, b in zip(self.sums, losses, strict=True)) if self.sums else tuple(losses)

    @property
    def means(self) -> tuple[float, ...]:
        """Mean losses by head over the steps of this epoch."""
        return tuple(each / max(1, self.summed) for each in self.sums)

    def document(self) -> dict[str, Any]:
        """As JSON values; floats come back as they are."""
        return asdict(self)


def standing_of(document: dict[str, Any]) -> Standing:
    """What `document` wrote."""
    best = document.pop("best")
    sums = tuple(document.pop("sums"))
    return Standing(**document, sums=sums, best=None if best is None else Best(**best))
