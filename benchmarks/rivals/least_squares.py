"""Non-negative least squares, min ½‖y − A x‖² over x ≥ 0, by installed solvers."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def scipy_nnls(a: Array, y: Array) -> Array:
    """Lawson and Hanson's active sets."""
    from scipy.optimize import nnls

    return nnls(a, y)[0]


def sklearn_lasso(a: Array, y: Array, tolerance: float = 1e-4) -> Array:
    """Cyclic coordinate descent, with a weight of the 1-norm too small to matter."""
    from sklearn.linear_model import Lasso

    lasso = Lasso(alpha=1e-12, positive=True, fit_intercept=False, tol=tolerance, max_iter=10_000)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it would rather have a larger alpha
        return lasso.fit(a, y).coef_
