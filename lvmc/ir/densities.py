"""Densities over targets y, in numpy: the arithmetic behind the ops of density heads.

Targets are (…, batch, candidates, dims), what belongs to an image (…, batch, n).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import log, pi
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def log_proposal(y: Array, centre: Array, sigmas: Sequence[Sequence[float]]) -> Array:
    """log q(y) for q = (1/L) Σ_l N(centre, diag σ_l²): equation (5). y (B, M, dims), centre (B, 1, dims) → (B, M)."""
    parts = [gaussian(y - centre, np.log(np.asarray(sigma))) for sigma in sigmas]
    return log_sum(np.stack(parts, -1)) - log(len(parts))


def gaussian(offset: Array, log_sigma: Array) -> Array:
    """Σ over coordinates of log N(offset; 0, σ²)."""
    return (-0.5 * (offset * np.exp(-log_sigma)) ** 2 - log_sigma - 0.5 * log(2 * pi)).sum(-1)


def laplace(offset: Array, log_scale: Array) -> Array:
    """Σ over coordinates of log of the Laplace density with scale β: −|offset|/β − log 2β."""
    return (-np.abs(offset) * np.exp(-log_scale) - log_scale - log(2)).sum(-1)


def log_sum(values: Array) -> Array:
    """log Σ exp over the last axis."""
    from scipy.special import logsumexp  # slow to import, and only meanings need it

    return logsumexp(values, axis=-1)


def by_coordinate(logits: Array, bins: int) -> Array:
    """log of the probabilities of bins: (…, dims · bins) → (…, dims, bins)."""
    split = logits.reshape(*logits.shape[:-1], -1, bins)
    return split - log_sum(split)[..., None]


def bin_of(y: Array, bins: int, low: float, high: float) -> Array:
    """The bin that each number falls in, those beyond the range in the outermost."""
    return np.clip(np.floor((y - low) / (high - low) * bins), 0, bins - 1).astype(int)


def centres(bins: int, low: float, high: float) -> Array:
    """The middle of every bin."""
    return low + (high - low) / bins * (np.arange(bins) + 0.5)
