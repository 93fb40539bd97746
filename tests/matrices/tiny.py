"""Random tiny matrices of integers with random groups, many of them on the boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from .reference import Array

Cells = tuple[tuple[int, ...], ...]


@dataclass(frozen=True)
class Case:
    matrix: Array
    groups: Cells | None


@st.composite
def cases(draw: st.DrawFn, largest: int, grouped: bool = True) -> Case:
    """Dense ones, entries 0 and ±1, Gram matrices plus nonnegative ones, and these less one at some places."""
    n = draw(st.integers(1, largest))
    kind = draw(st.sampled_from(("dense", "signs", "spn")))
    match kind:
        case "dense":
            matrix = _symmetric(draw, n, -3, 3) + np.diag(_vector(draw, n, 0, 6))
        case "signs":
            matrix = _symmetric(draw, n, -1, 1) + np.eye(n)
        case _:
            rank = draw(st.integers(1, n))
            rows = np.array([_vector(draw, n, -2, 2) for _ in range(rank)])
            matrix = rows.T @ rows + np.maximum(_symmetric(draw, n, -3, 2), 0)
            matrix -= np.diag(_vector(draw, n, -1, 1)) * draw(st.booleans())
    return Case(matrix, draw(cells(n)) if grouped else None)


@st.composite
def cells(draw: st.DrawFn, n: int, some: bool = False) -> Cells | None:
    """Disjoint groups of two or more units each; None for none, which `some` (n ≥ 2) rules out."""
    if not some and draw(st.booleans()):
        return None
    names = draw(st.lists(st.integers(0, 3), min_size=n, max_size=n))
    groups = (tuple(i for i, name in enumerate(names) if name == chosen) for chosen in (1, 2, 3))
    return tuple(group for group in groups if len(group) > 1) or (((0, n - 1),) if some else None)


@st.composite
def couplings(draw: st.DrawFn, largest: int, low: int = -4, smallest: int = 1) -> tuple[Array, Array]:
    """C, symmetric without diagonal, and d > 0, of squares."""
    n = draw(st.integers(smallest, largest))
    return _symmetric(draw, n, low, 4), np.square(_vector(draw, n, 1, 4))


@st.composite
def vectors(draw: st.DrawFn, n: int, low: int, high: int) -> Array:
    return _vector(draw, n, low, high)


def _vector(draw: st.DrawFn, n: int, low: int, high: int) -> Array:
    return np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)), dtype=float)


def _symmetric(draw: st.DrawFn, n: int, low: int, high: int) -> Array:
    matrix = np.zeros((n, n))
    matrix[np.triu_indices(n, 1)] = _vector(draw, n * (n - 1) // 2, low, high)
    return matrix + matrix.T
