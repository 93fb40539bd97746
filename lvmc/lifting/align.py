"""Poses turned about the upright axis to meet their mean, and coordinates in which their mean point is 0."""

from __future__ import annotations

import numpy as np

from lvmc.ir.lifting import Array

_ROUNDS = 50


def aligned(poses: Array) -> Array:
    """Each pose (N, 3, L) turned about the third axis so that it is nearest to the mean of all, which follows.

    The best turn of a pose x towards m is the argument of Σ (x₁ − i x₂)(m₁ + i m₂).
    """
    turned = poses[:, 0] + 1j * poses[:, 1]
    mean = turned[0]
    for _ in range(_ROUNDS):
        turn = np.exp(1j * np.angle(turned.conj() @ mean))
        turned = turned * turn[:, None]
        before, mean = mean, turned.mean(0)
        if np.abs(mean - before).max() <= 1e-9 * np.abs(mean).max():
            break
    return np.stack([turned.real, turned.imag, poses[:, 2]], 1)


def helmert(points: int) -> Array:
    """(L, L − 1): orthonormal columns, each with sum 0."""
    rows = np.arange(points)[:, None]
    below = np.arange(1, points)
    columns = np.where(rows < below, 1.0, np.where(rows == below, -1.0 * below, 0.0))
    return columns / np.sqrt(below * (below + 1.0))
