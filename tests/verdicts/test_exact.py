"""Exact arithmetic and proofs of semidefiniteness, against definitions."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvmc.verdicts import Array
from lvmc.verdicts.verify.exact import Whole, definite, exact, psd, quadratic, solution
from lvmc.verdicts.verify.semidefinite import factored, proved_psd

seeds = st.integers(0, 2**32 - 1)


def small(seed: int) -> Whole:
    """A symmetric matrix of small integers, often singular."""
    random = np.random.default_rng(seed)
    size = int(random.integers(1, 5))
    factor = random.integers(-2, 3, (size, int(random.integers(1, size + 1))))
    extra = np.diag(random.integers(-1, 2, size)) * int(random.integers(0, 2))
    return (factor @ factor.T + extra).astype(object)


def minor(matrix: Whole, rows: tuple[int, ...]) -> Fraction:
    """A principal minor, by expansion."""
    part = [[Fraction(int(matrix[i, j])) for j in rows] for i in rows]
    return _determinant(part)


def _determinant(rows: list[list[Fraction]]) -> Fraction:
    if not rows:
        return Fraction(1)
    return sum(
        (
            (-1) ** column * entry * _determinant([[*row[:column], *row[column + 1 :]] for row in rows[1:]])
            for column, entry in enumerate(rows[0])
        ),
        Fraction(0),
    )


@settings(max_examples=300, deadline=None)
@given(seeds)
def test_elimination_decides_as_principal_minors_do(seed: int) -> None:
    matrix = small(seed)
    size = len(matrix)
    minors = [minor(matrix, rows) for count in range(1, size + 1) for rows in combinations(range(size), count)]
    assert psd(matrix) == all(each >= 0 for each in minors)
    assert definite(matrix) == all(minor(matrix, tuple(range(count))) > 0 for count in range(1, size + 1))


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_a_shifted_factor_proves_only_what_is_true(seed: int) -> None:
    """A matrix a hair below semidefinite, in exact arithmetic, is never proved; one well above always is."""
    random = np.random.default_rng(seed)
    size = int(random.integers(2, 7))
    factor = random.integers(-3, 4, (size, size - 1)).astype(float)
    scales = 2.0 ** random.integers(-20, 20, size)
    singular: Array = (factor @ factor.T) * np.outer(scales, scales)
    below = singular - np.diag(singular.diagonal() * 2.0**-45)
    nothing = np.zeros((size, size))
    assert not factored(below, nothing)
    assert proved_psd(singular, nothing, lambda: exact(singular))
    if (np.diag(singular) > 0).all():
        assert not psd(exact(below).whole)
        assert factored(singular + 1e-3 * np.diag(singular.diagonal()), nothing)


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_floats_are_taken_as_they_are(seed: int) -> None:
    random = np.random.default_rng(seed)
    values = random.standard_normal((3, 3)) * 10.0 ** random.integers(-30, 30, (3, 3))
    z = random.standard_normal(3) * 10.0 ** random.integers(-10, 10, 3)
    wanted = sum(Fraction(z[i]) * Fraction(values[i, j]) * Fraction(z[j]) for i in range(3) for j in range(3))
    assert quadratic(exact(values), exact(z)) == wanted
    assert [Fraction(each) for each in values.ravel()] == list(exact(values).fractions().ravel())


def test_solutions() -> None:
    whole = np.array([[2, 1], [1, 3]], object)
    assert solution(whole, np.array([1, 1], object)) == [Fraction(2, 5), Fraction(1, 5)]
    flat = np.array([[1, 1], [1, 1]], object)
    assert solution(flat, np.array([1, 2], object)) is None
    with pytest.raises(ArithmeticError):
        solution(flat, np.array([1, 1], object))
