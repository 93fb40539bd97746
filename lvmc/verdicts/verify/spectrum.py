"""The largest eigenvalue of a symmetric operator: a Lanczos run from a fresh random start, with a chance of error."""

from __future__ import annotations

from collections.abc import Callable
from math import exp, inf, log, log1p, pi, sqrt
from typing import NamedTuple

import numpy as np

from lvmc.verdicts.records import Array

Product = Callable[[Array], Array]

KEPT = 2**28
"""Numbers of earlier vectors that are kept to be orthogonal to."""
LARGE = 10**6
"""Beyond this many units vectors are made orthogonal once a step, not twice: nothing but rounding is left to remove."""
EXHAUSTED = 1e-10
"""A coefficient below this part of the operator's size ends the space."""


class Extreme(NamedTuple):
    """Largest Ritz value, what the largest eigenvalue exceeds only with the chance allowed, and the steps taken.

    `orthogonal`: how many of the vectors all later ones were made orthogonal to.
    """

    ritz: float
    bound: float
    steps: int
    orthogonal: int


def largest_eigenvalue(product: Product, size: int, chance: float, enough: float, most: int) -> Extreme:
    """Lanczos steps until the bound is at most `enough`, or the Ritz value is above it.

    A unit eigenvector u of λ and the basis v_{j+1} = p_j(H) v_1 give (uᵀv_1)² Σ p_j(λ)² ≤ 1, and for v_1 uniform on the
    sphere P[|uᵀv_1| ≤ t] ≤ t √(2n/π): but for `chance`, Σ p_j(λ)² ≤ 2n/(π chance²), whose left side grows beyond the
    Ritz values (van Dorsselaer, Hochstenbach and van der Vorst, SIAM J. Matrix Anal. Appl. 22, 2000). That is of exact
    arithmetic: float64 stays close to it while vectors are kept orthogonal, which they are as far as memory allows.
    """
    vector = np.random.default_rng().standard_normal(size)
    vector /= np.linalg.norm(vector)
    kept, before = np.empty((min(most, size, max(1, KEPT // size)), size)), np.zeros(size)
    held, turns = 0, 1 if size > LARGE else 2
    diagonal, beside = list[float](), list[float]()
    while True:
        if held < len(kept):
            kept[held] = vector
            held += 1
        image = product(vector)
        diagonal.append(float(vector @ image))
        image -= diagonal[-1] * vector
        if beside:
            image -= beside[-1] * before
        for _ in range(turns):
            image -= (kept[:held] @ image) @ kept[:held]
        beside.append(float(np.linalg.norm(image)))
        scale, steps = max(*map(abs, diagonal), *beside), len(diagonal)
        rounding = 1e-13 * scale * sqrt(size * steps) + 1e-300
        ritz = _ritz(diagonal, beside)
        if beside[-1] <= EXHAUSTED * scale or steps == size:
            return Extreme(ritz, ritz + rounding + beside[-1], steps, held)
        within = _grown(diagonal, beside, enough - rounding) >= log(2 * size / (pi * chance**2))
        if (ritz < enough - rounding and within) or ritz > enough or steps >= most:
            bound = _bound(diagonal, beside, ritz, log(2 * size / (pi * chance**2)))
            return Extreme(ritz, bound + rounding, steps, held)
        before, vector = vector, image / beside[-1]


def _ritz(diagonal: list[float], beside: list[float]) -> float:
    off = beside[: len(diagonal) - 1]
    return float(np.linalg.eigvalsh(np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1))[-1])


def _bound(diagonal: list[float], beside: list[float], ritz: float, enough: float) -> float:
    """The x beyond the Ritz values at which log Σ p_j(x)² is `enough`, from above."""
    width = max(*map(abs, diagonal), *beside)
    while _grown(diagonal, beside, ritz + width) < enough:
        width *= 2
    low, high = 0.0, width
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if _grown(diagonal, beside, ritz + middle) >= enough else (middle, high)
    return ritz + high


def _grown(diagonal: list[float], beside: list[float], x: float) -> float:
    """log Σ p_j(x)² for x beyond the Ritz values, by the ratios r_j = p_{j+1}/p_j; −∞ where one is not above 0."""
    before, here, total, ratio = 0.0, 0.0, 0.0, inf
    for alpha, beta in zip(diagonal, beside, strict=True):
        ratio = (x - alpha - before / ratio) / beta
        if not ratio > 0:
            return -inf
        before, here = beta, here + 2 * log(ratio)
        high, low = max(total, here), min(total, here)
        total = high + log1p(exp(low - high))
    return total
