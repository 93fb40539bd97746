"""A less a diagonal, with the pairs that exclude one another, in floats for speed and in whole numbers for proof."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from lvmc.matrices.problem import Mask, Problem
from lvmc.matrices.rational import Whole, whole
from lvmc.verdicts import Array

Bits = int
"""A set of indices: bit i is index i."""


@dataclass(frozen=True)
class Shifted:
    """A' = A − diag(shift); Â = A' but max(A', L) on group pairs, L_ij = (a'_ii w_j/w_i + a'_jj w_i/w_j)/2 (T4).

    A pair with Â_ij ≥ L_ij is exclusive: along e_i/w_i − e_j/w_j the form is concave, so among the minima of zᵀÂz on
    {z ≥ 0, wᵀz = 1} one of smallest support has at most one of the two. Hence A' is copositive on the cone iff Â is on
    z ≥ 0.

    Attributes:
        problem: A with its groups.
        shift: What is taken from the diagonal, (n,), 0 ≤ shift_i ≤ a_ii.
        weights: w, (n,), floats.
        matrix: A' in floats, correct to one rounding.
        lifted: Â in floats.
        exact: A' in whole numbers, times a power of two.
        exact_lifted: Â, times the same power of two; fractions on group pairs.
        exact_weights: w in whole numbers, times a power of two.
        rivals: Group pairs.
        exclusive: Of each index, those exclusive with it.
        negative: Of each index, those with Â_ij < 0.
    """

    problem: Problem
    shift: Array
    weights: Array
    matrix: Array
    lifted: Array
    exact: Whole
    exact_lifted: Whole
    exact_weights: Whole
    rivals: Mask
    exclusive: tuple[Bits, ...]
    negative: tuple[Bits, ...]

    @property
    def size(self) -> int:
        return len(self.matrix)


def shifted(problem: Problem, shift: Array) -> Shifted:
    """A − diag(shift) in every guise."""
    weights = simplex_weights(problem)
    exact, exact_weights = exactly_shifted(problem, shift), whole(weights)[0]
    matrix = problem.matrix - np.diag(shift)
    rivals = problem.rivals()
    limit, exclusive = limits(matrix, weights), exclusive_pairs(matrix, weights, exact, exact_weights) | rivals
    negative = (problem.matrix < 0) & ~rivals
    np.fill_diagonal(negative, False)
    return Shifted(
        problem=problem,
        shift=shift,
        weights=weights,
        matrix=matrix,
        lifted=np.where(rivals, np.maximum(matrix, limit), matrix),
        exact=exact,
        exact_lifted=exactly_lifted(exact, exact_weights, rivals),
        exact_weights=exact_weights,
        rivals=rivals,
        exclusive=bit_rows(exclusive),
        negative=bit_rows(negative),
    )


def simplex_weights(problem: Problem) -> Array:
    """√(d_i d_0): near √d up to a factor, and exact where the diagonal is one number times squares."""
    return np.sqrt(problem.weights * problem.weights[0])


def exactly_shifted(problem: Problem, shift: Array) -> Whole:
    """A − diag(shift) in whole numbers, times a power of two."""
    entries, _ = whole(np.concatenate([problem.matrix, np.diag(shift)]))
    return entries[: problem.size] - entries[problem.size :]


def limits(matrix: Array, weights: Array) -> Array:
    """L in floats."""
    ratio = np.outer(1 / weights, weights)
    halves = np.diag(matrix)[:, None] * ratio / 2
    return halves + halves.T


def exclusive_pairs(matrix: Array, weights: Array, exact: Whole, exact_weights: Whole) -> Mask:
    """Where a'_ij ≥ L_ij: in floats where that is clear, in whole numbers where it is close."""
    limit = limits(matrix, weights)
    gap = matrix - limit
    close = np.abs(gap) <= 1e-12 * (np.abs(matrix) + np.abs(limit))
    pairs = (gap > 0) & ~close
    np.fill_diagonal(pairs, False)
    for i, j in np.argwhere(np.triu(close, 1)):
        v, w = exact_weights[i], exact_weights[j]
        pairs[i, j] = pairs[j, i] = bool(exact[i, i] * w * w + exact[j, j] * v * v <= 2 * exact[i, j] * v * w)
    return pairs


def exactly_lifted(exact: Whole, weights: Whole, rivals: Mask) -> Whole:
    """Â: max(A', L) on group pairs."""
    lifted = exact.copy()
    for i, j in np.argwhere(rivals):
        v, w = weights[i], weights[j]
        limit = Fraction(int(exact[i, i] * w * w + exact[j, j] * v * v), int(2 * v * w))
        lifted[i, j] = max(Fraction(int(exact[i, j])), limit)
    return lifted


def bit_rows(mask: Mask) -> tuple[Bits, ...]:
    """Each row of a boolean matrix as a set."""
    return tuple(sum(1 << int(j) for j in np.flatnonzero(row)) for row in mask)


def members(bits: Bits) -> list[int]:
    """The indices of a set, ascending."""
    found: list[int] = []
    while bits:
        low = bits & -bits
        found.append(low.bit_length() - 1)
        bits ^= low
    return found


def parts(bits: Bits, neighbours: tuple[Bits, ...]) -> list[Bits]:
    """The connected parts of the graph on a set, by smallest index."""
    found: list[Bits] = []
    while bits:
        part = frontier = bits & -bits
        while frontier:
            reached = 0
            for index in members(frontier):
                reached |= neighbours[index]
            frontier = reached & bits & ~part
            part |= frontier
        found.append(part)
        bits &= ~part
    return found
