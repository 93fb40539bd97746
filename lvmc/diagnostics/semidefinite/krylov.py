"""The Lanczos recurrence with full reorthogonalisation, and what it says of the largest eigenvalue with what chance."""

from __future__ import annotations

from collections.abc import Callable
from math import hypot, inf, pi, sqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh_tridiagonal

from lvmc.diagnostics.semidefinite.flat import dot
from lvmc.graph.form import Array

if TYPE_CHECKING:
    from torch import Tensor

FLOOR = 1e-12
"""A β below this part of ‖T‖ is rounding: the Krylov space is all that the start can reach."""


class Krylov:
    """H V_k = V_k T_k + β_k v_{k+1} e_kᵀ for a symmetric H, one product with H a step.

    V is held in the precision of `start` (n numbers a step); α, β and norms are summed in float64.
    """

    def __init__(self, product: Callable[[Tensor], Tensor], start: Tensor, most: int) -> None:
        import torch

        self._product = product
        self._basis = torch.empty(min(most, len(start)) + 1, len(start), dtype=start.dtype)
        self._basis[0] = start / _norm(start)
        self.alpha: list[float] = []
        self.beta: list[float] = []

    @property
    def steps(self) -> int:
        """k."""
        return len(self.alpha)

    @property
    def done(self) -> bool:
        """Whether the space is exhausted, or as large as it may become."""
        return self.steps == len(self._basis) - 1 or (self.steps > 0 and self.beta[-1] <= FLOOR * self._scale)

    @property
    def _scale(self) -> float:
        return max(*map(abs, self.alpha), *self.beta)

    def step(self) -> None:
        """One vector more."""
        import torch

        k = self.steps
        v = self._basis[k]
        w = self._product(v)
        self.alpha.append(dot(w, v))
        w = w.sub(v, alpha=self.alpha[-1])
        if k:
            w.sub_(self._basis[k - 1], alpha=self.beta[-1])
        before = self._basis[: k + 1]
        for _ in range(2 if w.dtype == torch.float64 else 1):
            w.addmv_(before.T, before @ w, alpha=-1)
        self.beta.append(_norm(w))
        self._basis[k + 1] = w / self.beta[-1] if self.beta[-1] > 0 else w

    def largest(self) -> float:
        """ξ: the largest Ritz value, at most the largest eigenvalue."""
        return float(self._top(1)[0][-1])

    def top(self, count: int) -> Tensor:
        """The Ritz vectors of the `count` largest Ritz values as rows, the largest first."""
        import torch

        weights = self._top(count)[1][:, ::-1].T.copy()
        return torch.as_tensor(weights, dtype=self._basis.dtype) @ self._basis[: self.steps]

    def bound(self, chance: float) -> float:
        """What the largest eigenvalue exceeds with a chance of at most `chance`, over the choice of the start.

        For a unit eigenvector u of λ and v_{j+1} = p_j(H) v_1: uᵀv_{j+1} = p_j(λ) uᵀv_1, so that
        (uᵀv_1)² Σ_{j ≤ k} p_j(λ)² ≤ ‖u‖² = 1 (Bessel). For v_1 uniform on the sphere P[|uᵀv_1| ≤ t] ≤ t √(2n/π).
        Hence λ is at most the x > ξ at which Σ p_j(x)² = 2n/(π chance²), which grows with x beyond ξ. The polynomials
        are those of van Dorsselaer, Hochstenbach and van der Vorst (2000); with Chebyshev polynomials in their place it
        is the bound of Kuczyński and Woźniakowski (1992).
        """
        least = 2 * len(self._basis[0]) / (pi * chance**2)
        low = self.largest()
        width = max(self._scale, 1e-300)
        while self._christoffel(low + width, least) < least:
            width *= 2
        high = low + width
        for _ in range(60):
            middle = 0.5 * (low + high)
            low, high = (low, middle) if self._christoffel(middle, least) >= least else (middle, high)
        return high

    def rounding(self, exact: Callable[[Tensor], Tensor]) -> float:
        """2 (√k ‖f‖ + η ‖T‖): how far from H the matrix is of which T, exactly, is the Lanczos matrix, to first order.

        f is what the last step leaves of its own equation under `exact`, η what the last vector has of the others.
        """
        import torch

        k = self.steps - 1
        rows = self._basis[max(0, k - 1) : k + 2].double()
        weights = [self.alpha[k], self.beta[k]] if k == 0 else [self.beta[k - 1], self.alpha[k], self.beta[k]]
        left = exact(rows[-2]) - torch.tensor(weights, dtype=torch.float64) @ rows
        overlap = 0.0 if self.done else _norm(self._basis[: k + 1] @ self._basis[k + 1])
        return 2 * (sqrt(self.steps) * _norm(left) + overlap * self._scale)

    def _top(self, count: int) -> tuple[Array, Array]:
        k, most = self.steps, min(count, self.steps)
        chosen = (k - most, k - 1)
        values, vectors = eigh_tridiagonal(self.alpha, self.beta[:-1], select="i", select_range=chosen)
        return np.asarray(values, np.float64), np.asarray(vectors, np.float64)

    def _christoffel(self, x: float, enough: float) -> float:
        """Σ_{j ≤ k} p_j(x)², or anything from `enough` on."""
        last, here, total = 0.0, 1.0, 1.0
        floor = max(FLOOR * self._scale, 1e-300)
        for index, (alpha, beta) in enumerate(zip(self.alpha, self.beta, strict=True)):
            back = self.beta[index - 1] * last if index else 0.0
            last, here = here, ((x - alpha) * here - back) / max(beta, floor)
            total = hypot(sqrt(total), here) ** 2 if abs(here) < 1e150 else inf
            if total >= enough:
                return inf
        return total


def _norm(v: Tensor) -> float:
    return sqrt(dot(v, v))


def sphere(size: int, seed: int) -> Array:
    """A normal vector (n,): uniform on the sphere once it is divided by its norm."""
    return np.random.default_rng(seed).standard_normal(size)
