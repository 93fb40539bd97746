"""The rate of coordinate ascent near a state: how a pass up and a pass down, linearised there, shrink an error.

Let s = ∂z/∂a · d be the slopes at z (0 where a unit stays at 0, at its bound, or loses in its group; Boltzmann:
∂z/∂a, d = 1). An update carries the error e of its layer to s (C e + σ e)/(d + σ), σ of its lateral step, so a pass up
and a pass down carry e to M e. Without laterals M = (D − Cᵀ_↓)⁻¹ C_↓ (D − C_↓)⁻¹ Cᵀ_↓ over active units (C_↓: couplings
to layers below), similar to N Nᵀ with N = D^½ (D − C_↓)⁻¹ D^½ − I: its eigenvalues are real and ≥ 0, and its spectral
radius is σ_max(N)²; for two blocks σ_max(D^-½ C D^-½)² (Golub & Van Loan, Matrix Computations, §11.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import sqrt
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc import fixed_point
from lvmc.budget import Budget
from lvmc.diagnostics.field import Field
from lvmc.graph import EnergyGraph
from lvmc.graph.form import Array, Form
from lvmc.ir import Size, interpret
from lvmc.ir.rolled import state_name

if TYPE_CHECKING:
    from torch import Tensor

DENSE = 256
"""So many active units are one small matrix."""

PRECISE = 200_000
"""Forms of more units are applied in float32."""


@dataclass(frozen=True)
class Response:
    """What the linearised passes say of a state.

    Attributes:
        rate: Factor on a small error for each pass: the root of that for a pass up and a pass down. None: out of time.
        active: Units that follow their drive, on which it rests.
        applied: Pairs of passes that it took.
    """

    rate: float | None
    active: int
    applied: int


def response(
    graph: EnergyGraph,
    form: Form,
    state: Mapping[str, Array],
    masks: Mapping[str, Array],
    budget: Budget | None = None,
) -> Response:
    """The rate near a state of one sample.

    Args:
        graph: Of the model.
        form: Its form, layers that are clamped as a whole left out.
        state: Layers (channels, height, width).
        masks: `<layer>_mask` of layers clamped in part, above ½ where they are, shaped as the layers.
        budget: Time; where it does not suffice, there is no rate.
    """
    sized = replace(form, blocks=tuple(replace(b, size=_size(state[b.name])) for b in form.blocks))
    passes = _Passes.of(sized, gains(graph, sized, state, masks))
    count = len(passes.places)
    if not count:
        return Response(0.0, 0, 0)
    if count <= DENSE:
        matrix = passes.both(np.eye(count))
        return Response(sqrt(float(np.abs(np.linalg.eigvals(matrix)).max())), count, 1)
    return _by_arnoldi(passes, budget or Budget())


def gains(graph: EnergyGraph, form: Form, state: Mapping[str, Array], masks: Mapping[str, Array]) -> dict[str, Array]:
    """s/(d + σ) of every unit at a state: ∂z/∂a of its update, 0 under masks. Arguments as for `response`."""
    program = fixed_point.slopes(graph, {}, start=False)
    slopes = interpret(program, {state_name(name): z[None] for name, z in state.items()}, batch=1)
    bounds, found = lateral_bounds(form), dict[str, Array]()
    for block in form.blocks:
        own = block.diagonal if graph.layer[block.name].unit.has_diagonal else np.ones(block.channels)
        free = masks.get(f"{block.name}_mask", np.zeros(())) <= 0.5
        found[block.name] = slopes[block.name][0] * free / (own + bounds.get(block.name, 0.0))[:, None, None]
    return found


def lateral_bounds(form: Form) -> dict[str, float]:
    """σ of each layer with lateral couplings: its largest row sum of |L|."""
    return {side.layer: float(np.abs(side.filter).sum((1, 2, 3)).max()) for side in form.sides}


@dataclass(slots=True)
class _Passes:
    """Linear passes of errors: `gains` by layer, σ of those with laterals; `places` of active units among all."""

    field: Field
    gains: Mapping[str, Tensor]
    bounds: Mapping[str, float]
    places: NDArray[np.intp]
    applied: int = 0

    @staticmethod
    def of(form: Form, gains: Mapping[str, Array]) -> _Passes:
        """The passes of a form at a state with some gains."""
        import torch

        field = Field(form, "float64" if form.units <= PRECISE else "float32")
        flat = form.join({name: gain[None] for name, gain in gains.items()})[0]
        tensors = {name: torch.as_tensor(gain, dtype=field.dtype) for name, gain in gains.items()}
        return _Passes(field, tensors, lateral_bounds(form), np.flatnonzero(flat))

    def both(self, errors: Array) -> Array:
        """M applied to errors of the active units (batch, active): a pass up, then a pass down."""
        import torch

        form, self.applied = self.field.form, self.applied + 1
        flat = np.zeros((len(errors), form.units))
        flat[:, self.places] = errors
        state = {name: torch.as_tensor(z, dtype=self.field.dtype) for name, z in form.split(flat).items()}
        names = [block.name for block in form.blocks]
        with torch.no_grad():
            for name in (*names, *reversed(names)):
                drive = self.field.drive(name, state)
                if name in self.bounds:
                    drive = drive + self.bounds[name] * state[name]
                state[name] = self.gains[name] * drive
        return form.join({name: z.double().numpy() for name, z in state.items()})[:, self.places]


class _SpentError(Exception):
    """The time is spent."""


def _by_arnoldi(passes: _Passes, budget: Budget) -> Response:
    """The root of the spectral radius of M, by Arnoldi's iteration."""
    from scipy.sparse.linalg import ArpackError, LinearOperator, eigs

    count = len(passes.places)

    def apply(error: Array) -> Array:
        if not budget.left:
            raise _SpentError
        return passes.both(error.reshape(1, -1))[0]

    start = np.random.default_rng(0).random(count)
    try:
        if not apply(start).any():
            return Response(0.0, count, passes.applied)
        operator = LinearOperator((count, count), matvec=apply, dtype=np.float64)
        found = eigs(operator, k=1, v0=start, tol=1e-6, return_eigenvectors=False)
    except (_SpentError, ArpackError):
        return Response(None, count, passes.applied)
    return Response(sqrt(float(np.abs(found).max())), count, passes.applied)


def _size(z: Array) -> Size:
    return (z.shape[1], z.shape[2])
