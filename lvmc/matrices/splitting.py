"""The stage of the split A = P + N: each connected part of the positive couplings, then one rigorous margin."""

from __future__ import annotations

from time import perf_counter

import numpy as np
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from lvmc.matrices.ascent import unit_scaled
from lvmc.matrices.problem import Indices, Problem
from lvmc.matrices.semidefinite import margin
from lvmc.matrices.spn import split
from lvmc.verdicts import Array, Certificate


def splitting(problem: Problem, goal: float, until: float, most: int = 2000) -> tuple[Certificate | None, Array]:
    """A certificate of kind "spn" if one part after the other reaches a margin; and the N of D^-½ A D^-½.

    Between parts N = A, which is nonnegative there but on group pairs, where it is free.

    Args:
        problem: A with positive diagonal.
        goal: The margin at which to stop.
        until: `perf_counter()` at which to stop.
        most: Largest number of iterations a part.
    """
    scaled, rivals = unit_scaled(problem), problem.rivals()
    nonnegative = np.where(rivals, scaled, np.maximum(scaled, 0.0))
    np.fill_diagonal(nonnegative, 0.0)
    for rows in components(problem):
        grid = np.ix_(rows, rows)
        found = split(scaled[grid], rivals[grid], goal=goal, most=most, until=until)
        nonnegative[grid] = found.nonnegative
        if found.margin <= 0 or perf_counter() > until:
            break
    return certificate(problem, nonnegative), nonnegative


def components(problem: Problem) -> list[Indices]:
    """The connected parts, of two and more, of the graph of positive couplings a_ij < 0 outside the groups."""
    coupled = (problem.matrix < 0) & ~problem.rivals()
    np.fill_diagonal(coupled, False)
    count, part = connected_components(csr_matrix(coupled.astype(np.float64)), directed=False)
    found = [np.flatnonzero(part == number) for number in range(count)]
    return [rows for rows in found if len(rows) > 1]


def certificate(problem: Problem, nonnegative: Array) -> Certificate | None:
    """Kind "spn" from an N of D^-½ A D^-½, its margin proved by Cholesky; None where that fails."""
    root = np.sqrt(problem.weights)
    entries = nonnegative * np.outer(root, root)
    entries = (entries + entries.T) / 2
    found = margin(problem.matrix - entries, problem.weights)
    if not np.isfinite(found):
        return None
    return Certificate("strict" if found > 0 else "copositive", "spn", found, {"N": entries})
