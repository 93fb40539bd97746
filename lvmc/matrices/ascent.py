"""Search for a z of the cone with small zᵀAz/zᵀDz: many starts at once, then an active set to the last digit."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

import numpy as np
from scipy.linalg import eigh

from lvmc.matrices.problem import Indices, Mask, Problem
from lvmc.verdicts import Array

SEED = 20_160
PASSES = 60


def unit_scaled(problem: Problem) -> Array:
    """D^-½ A D^-½."""
    root = np.sqrt(problem.weights)
    return problem.matrix / np.outer(root, root)


class Cone:
    """Projection on z ≥ 0 with one nonzero a group, for many z at once.

    Attributes:
        order: The indices sorted by group.
        starts: Where each group starts in `order`.
        lengths: The sizes of the groups.
    """

    def __init__(self, labels: Indices) -> None:
        self.order: Indices = np.argsort(labels, kind="stable")
        _, self.starts, self.lengths = np.unique(labels[self.order], return_index=True, return_counts=True)
        self.grouped: bool = bool((self.lengths > 1).any())

    def nearest(self, fields: Array) -> Array:
        """The rectified fields (n, m), in each group only the largest, of equal ones the first."""
        rectified = np.maximum(fields, 0.0)
        if not self.grouped:
            return rectified
        sorted_ = rectified[self.order]
        largest = np.repeat(np.maximum.reduceat(sorted_, self.starts, axis=0), self.lengths, axis=0)
        hit = (sorted_ == largest).cumsum(axis=0)
        before = hit[self.starts] - (sorted_ == largest)[self.starts]
        first = (sorted_ == largest) & (hit - np.repeat(before, self.lengths, axis=0) == 1)
        kept = np.zeros_like(rectified)
        kept[self.order] = np.where(first, sorted_, 0.0)
        return kept


def candidates(problem: Problem, until: float = np.inf, most: int = 6) -> Iterator[tuple[float, Array]]:
    """Local minima of zᵀAz/zᵀDz over the cone, smallest first as far as the search can tell: (value, z)."""
    matrix = unit_scaled(problem)
    if not len(matrix):
        return
    cone, rivals = Cone(problem.labels()), problem.rivals()
    found = ascended(matrix, cone)
    values = np.einsum("ij,ij->j", found, matrix @ found)
    supports: set[bytes] = set()
    tries = len(values) if problem.size <= 64 else 12
    for column in np.argsort(values, kind="stable")[:tries]:
        value, z = polished(matrix, found[:, column], rivals)
        if (key := (z > 0).tobytes()) not in supports:
            supports.add(key)
            yield value, z / np.sqrt(problem.weights)
        if len(supports) >= most or perf_counter() > until:
            return


def ascended(matrix: Array, cone: Cone) -> Array:
    """Unit vectors of the cone, (n, m), after some passes z ← P((σ − A) z) from every start.

    With σ at least the largest eigenvalue of A a pass never raises zᵀAz (it maximises the linear minorant of a convex
    function over the cone's part of the ball).
    """
    values, vectors = eigh(matrix, check_finite=False)
    z = normalised(cone.nearest(starts(matrix, vectors)))
    spread = matrix - float(values[-1]) * np.eye(len(matrix))
    fast = matrix - 0.5 * float(values[-1] + 1.0) * np.eye(len(matrix))
    for number in range(PASSES):
        z = normalised(cone.nearest(-(fast if number < PASSES // 2 else spread) @ z))
    return z


def starts(matrix: Array, vectors: Array) -> Array:
    """Unit vectors, both signs of the lowest eigenvectors, the all-one vector and random ones, (n, m)."""
    size = len(matrix)
    random = np.random.default_rng(SEED)
    units = np.eye(size)[:, random.permutation(size)[: max(32, 4096 // size)]]
    low = vectors[:, : min(4, size)]
    drawn = random.random((size, 12)) ** 4
    flat = np.ones((size, 1))
    return np.concatenate([flat, low, -low, drawn, units + 1e-3 * np.maximum(-matrix, 0.0) @ units], axis=1)


def normalised(z: Array) -> Array:
    """Columns of length 1; a column of zeros becomes the first unit vector."""
    lengths = np.linalg.norm(z, axis=0)
    empty = lengths == 0
    z = z / np.where(empty, 1.0, lengths)
    z[0, empty] = 1.0
    return z


def polished(matrix: Array, z: Array, rivals: Mask) -> tuple[float, Array]:
    """A local minimum of zᵀAz on the unit sphere of the cone, from z: least eigenvectors of supports, exchanged.

    Where the least eigenvector of the support is positive it is the minimum there, and an index with (Az)_i < 0 outside
    enters; otherwise z moves towards it until an entry meets 0 and leaves. zᵀAz falls each time.
    """
    z = np.where(z > 1e-5 * z.max(), z, 0.0)
    for _ in range(4 * len(z) + 20):
        support = np.flatnonzero(z)
        part = matrix[np.ix_(support, support)]
        values, vectors = eigh(part, check_finite=False, subset_by_index=[0, 0])
        least, here = vectors[:, 0], z[support]
        least = least if least @ here >= 0 else -least
        if (least > 0).all():
            z = np.zeros_like(z)
            z[support] = least
            field = matrix @ z
            barred = (z > 0) | rivals[:, support].any(axis=1)
            enters = int(np.argmin(np.where(barred, np.inf, field)))
            if barred[enters] or field[enters] > -1e-14 * len(z) + min(float(values[0]), 0.0) * 1e-14:
                return float(values[0]), z
            step = stepped(float(values[0]), float(field[enters]), float(matrix[enters, enters]))
            z = z * step[0]
            z[enters] = step[1]
            continue
        falling = least < here
        ratios = np.where(falling, here / np.where(falling, here - least, 1.0), np.inf)
        share = min(float(ratios.min()), 1.0)
        moved = np.maximum(here + share * (least - here), 0.0)
        moved[int(np.argmin(ratios))] = 0.0
        z = np.zeros_like(z)
        z[support] = moved / np.linalg.norm(moved)
    return float(z @ matrix @ z), z


def stepped(value: float, field: float, diagonal: float) -> tuple[float, float]:
    """The least eigenvector of [[value, field], [field, diagonal]], both entries positive as field < 0."""
    _, vectors = np.linalg.eigh(np.array([[value, field], [field, diagonal]]))
    first, second = np.abs(vectors[:, 0])
    return float(first), float(second)
