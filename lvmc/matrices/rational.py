"""Exact arithmetic on matrices of floats: each float is a whole number times a power of two."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lvmc.verdicts import Array

Whole = NDArray[Any]
"""An array of Python ints (dtype object); numpy's element type for them is Any."""

MOST_BITS = 1000
"""Whole numbers of more bits are not written out as floats."""


def whole(values: Array) -> tuple[Whole, int]:
    """Python ints M and an exponent e with values = M · 2^e exactly."""
    mantissas, exponents = np.frexp(values)
    digits = np.asarray(np.ldexp(mantissas, 53), dtype=np.int64)
    odd = digits & -digits
    zeros = np.where(digits == 0, 0, np.frexp(odd.astype(np.float64))[1] - 1)
    digits, exponents = digits >> zeros, exponents + zeros - 53
    lowest = int(exponents[digits != 0].min()) if digits.any() else 0
    shifts = np.where(digits == 0, 0, exponents - lowest)
    return digits.astype(object) << shifts.astype(object), lowest


def together(parts: Sequence[Array]) -> tuple[Whole, int]:
    """The exact sum of arrays of floats: whole numbers, and the power of two that they are to be multiplied by."""
    found = [whole(part) for part in parts]
    lowest = min(power for _, power in found)
    total = sum((numbers << (power - lowest) for numbers, power in found), start=np.zeros_like(found[0][0]))
    return np.asarray(total), lowest


def common_factor(values: Whole) -> int:
    """The greatest common divisor of all entries, 1 where all are 0."""
    return gcd(*(int(value) for value in values.ravel())) or 1


def power_of_two(power: int) -> Fraction:
    """2^power."""
    return Fraction(1 << power) if power >= 0 else Fraction(1, 1 << -power)


def semidefinite(matrix: Whole, definite: bool = False) -> bool:
    """Whether a symmetric matrix of whole numbers is positive semidefinite (definite), by fraction-free LDLᵀ.

    Bareiss (1968): after pivots P the remaining entries are the minors det A[P + i, P + j], so the divisions are exact.
    """
    rest, previous = matrix, 1
    while len(rest):
        diagonal = rest.diagonal()
        if any(value < 0 for value in diagonal) or (definite and any(value == 0 for value in diagonal)):
            return False
        pivots = [k for k, value in enumerate(diagonal) if value > 0]
        if not pivots:
            return not rest.any()
        rest, previous = eliminated(rest, pivots[0], previous)
    return True


def eliminated(rest: Whole, k: int, previous: int) -> tuple[Whole, int]:
    """One step of Bareiss: what remains without row and column k, and the pivot."""
    keep = [i for i in range(len(rest)) if i != k]
    pivot, row = rest[k, k], rest[k, keep]
    return (pivot * rest[np.ix_(keep, keep)] - np.multiply.outer(row, row)) // previous, pivot


def negative_vector(matrix: Whole) -> list[Fraction] | None:
    """z with zᵀAz < 0, None where A is positive semidefinite.

    LDLᵀ with pivots P: at the first negative remaining diagonal entry i, z = e_i − A_PP⁻¹ A_Pi; where the remaining
    diagonal is 0 but an entry (i, j) is not, z = e_i ∓ e_j corrected likewise.
    """
    rest, previous, left, pivots = matrix, 1, list(range(len(matrix))), list[int]()
    while left:
        diagonal = rest.diagonal()
        if negative := [k for k, value in enumerate(diagonal) if value < 0]:
            return corrected(matrix, pivots, {left[negative[0]]: 1})
        positive = [k for k, value in enumerate(diagonal) if value > 0]
        if not positive:
            pairs = np.argwhere(rest != 0)
            if not len(pairs):
                return None
            i, j = pairs[0]
            return corrected(matrix, pivots, {left[i]: 1, left[j]: -1 if rest[i, j] > 0 else 1})
        rest, previous = eliminated(rest, positive[0], previous)
        pivots.append(left.pop(positive[0]))
    return None


def corrected(matrix: Whole, pivots: list[int], ends: dict[int, int]) -> list[Fraction]:
    """The vector e of `ends` less A_PP⁻¹ A_Pe on the pivots P: A times it is 0 there."""
    z = [Fraction(0)] * len(matrix)
    for index, sign in ends.items():
        z[index] = Fraction(sign)
    if pivots:
        terms = (matrix[pivots, index] * sign for index, sign in ends.items())
        right = sum(terms, start=np.zeros(len(pivots), object))
        found = solution(matrix[np.ix_(pivots, pivots)], np.asarray(right))
        assert found is not None
        for place, value in zip(pivots, found, strict=True):
            z[place] = -value
    return z


def reduced(matrix: Whole, columns: int) -> tuple[Whole, list[int], int]:
    """The reduced row echelon form by fraction-free Gauss–Jordan elimination of the first `columns` columns.

    Returns:
        The rows R, the pivot column of each of the first rows, and the number p with R[r, pivot_r] = p for all.
    """
    rows, pivots, previous = matrix.copy(), list[int](), 1
    for column in range(columns):
        rank = len(pivots)
        below = [r for r in range(rank, len(rows)) if rows[r, column]]
        if not below:
            continue
        rows[[rank, below[0]]] = rows[[below[0], rank]]
        pivot, line = rows[rank, column], rows[rank].copy()
        rows = (pivot * rows - np.multiply.outer(rows[:, column], line)) // previous
        rows[rank] = line
        pivots.append(column)
        previous = pivot
    return rows, pivots, previous


def solution(matrix: Whole, right: Whole) -> list[Fraction] | None:
    """x with A x = b where A is nonsingular, else None."""
    size = len(matrix)
    rows, pivots, pivot = reduced(np.concatenate([matrix, right[:, None]], axis=1), size)
    if len(pivots) < size:
        return None
    return [Fraction(int(rows[i, size]), int(pivot)) for i in range(size)]


def kernel(matrix: Whole) -> list[list[Fraction]]:
    """A basis of {x: A x = 0}."""
    size = matrix.shape[1]
    rows, pivots, pivot = reduced(matrix, size)
    basis: list[list[Fraction]] = []
    for column in (c for c in range(size) if c not in pivots):
        vector = [Fraction(0)] * size
        vector[column] = Fraction(1)
        for row, place in enumerate(pivots):
            vector[place] = Fraction(-int(rows[row, column]), int(pivot))
        basis.append(vector)
    return basis


def solvable(matrix: Whole, right: Whole) -> bool:
    """Whether A x = b has a solution."""
    _, pivots, _ = reduced(np.concatenate([matrix, right[:, None]], axis=1), len(matrix) + 1)
    return len(matrix) not in pivots


def limbs(vector: list[Fraction]) -> list[Array]:
    """Floats whose exact sum is a positive multiple of the vector, one array where 53 bits do; none past MOST_BITS."""
    bottom = 1
    for entry in vector:
        bottom = bottom * entry.denominator // gcd(bottom, entry.denominator)
    numbers = [int(entry * bottom) for entry in vector]
    shared = gcd(*numbers) or 1
    rest, parts = [number // shared for number in numbers], list[Array]()
    if max((abs(number).bit_length() for number in rest), default=0) > MOST_BITS:
        return []
    while any(rest) or not parts:
        parts.append(np.array([float(number) for number in rest]))
        rest = [number - int(float(number)) for number in rest]
    return parts
