"""Outer feedback at given images: how far steps move the states, beyond the trained ones too, and their contraction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from lvmc.diagnostics.passes.stepping import evaluating
from lvmc.runtime.module import compiled_of
from lvmc.runtime.starts import start_of_state

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from lvmc.runtime.module import Model

    Step = Callable[..., dict[str, Tensor]]

ITERATIONS = 40
"""Jacobian-vector products of the power iteration; the last half of them are averaged."""

BEYOND = 3
"""Steps are watched up to so many times those that the spec has."""


@dataclass(frozen=True, slots=True)
class OuterLoop:
    """How the steps went.

    Attributes:
        steps: How many the spec has.
        moves: By state, the largest move of a point (of a map, of a number) in each step, over the batch; more steps
            than `steps` where they share their weights.
        radius: Estimate of the spectral radius of the step map's Jacobian at the last states, the largest of the batch:
            below 1 the steps come to rest there, if they are near enough. None where steps have weights of their own.
    """

    steps: int
    moves: Mapping[str, tuple[float, ...]]
    radius: float | None

    @property
    def drifts(self) -> bool:
        """Whether some state moves on, after the steps it has, faster than its last step did."""
        return any(max(moves[self.steps :], default=0.0) > moves[self.steps - 1] for moves in self.moves.values())

    @property
    def said(self) -> str:
        """In a sentence or two."""
        each = [f"{name} moves by at most {_listed(moves)}" for name, moves in self.moves.items()]
        told = f"{'; '.join(each)} (step {self.steps} is the last of the spec's)."
        if self.radius is None:
            return f"{told} Steps have weights of their own, so there is no map whose contraction could be asked."
        near = "contracts" if self.radius < 1 else "does not contract"
        drift = "drift on" if self.drifts else "move less and less, or as little"
        return f"{told} Further steps {drift}; the step map {near} there: spectral radius about {self.radius:.3g}."


def outer_loop(model: torch.nn.Module, inputs: Sequence[Tensor], given: Mapping[str, Tensor]) -> OuterLoop:
    """Watch the steps of a model on some inputs, in evaluation.

    Args:
        model: With outer feedback.
        inputs: As it takes them.
        given: Points from outside, clamped layers and first states, by keyword.
    """
    import torch

    feedback = compiled_of(model).graph.feedback
    assert feedback is not None
    live, states = cast("Model", model), [state.name for state in feedback.states]
    count = feedback.steps if feedback.untied else BEYOND * feedback.steps
    with evaluating(model):
        found = live(*inputs, **given, steps=count, stop=0.0)
        one = live(*inputs, **given, steps=1, stop=0.0)
        starts = {state.name: start_of_state(model, state, one[state.name][0]) for state in feedback.states}
        first = {name: given.get(name, start) for name, start in starts.items()}
    moves = {name: _moves(torch.cat((first[name][None], found[name]))) for name in states}
    if feedback.untied:
        return OuterLoop(feedback.steps, moves, None)
    fixed = {name: value for name, value in given.items() if name not in states}
    with evaluating(model, gradients=True):
        radius = spectral_radius(live.step, inputs, fixed, {name: found[name][-1] for name in states})
    return OuterLoop(feedback.steps, moves, radius)


def _moves(states: Tensor) -> tuple[float, ...]:
    """The largest move between states, (1 + steps, batch, points, 2) or (1 + steps, batch, C, H, W)."""
    moved = states[1:] - states[:-1]
    lengths = moved.square().sum(-1).sqrt() if moved.dim() == 4 else moved.abs()
    return tuple(float(each.max()) if each.numel() else 0.0 for each in lengths)


def spectral_radius(
    step: Step, inputs: Sequence[Tensor], fixed: Mapping[str, Tensor], states: Mapping[str, Tensor]
) -> float:
    """The largest |eigenvalue| of a step's Jacobian in the states, by power iteration; samples are told apart.

    v ← Jv/‖v‖ from a fixed random start; the estimate is the geometric mean of ‖Jv‖/‖v‖ over the later half of the
    iterations, which pairs of complex eigenvalues do not upset.
    """
    import torch

    names, values = list(states), tuple(states.values())

    def advance(*now: Tensor) -> tuple[Tensor, ...]:
        out = step(*inputs, **fixed, **dict(zip(names, now, strict=True)))
        return tuple(out[name] for name in names)

    random = torch.Generator().manual_seed(0)
    vectors = tuple(torch.randn(value.shape, generator=random).to(value) for value in values)
    growth = torch.zeros(values[0].shape[0], dtype=values[0].dtype, device=values[0].device)
    for number in range(ITERATIONS):
        length = _length(vectors)
        vectors = tuple(_over(vector, length) for vector in vectors)
        vectors = tuple(each.detach() for each in torch.func.jvp(advance, values, vectors)[1])
        if number >= ITERATIONS // 2:
            growth = growth + _length(vectors).clamp_min(1e-30).log()
    return float((growth / (ITERATIONS - ITERATIONS // 2)).exp().max())


def _length(vectors: Sequence[Tensor]) -> Tensor:
    """‖v‖ of every sample, (batch,)."""
    import torch

    return torch.stack([vector.flatten(1).square().sum(1) for vector in vectors]).sum(0).sqrt()


def _over(vector: Tensor, length: Tensor) -> Tensor:
    return vector / length.clamp_min(1e-30).reshape(-1, *(1 for _ in vector.shape[1:]))


def _listed(moves: Sequence[float]) -> str:
    return ", ".join(f"{move:.3g}" for move in moves)
