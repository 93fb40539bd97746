"""One run of a study: its spec is trained, or goes on from its checkpoint, and is judged on the study's sets."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from lvmc.study.plan import Run
from lvmc.study.runner import Event, Tell
from lvmc.training.progress import Progress
from lvmc.training.run import train_spec


def train_and_evaluate(run: Run, folder: Path, tell: Tell) -> Mapping[str, float]:
    """Train in a folder, and return the figures of the weights kept.

    Raises:
        ValueError: The data have none of the sets; and what `train_spec` raises.
    """

    def told(progress: Progress) -> None:
        tell(Event(run.name, "step", f"epoch {progress.epoch} of {progress.epochs}", progress.share))

    trained = train_spec(run.spec, folder, resume=True, evaluate_on=run.evaluate, tell=told)
    for text in trained.remarks:
        tell(Event(run.name, "remark", text))
    if not trained.evaluation.figures:
        raise ValueError(f"nothing to judge on: the data have no {' and no '.join(run.evaluate)} set")
    return trained.evaluation.figures
