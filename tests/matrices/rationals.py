"""Small matrices of fractions."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from .reference import Array, Number

Exact = list[list[Fraction]]


def exact(matrix: Array) -> Exact:
    return [[Fraction(x) for x in row] for row in matrix]


def dot(left: Iterable[Number], right: Iterable[Number]) -> Fraction:
    """The sum of the products."""
    return sum((Fraction(x) * Fraction(y) for x, y in zip(left, right, strict=True)), Fraction(0))


def inverse(rows: Exact) -> Exact | None:
    """Gauss and Jordan in rationals; None of a singular matrix."""
    n = len(rows)
    wide = [[*row, *(Fraction(int(i == j)) for j in range(n))] for i, row in enumerate(rows)]
    for k in range(n):
        pivot = next((i for i in range(k, n) if wide[i][k]), None)
        if pivot is None:
            return None
        wide[k], wide[pivot] = wide[pivot], wide[k]
        wide[k] = [x / wide[k][k] for x in wide[k]]
        wide = [
            row if i == k else [x - row[k] * y for x, y in zip(row, wide[k], strict=True)] for i, row in enumerate(wide)
        ]
    return [row[n:] for row in wide]
