"""Proves a symmetric matrix positive semidefinite: by a Cholesky factor with a shift, or in exact arithmetic."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lvmc.verdicts.records import Array
from lvmc.verdicts.verify.exact import Exact, psd
from lvmc.verdicts.verify.rounding import TINY, gamma

MOST_EXACT = 100
"""Rows of a matrix that is still eliminated exactly."""


def proved_psd(approximate: Array, error: Array, exactly: Callable[[], Exact]) -> bool:
    """Whether a matrix is shown to be positive semidefinite; False also where that is beyond both methods.

    Args:
        approximate: The matrix in float64, (n, n), symmetric.
        error: Bound on |entry − approximate entry|, (n, n).
        exactly: The matrix itself, asked for where floats do not settle it.
    """
    if not len(approximate) or factored(approximate, error):
        return True
    return len(approximate) <= MOST_EXACT and psd(exactly().whole)


def factored(approximate: Array, error: Array) -> bool:
    """Whether the Cholesky factorisation of M − cI runs to its end, with c beyond all rounding.

    Where it ends, RᵀR = M − cI + Δ with |Δ_ij| ≤ γ_{n+1}/(1 − γ_{n+1}) √(m_ii m_jj), so ‖Δ‖ ≤ 2γ tr M
    (S. M. Rump, Verification of positive definiteness, BIT 46, 2006). M is scaled by powers of two first, exactly.
    """
    diagonal = np.diag(approximate)
    if not np.isfinite(approximate).all() or (diagonal <= 0).any():
        return False
    half = -np.round(0.5 * np.log2(diagonal)).astype(int)
    powers = half[:, None] + half[None, :]
    matrix, spread = np.ldexp(approximate, powers), np.ldexp(error, powers)
    size, trace = len(matrix), float(np.trace(matrix))
    lost = 2.0 * gamma(size + 16) * trace + float(spread.sum(1).max()) * (1.0 + gamma(size))
    shift = 1.01 * lost + size * size * TINY
    if not np.isfinite(matrix).all():
        return False
    try:
        return bool(np.isfinite(np.linalg.cholesky(matrix - shift * np.eye(size))).all())
    except np.linalg.LinAlgError:
        return False
