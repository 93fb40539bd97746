"""How far a run is, as it is told while it goes on, and what it leaves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from lvmc.evaluation import Evaluation
from lvmc.spec import Spec


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run stands. Stages, epochs and batches count from 1; epochs go on over all stages.

    `loss` is the mean over this epoch, None before any is known; `speed` is samples a second, over the run. `ended`
    says that an epoch ends here; `figures` then holds its mean losses, and what validation found.
    """

    stage: int
    stages: int
    epoch: int
    epochs: int
    batch: int
    batches: int
    step: int
    loss: float | None
    speed: float
    ended: bool = False
    figures: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def share(self) -> float:
        """How much of the run is done, 0 to 1."""
        return (self.epoch - 1 + self.batch / self.batches) / self.epochs


Tell = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """A run that came to an end, or (not `finished`) to the step at which it was told to stop.

    Attributes:
        folder: Compiled spec, `weights.safetensors`, checkpoint and logs.
        spec: As it was trained.
        evaluation: Of the weights kept, on the validation, test and covered sets; empty if not finished.
        finished: Whether all stages are done.
        steps: Of the optimiser.
        seconds: Time spent on training, over all sessions.
        best: Epoch (from 1, over all stages) whose weights are kept; None: those of the last one.
        remarks: What was skipped, or not used.
    """

    folder: Path
    spec: Spec
    evaluation: Evaluation
    finished: bool
    steps: int
    seconds: float
    best: int | None = None
    remarks: tuple[str, ...] = ()


def in_words(told: Progress, watch: str) -> str:
    """`epoch 3 of 20, loss 0.0412, 410 samples/s`; where an epoch ends, what validation found instead of the speed."""
    words = [f"epoch {told.epoch} of {told.epochs}"]
    if told.stages > 1:
        words.append(f"stage {told.stage} of {told.stages}")
    if told.loss is not None:
        words.append(f"loss {told.loss:.4f}")
    if not told.ended:
        return ", ".join([*words, f"{told.speed:.0f} samples/s"])
    for name in dict.fromkeys(("loss", watch)):
        if f"validation/{name}" in told.figures:
            words.append(f"validation {name} {told.figures[f'validation/{name}']:.4f}")
    return ", ".join(words)
