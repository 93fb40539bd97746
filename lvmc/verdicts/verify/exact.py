"""Exact arithmetic on float64 numbers: integers times a power of two."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import gcd

import numpy as np
from numpy.typing import NDArray

from lvmc.verdicts.records import Array

Whole = NDArray[np.object_]
"""An array of Python integers."""


@dataclass(frozen=True)
class Exact:
    """The numbers `whole` · 2^`power`, of any shape."""

    whole: Whole
    power: int

    def __add__(self, other: Exact) -> Exact:
        power = min(self.power, other.power)
        return Exact(self._at(power) + other._at(power), power)

    def __sub__(self, other: Exact) -> Exact:
        return self + Exact(-other.whole, other.power)

    def __mul__(self, other: Exact) -> Exact:
        return Exact(self.whole * other.whole, self.power + other.power)

    def part(self, rows: NDArray[np.intp]) -> Exact:
        """The principal submatrix of some indices."""
        return Exact(self.whole[np.ix_(rows, rows)], self.power)

    def fractions(self) -> Whole:
        """The numbers as fractions."""
        return np.array([scaled(each, self.power) for each in self.whole.ravel()], object).reshape(self.whole.shape)

    def _at(self, power: int) -> Whole:
        return self.whole * (1 << (self.power - power))


def exact(values: Array) -> Exact:
    """Finite float64 numbers as they are."""
    mantissas, exponents = np.frexp(values)
    whole = np.asarray(mantissas * 2.0**53, np.int64)
    least = int(exponents[whole != 0].min()) if whole.any() else 0
    up = np.where(whole != 0, exponents - least, 0).astype(object)
    return Exact(np.asarray(whole.astype(object) << up, object), least - 53)


def scaled(whole: int, power: int) -> Fraction:
    """whole · 2^power."""
    return Fraction(whole << power) if power >= 0 else Fraction(whole, 1 << -power)


def quadratic(matrix: Exact, vector: Exact) -> Fraction:
    """zᵀAz."""
    total = vector.whole @ (matrix.whole @ vector.whole) if len(vector.whole) else 0
    return scaled(int(total), matrix.power + 2 * vector.power)


def psd(matrix: Whole) -> bool:
    """Whether a symmetric integer matrix is positive semidefinite: elimination without fractions (Bareiss 1968).

    A pivot is a minor over the one before. One below 0 refutes; at a pivot of 0 the whole row has to be 0.
    """
    rest, before = _primitive(matrix), 1
    while len(rest):
        pivot = rest[0, 0]
        if pivot < 0 or (pivot == 0 and rest[0].any()):
            return False
        if pivot == 0:
            rest = rest[1:, 1:]
            continue
        rest, before = (rest[1:, 1:] * pivot - np.outer(rest[1:, 0], rest[0, 1:])) // before, pivot
    return True


def definite(matrix: Whole) -> bool:
    """Whether a symmetric integer matrix is positive definite: every leading minor is above 0."""
    rest, before = _primitive(matrix), 1
    while len(rest):
        pivot = rest[0, 0]
        if pivot <= 0:
            return False
        rest, before = (rest[1:, 1:] * pivot - np.outer(rest[1:, 0], rest[0, 1:])) // before, pivot
    return True


def solution(matrix: Whole, right: Whole) -> list[Fraction] | None:
    """y of My = r by Gauss and Jordan; None where there is none. Raises ArithmeticError where y is not unique."""
    rows = [[Fraction(each) for each in (*row, end)] for row, end in zip(matrix, right, strict=True)]
    count, rank = len(rows), 0
    for column in range(count):
        pivot = next((row for row in range(rank, count) if rows[row][column]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        head = rows[rank] = [each / rows[rank][column] for each in rows[rank]]
        for row in range(count):
            if row != rank and (factor := rows[row][column]):
                rows[row] = [each - factor * of for each, of in zip(rows[row], head, strict=True)]
        rank += 1
    if any(row[-1] for row in rows[rank:]):
        return None
    if rank < count:
        raise ArithmeticError("the solution is not unique")
    return [row[-1] for row in rows]


def _primitive(matrix: Whole) -> Whole:
    """The matrix without the common divisor of its entries."""
    return matrix // (gcd(*(int(each) for each in matrix.ravel())) or 1)
