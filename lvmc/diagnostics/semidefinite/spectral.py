"""Minimises the largest eigenvalue of H(x) = H₀ − Σ x_i H_i over a box, restricted to a subspace."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, minimize

Array = NDArray[np.float64]
Single = NDArray[np.float32]

SMOOTHINGS = (0.03, 0.006, 0.0015)
"""μ of μ log Σ exp(λ_i/μ), relative to the largest eigenvalue, one after the other."""


@dataclass(frozen=True)
class Restricted:
    """YᵀH(x)Y for orthonormal Y (r vectors): its λ_max is at most that of H(x), for every x.

    Attributes:
        base: YᵀH₀Y (r, r).
        parts: YᵀH_iY (p, r, r), symmetric.
    """

    base: Array
    parts: Single

    def at(self, x: Array) -> Array:
        """YᵀH(x)Y."""
        count, rank, _ = self.parts.shape
        return self.base - (x.astype(np.float32) @ self.parts.reshape(count, -1)).reshape(rank, rank)


def least_largest(
    model: Restricted, start: Array, low: Array, high: Array, pull: float = 0.0, steps: int = 60
) -> tuple[Array, float]:
    """The x of the least λ_max(YᵀH(x)Y) + ½ pull ‖x − start‖² with low ≤ x ≤ high, and the model's λ_max there.

    λ_max is smoothed (Nesterov 2007) and minimised by quasi-Newton steps with bounds; `steps` of them a smoothing.
    """
    rank = len(model.base)
    rows, columns = np.triu_indices(rank)
    packed = model.parts[:, rows, columns]
    twice = np.where(rows == columns, 1.0, 2.0)
    x: Array = start

    def at(point: Array) -> Array:
        matrix = np.zeros((rank, rank))
        matrix[columns, rows] = point.astype(np.float32) @ packed
        return model.base - matrix

    for relative in SMOOTHINGS:
        mu = relative * max(abs(_largest(at(x))), 1e-12)

        def smooth(point: Array, mu: float = mu) -> tuple[float, Array]:
            values, vectors = np.linalg.eigh(at(point))
            weights = np.exp((values - values[-1]) / mu)
            density = (vectors * (weights / weights.sum())) @ vectors.T
            slope = packed @ (twice * density[rows, columns]).astype(np.float32)
            away = point - start
            value = float(values[-1] + mu * np.log(weights.sum()) + 0.5 * pull * away @ away)
            return value, pull * away - slope.astype(np.float64)

        found = minimize(smooth, x, jac=True, method="L-BFGS-B", bounds=Bounds(low, high), options={"maxiter": steps})
        x = np.clip(np.asarray(found.x, np.float64), low, high)
    return x, _largest(at(x))


def _largest(lower: Array) -> float:
    return float(np.linalg.eigvalsh(lower)[-1])
