"""How many passes of a run can be looked at one by one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lvmc.diagnostics.passes.stepping import passes_of

if TYPE_CHECKING:
    import torch

MOST = 64


def passes_within(
    what: str, model: torch.nn.Module, inputs: Sequence[torch.Tensor], given: Mapping[str, torch.Tensor]
) -> int:
    """The passes of a run.

    Raises:
        ValueError: They are too many for straight-line code.
    """
    passes = passes_of(model, inputs, given)
    if passes > MOST:
        raise ValueError(f"{what}: {passes:,} passes are too many to look at each; compile with passes={MOST} or fewer")
    return passes
