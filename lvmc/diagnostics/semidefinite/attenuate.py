"""Chooses what a bracket keeps: a bundle of Ritz vectors, whose restrictions a small problem minimises in turn."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from lvmc.budget import Budget
from lvmc.diagnostics.semidefinite.attenuation import Attenuation
from lvmc.diagnostics.semidefinite.flat import Flat
from lvmc.diagnostics.semidefinite.krylov import Krylov, sphere
from lvmc.diagnostics.semidefinite.spectral import Restricted, least_largest
from lvmc.graph.form import Array, Form

if TYPE_CHECKING:
    from torch import Tensor

Number = TypeVar("Number", np.float32, np.float64)

NEXT_TO_NOTHING = 1e-2
"""Norm of what a unit vector must add to a span to be taken in."""
MEMORY = 3e9
"""Bytes that a bundle's vectors may take."""


class Choice(Protocol):
    """Numbers x in a box, what M and G they stand for, and H_i = −∂H/∂x_i between vectors."""

    low: Array
    high: Array

    def nearest(self, attenuation: Attenuation) -> Array:
        """The x that stands for M and G."""
        ...

    def attenuation(self, x: Array) -> Attenuation:
        """M and G at x."""
        ...

    def parts(self, rows: Tensor, new: Tensor) -> Array:
        """Every rowᵀ H_i new, (p, rows, new)."""
        ...


@dataclass(frozen=True, slots=True)
class Effort:
    """How hard to look: rounds, Lanczos steps and Ritz vectors a round, vectors kept, gap to stop at, first pull.

    `pull` ½‖x − best x‖² keeps x near the best so far: 0 for a handful of numbers, more for thousands.
    """

    rounds: int
    steps: int
    vectors: int
    most: int
    close: float
    pull: float = 0.0


def attenuate(
    form: Form, choice: Choice, start: Array, effort: Effort, budget: Budget, stage: str
) -> tuple[Array, str]:
    """The x found with the least λ_max of its bracket, from `start` on, and a remark on how good it can be.

    A proximal spectral bundle (Helmberg and Rendl 2000) with a subspace that only grows: λ_max(H(x)) is convex in x,
    its restriction to Ritz vectors of earlier x a lower bound for all x.
    """
    plain = choice.attenuation(np.zeros(len(choice.low))).bracket(form)
    bundle = _Bundle(plain, choice, min(effort.most, int(MEMORY / (4 * form.units))))
    x, best, pull, floor, number = start, inf, effort.pull, -inf, 0
    centre, guess = x, _random(plain, 1)
    for number in range(effort.rounds):
        krylov = Krylov(choice.attenuation(x).bracket(form), guess, effort.steps)
        while not krylov.done:
            krylov.step()
        value = krylov.largest()
        if value < best:
            enough = best - value > 0.3 * (best - floor)
            best, centre, pull = value, x, pull * (0.5 if enough else 1.0)
        else:
            pull *= 1.5
        if not bundle.add(krylov.top(effort.vectors)):
            break
        x, floor = least_largest(bundle.model, centre, choice.low, choice.high, pull)
        budget.tell(stage, (number + 1) / effort.rounds)
        if budget.left == 0 or best - floor <= effort.close * abs(best):
            break
        guess = bundle.top(x) + 0.1 * _random(plain, number + 2)
    return centre, f"λ about {best:.5g} after {number + 1} rounds, at best {floor:.5g}"


def _random(flat: Flat, seed: int) -> Tensor:
    """A random unit vector."""
    import torch

    vector = sphere(flat.form.units, seed)
    return torch.as_tensor(vector / np.linalg.norm(vector), dtype=flat.field.dtype)


class _Bundle:
    """Orthonormal vectors that span Ritz vectors, and every operator between them."""

    def __init__(self, plain: Flat, choice: Choice, most: int) -> None:
        self._plain, self._choice, self._most = plain, choice, most
        self._rows: Tensor | None = None
        self.model = Restricted(np.zeros((0, 0)), np.zeros((len(choice.low), 0, 0), np.float32))

    def add(self, vectors: Tensor) -> bool:
        """Take in more vectors, the oldest out where there are too many; whether there was anything new."""
        import torch

        new = _new_directions(vectors, self._rows)
        if not len(new):
            return False
        rows = new if self._rows is None else torch.cat([self._rows, new])
        base = _array(rows @ self._plain.batch(new).T)
        parts = self._choice.parts(rows, new).astype(np.float32)
        cut = slice(max(0, len(rows) - self._most), None)
        model = Restricted(_grown(self.model.base[None], base[None])[0], _grown(self.model.parts, parts))
        self.model = Restricted(model.base[cut, cut], model.parts[:, cut, cut])
        self._rows = rows[cut]
        return True

    def top(self, x: Array) -> Tensor:
        """The unit vector of the span at which the model's largest eigenvalue is attained."""
        import torch

        assert self._rows is not None
        weights = np.linalg.eigh(self.model.at(x))[1][:, -1]
        return torch.as_tensor(weights, dtype=self._rows.dtype) @ self._rows


def _new_directions(vectors: Tensor, rows: Tensor | None) -> Tensor:
    """An orthonormal basis of what the vectors add to the span of orthonormal rows, but for next to nothing."""
    import torch

    if rows is not None:
        for _ in range(2):
            vectors = vectors - (vectors @ rows.T) @ rows
    values, mixed = np.linalg.eigh(_array(vectors @ vectors.T))
    kept = values > NEXT_TO_NOTHING**2
    weights = (mixed[:, kept] / np.sqrt(values[kept])).T
    return torch.as_tensor(weights.copy(), dtype=vectors.dtype) @ vectors


def _grown(square: NDArray[Number], columns: NDArray[Number]) -> NDArray[Number]:
    """Symmetric matrices (p, r, r) with new columns (p, r + s, s)."""
    count, rows, new = columns.shape
    old = rows - new
    grown = np.empty((count, rows, rows), columns.dtype)
    grown[:, :old, :old] = square
    grown[:, :, old:] = columns
    grown[:, old:, :old] = columns[:, :old].transpose(0, 2, 1)
    corner = columns[:, old:]
    grown[:, old:, old:] = 0.5 * (corner + corner.transpose(0, 2, 1))
    return grown


def _array(tensor: Tensor) -> Array:
    return tensor.double().numpy()
