"""Where the states of outer feedback start in a model, as its weights say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvmc.graph.states import StateNode

if TYPE_CHECKING:
    from torch import Tensor, nn


def start_of_state(model: nn.Module, state: StateNode, like: Tensor) -> Tensor:
    """The state before the first step, for a batch of states `like` (batch, …): `<state>.start`, or 0."""
    start = model.get_buffer(state.start) if state.start else like.new_zeros(())
    return start.to(like.dtype).expand_as(like)
