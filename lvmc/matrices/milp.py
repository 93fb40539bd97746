"""A mixed-integer program for the least zᵀAz on the simplex: a source of vectors, as its tolerances prove nothing."""

from __future__ import annotations

import numpy as np
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import csr_array, eye_array, hstack

from lvmc.matrices.ascent import polished, unit_scaled
from lvmc.matrices.problem import Problem
from lvmc.verdicts import Array

MOST = 40
"""Largest size that is worth the attempt."""


def by_milp(problem: Problem, seconds: float) -> tuple[float, Array] | None:
    """A local minimum of zᵀAz/zᵀDz from the least λ with (Bx)_i ≤ λ wherever x_i > 0, B = D^-½ A D^-½, Σx = 1.

        min λ: (Bx)_i ≤ λ + m_i (1 − y_i), 0 ≤ x ≤ y ∈ {0, 1}ⁿ, Σx = 1, Σ_group y ≤ 1       (Anstreicher 2021)

    A feasible point has λ ≥ xᵀBx, and the minimiser of xᵀBx meets (Bx)_i = λ on its support. HiGHS keeps its
    constraints to 1e-6: what it returns is made a local minimum and is to be evaluated exactly.

    Args:
        problem: A with positive diagonal, and its groups.
        seconds: Time limit of HiGHS.
    """
    size, matrix = problem.size, unit_scaled(problem)
    low = min(float(matrix.min()), 0.0)
    reach = matrix.max(axis=1) - low
    ones, none = csr_array(np.ones((1, size))), csr_array((size, 1))
    level = hstack([csr_array(matrix), csr_array(np.diag(reach)), csr_array(-np.ones((size, 1)))])
    within = hstack([eye_array(size), -eye_array(size), none])
    total = hstack([ones, csr_array((1, size + 1))])
    limits = [
        LinearConstraint(level, ub=reach),
        LinearConstraint(within, ub=np.zeros(size)),
        LinearConstraint(total, lb=1.0, ub=1.0),
        *(LinearConstraint(row_of(group, size), ub=1.0) for group in problem.groups),
    ]
    answer = milp(
        np.append(np.zeros(2 * size), 1.0),
        integrality=np.concatenate([np.zeros(size), np.ones(size), [0.0]]),
        bounds=Bounds(np.append(np.zeros(2 * size), low), np.append(np.ones(2 * size), max(float(matrix.max()), 1.0))),
        constraints=limits,
        options={"time_limit": max(seconds, 0.01)},
    )
    if answer.x is None:
        return None
    x = np.maximum(np.asarray(answer.x[:size], dtype=np.float64), 0.0)
    value, z = polished(matrix, x * (np.asarray(answer.x[size : 2 * size]) > 0.5), problem.rivals())
    return value, z / np.sqrt(problem.weights)


def row_of(group: tuple[int, ...], size: int) -> csr_array:
    """The sum of the y of a group."""
    row = np.zeros((1, 2 * size + 1))
    row[0, [size + index for index in group]] = 1.0
    return csr_array(row)
