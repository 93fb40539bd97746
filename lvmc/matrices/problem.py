"""The question as it is asked: a checked symmetric matrix with its groups, and its scaling by powers of two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import index as as_index

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lvmc.verdicts import Array

Indices = NDArray[np.int64]
Mask = NDArray[np.bool_]

ASYMMETRY = 1e-12
"""Largest |a_ij − a_ji| / max|a| that is taken for rounding."""


@dataclass(frozen=True)
class Problem:
    """A symmetric matrix A (n, n) and its groups: is zᵀAz ≥ 0 for z ≥ 0 with at most one nonzero in a group?

    Attributes:
        matrix: A, exactly symmetric.
        groups: Disjoint tuples of indices; singletons are left out.
        remarks: What was done to A.
        scales: The powers of two s that the asked matrix was multiplied by from both sides to give this one; None: 1.
    """

    matrix: Array
    groups: tuple[tuple[int, ...], ...] = ()
    remarks: tuple[str, ...] = ()
    scales: Array | None = None

    @property
    def size(self) -> int:
        return len(self.matrix)

    @property
    def diagonal(self) -> Array:
        return np.diag(self.matrix).copy()

    @property
    def weights(self) -> Array:
        """D: the diagonal of A, 1 where that is not above 0."""
        return np.where(self.diagonal > 0, self.diagonal, 1.0)

    def labels(self) -> Indices:
        """The number of each index's group, (n,); an ungrouped index is a group of its own."""
        labels = np.arange(self.size)
        for group in self.groups:
            labels[list(group)] = group[0]
        return labels

    def rivals(self) -> Mask:
        """True at (i, j) where i and j ≠ i are of one group, (n, n)."""
        labels = self.labels()
        rivals = labels[:, None] == labels[None, :]
        np.fill_diagonal(rivals, False)
        return rivals

    def part(self, index: Indices) -> Problem:
        """The principal part of the given rows."""
        place = {int(old): new for new, old in enumerate(index)}
        groups = (tuple(place[i] for i in group if i in place) for group in self.groups)
        return Problem(self.matrix[np.ix_(index, index)], tuple(group for group in groups if len(group) > 1))


def problem(A: ArrayLike, groups: Sequence[Sequence[int]] | None = None) -> Problem:  # noqa: N803 (the maths' name)
    """Check a matrix and its groups.

    Args:
        A: Symmetric, (n, n), finite.
        groups: Disjoint lists of indices.

    Raises:
        ValueError: The matrix is not square, not finite or not symmetric; a group is out of range or overlaps.
    """
    matrix = np.array(A, dtype=np.float64)
    if matrix.shape == (0,):
        matrix = np.zeros((0, 0))
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"A has shape {matrix.shape}: give a square matrix, (n, n)")
    if not np.isfinite(matrix).all():
        i, j = np.argwhere(~np.isfinite(matrix))[0]
        raise ValueError(f"A[{i}, {j}] is {matrix[i, j]}: give finite entries only")
    matrix, remarks = symmetric(matrix)
    return Problem(matrix, checked_groups(groups or (), len(matrix)), remarks)


def symmetric(matrix: Array) -> tuple[Array, tuple[str, ...]]:
    """(A + Aᵀ)/2 where A is symmetric but for rounding."""
    gap = np.abs(matrix / 2 - matrix.T / 2) * 2
    if not (matrix != matrix.T).any():
        return matrix, ()
    i, j = (int(k) for k in np.unravel_index(int(np.argmax(gap)), gap.shape))
    told = f"|A[{i}, {j}] − A[{j}, {i}]| = {gap[i, j]:.3g}"
    if gap[i, j] > ASYMMETRY * np.abs(matrix).max():
        raise ValueError(f"A is not symmetric: {told} is the largest difference; give (A + Aᵀ)/2, of the same form")
    halved = matrix / 2 + matrix.T / 2
    return halved, (f"A was asymmetric by rounding ({told}); the verdict is about (A + Aᵀ)/2",)


def checked_groups(groups: Sequence[Sequence[int]], size: int) -> tuple[tuple[int, ...], ...]:
    """The groups of two and more indices, each index in range and used once."""
    used: dict[int, int] = {}
    checked: list[tuple[int, ...]] = []
    for number, group in enumerate(groups):
        members = tuple(whole_number(index, number) for index in group)
        for index in members:
            if not 0 <= index < size:
                raise ValueError(f"groups[{number}] names index {index}, but A has indices 0 … {size - 1}")
            if index in used:
                where = "twice" if used[index] == number else f"as groups[{used[index]}] does"
                raise ValueError(f"groups[{number}] names index {index} {where}: groups must be disjoint")
            used[index] = number
        checked.append(members)
    return tuple(group for group in checked if len(group) > 1)


def whole_number(index: int, number: int) -> int:
    """An index as an int."""
    if isinstance(index, bool) or not hasattr(index, "__index__"):
        raise ValueError(f"groups[{number}] names {index!r}: give whole numbers")
    return as_index(index)


def powers_of_two(matrix: Array) -> Array:
    """s_i = 2^k with s_i² a_ii in [½, 2), or all 1 where scaling by them would round; (n,)."""
    _, exponents = np.frexp(np.diag(matrix))
    powers = -(exponents // 2)
    scaled = np.ldexp(matrix, powers[:, None] + powers[None, :])
    back = np.ldexp(scaled, -(powers[:, None] + powers[None, :]))
    exact = np.isfinite(scaled).all() and np.array_equal(back, matrix) and bool((np.abs(powers) < 500).all())
    return np.ldexp(1.0, powers) if exact else np.ones(len(matrix))
