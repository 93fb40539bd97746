"""A loss that is no number: which step, and the batch that gave it, kept to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from lvmc.data.batches import Batch
from lvmc.data.sample import SampleSet
from lvmc.training.tensors import save_tensors

if TYPE_CHECKING:
    from torch import Tensor


class NotFiniteError(ValueError):
    """The loss of a step is nan or infinite."""


def check_finite(
    losses: Mapping[str, float], step: int, batches: Sequence[Batch], samples: SampleSet, file: Path
) -> None:
    """Raise NotFiniteError unless all losses of a step are numbers; the batch is then in the file.

    Args:
        losses: By head.
        step: Its number in the run, from 1.
        batches: What it learnt from, in this process.
        samples: The set they are of.
        file: Where the batch goes.
    """
    if all(map(isfinite, losses.values())):
        return
    tensors: dict[str, Tensor] = {}
    for number, batch in enumerate(batches):
        stem = f"{number}." if len(batches) > 1 else ""
        known = {field.name: getattr(batch, field.name) for field in fields(batch)}
        tensors |= {f"{stem}{name}": value for name, value in known.items() if value is not None}
    names = [samples[int(row)].name for batch in batches for row in batch.index]
    save_tensors(tensors, file, {"step": str(step), "samples": "\n".join(names)})
    said = ", ".join(f"{head} {value}" for head, value in losses.items())
    raise NotFiniteError(
        f"the loss is no number at step {step}: {said}. The batch ({', '.join(names[:3])}, …) is kept in {file}; "
        "try a lower train.optimizer.rate, or train.clip: 1"
    )
