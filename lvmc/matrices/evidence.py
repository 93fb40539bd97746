"""What a vector proves: zᵀAz and zᵀDz evaluated exactly, and vectors of the cone with zᵀAz = 0 exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import inf, nextafter

import numpy as np
from scipy.optimize import linprog

from lvmc.matrices.problem import Problem
from lvmc.matrices.rational import Whole, kernel, limbs, power_of_two, together, whole
from lvmc.matrices.semidefinite import UNIT
from lvmc.verdicts import Array, Claim, Witness

EXACT_SUPPORT = 400
"""Largest support on which zᵀAz is evaluated exactly."""


@dataclass(frozen=True)
class Evidence:
    """zᵀAz/zᵀDz of a vector, the sum of some arrays of floats, known to lie between two rational numbers.

    Attributes:
        parts: The arrays whose sum is z, (n,) each.
        low: At most the ratio.
        high: At least the ratio; equal to `low` where it is exact.
    """

    parts: tuple[Array, ...]
    low: Fraction
    high: Fraction

    @property
    def upper(self) -> float:
        """The least float at or above `high`."""
        value = nearest(self.high)
        return value if Fraction(value) >= self.high else nextafter(value, inf)

    def witness(self, refutes: Claim) -> Witness:
        """The witness that this vector is: arrays "z", and "z:1", … where z is a sum."""
        value = nearest((self.low + self.high) / 2)
        error = max(abs(Fraction(value) - self.low), abs(Fraction(value) - self.high))
        names = ["z", *(f"z:{number}" for number in range(1, len(self.parts)))]
        bound = 0.0 if error == 0 else nextafter(nearest(error), inf)
        return Witness(refutes, dict(zip(names, self.parts, strict=True)), value, bound)


def nearest(number: Fraction) -> float:
    """The nearest finite float."""
    try:
        return float(number)
    except OverflowError:
        return float(np.copysign(np.finfo(np.float64).max, 1 if number > 0 else -1))


def evidence(problem: Problem, parts: Sequence[Array]) -> Evidence:
    """Evaluate zᵀAz/zᵀDz: exactly on a small support, else in floats with a bound on their rounding."""
    parts = tuple(parts)
    support = np.flatnonzero(np.any([part != 0 for part in parts], axis=0))
    if len(support) > EXACT_SUPPORT and len(parts) == 1:
        return estimated(problem, parts[0])
    numbers, _ = together([part[support] for part in parts])
    entries, power = whole(problem.matrix[np.ix_(support, support)])
    weights, shift = whole(problem.weights[support])
    top, bottom = int(numbers @ (entries @ numbers)), int(numbers @ (weights * numbers))
    ratio = Fraction(top, bottom) * power_of_two(power - shift)
    return Evidence(parts, ratio, ratio)


def estimated(problem: Problem, z: Array) -> Evidence:
    """zᵀAz/zᵀDz in floats; any order of summing errs by at most γ |z|ᵀ|A||z|, γ = (2n + 8)u with room for 1/(1 − γ)."""
    top, bottom = float(z @ problem.matrix @ z), float(z @ (problem.weights * z))
    gamma = 2.1 * (len(z) + 4) * UNIT
    spread = 1.01 * gamma * float(np.abs(z) @ np.abs(problem.matrix) @ np.abs(z))
    middle, least = Fraction(top) / Fraction(bottom), Fraction(bottom) * (1 - Fraction(gamma))
    room = Fraction(spread) / least + abs(middle) * 2 * Fraction(gamma)
    return Evidence((z,), middle - room, middle + room)


def of_fractions(size: int, support: Sequence[int], values: list[Fraction]) -> tuple[Array, ...]:
    """A rational vector on a support as arrays of floats that sum to it; the nearest floats if that takes too many."""
    found: list[Array] = []
    for limb in limbs(values) or [np.array([float(value) for value in values])]:
        part = np.zeros(size)
        part[list(support)] = limb
        found.append(part)
    return tuple(found)


def simplest(problem: Problem, parts: tuple[Array, ...]) -> Evidence:
    """The evidence of a sum of arrays, of its first alone where that is as negative."""
    full = evidence(problem, parts)
    if len(parts) == 1 or full.high >= 0:
        return full
    first = evidence(problem, parts[:1])
    return first if first.high < 0 else full


def zero_vector(problem: Problem, z: Array) -> Evidence | None:
    """x ≥ 0 with xᵀAx = 0 exactly on the support of z, where A has one there: x in the kernel of A's part."""
    support = np.flatnonzero(z > 1e-7 * z.max())
    part = problem.matrix[np.ix_(support, support)]
    vector = nonnegative_kernel(whole(part)[0], part)
    if vector is None:
        return None
    found = evidence(problem, of_fractions(problem.size, [int(i) for i in support], vector))
    return found if found.high == 0 else None


def nonnegative_kernel(entries: Whole, matrix: Array) -> list[Fraction] | None:
    """x ≥ 0, x ≠ 0 with Ax = 0 exactly, None where none is found; of a kernel of more dimensions a vertex is sought."""
    basis = kernel(entries)
    if len(basis) == 1:
        sign = 1 if any(value > 0 for value in basis[0]) else -1
        vector = [sign * value for value in basis[0]]
        return vector if all(value >= 0 for value in vector) else None
    if not basis:
        return None
    size = len(matrix)
    cost = np.random.default_rng(size).random(size)
    answer = linprog(cost, A_eq=np.concatenate([matrix, np.ones((1, size))]), b_eq=np.append(np.zeros(size), 1.0))
    if answer.status != 0:
        return None
    rows = np.flatnonzero(np.asarray(answer.x) > 1e-9)
    if len(rows) == size:
        return None
    inner = nonnegative_kernel(entries[np.ix_(rows, rows)], matrix[np.ix_(rows, rows)])
    if inner is None:
        return None
    vector = [Fraction(0)] * size
    for row, value in zip(rows, inner, strict=True):
        vector[int(row)] = value
    return vector
