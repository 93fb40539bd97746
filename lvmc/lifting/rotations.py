"""Rotations that bring poses, upright along their third axis, into a view: right, down, depth."""

from __future__ import annotations

import numpy as np

from lvmc.ir.lifting import Array

LEVEL = np.asarray([[0.0, 1.0, 0.0], [0.0, 0.0, -1.0], [-1.0, 0.0, 0.0]])
"""A level camera: the second axis to the right, the third up."""


def turns(camera: Array, count: int) -> Array:
    """camera · Rz(θ)ᵀ for θ = 2πk / count: (count, 3, 3)."""
    angles = 2 * np.pi * np.arange(count) / count
    c, s = np.cos(angles), np.sin(angles)
    about = np.zeros((count, 3, 3))
    about[:, 0, 0], about[:, 0, 1], about[:, 1, 0], about[:, 1, 1], about[:, 2, 2] = c, s, -s, c, 1.0
    return camera @ about


def tilted(degrees: float) -> Array:
    """The level camera looking down by some degrees."""
    angle = np.radians(degrees)
    c, s = np.cos(angle), np.sin(angle)
    return np.asarray([[1.0, 0.0, 0.0], [0.0, c, -s], [0.0, s, c]]) @ LEVEL
