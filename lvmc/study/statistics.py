"""Means over seeds, and differences of two variants paired by seed, with intervals and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, nan, sqrt

import numpy as np
from scipy.stats import binomtest, t


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and s.d. (n − 1 in the denominator; nan for one value) of n values."""

    n: int
    mean: float
    deviation: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Differences of n pairs: their mean, its interval, and p of "there is no difference" by two tests.

    `low` to `high` is the t interval (nan for one pair). `p_t` is from the t test, `p_sign` from the exact sign test:
    with n pairs it cannot fall below 2^(1−n).
    """

    n: int
    mean: float
    low: float
    high: float
    p_t: float
    p_sign: float


def moments(values: Sequence[float]) -> Moments:
    """Mean and s.d. of the values that are finite."""
    finite = np.array([each for each in values if isfinite(each)])
    if not finite.size:
        return Moments(0, nan, nan)
    return Moments(finite.size, float(finite.mean()), float(finite.std(ddof=1)) if finite.size > 1 else nan)


def paired(differences: Sequence[float], level: float = 0.95) -> Paired:
    """What the differences of pairs say of the difference behind them.

    The interval is d̄ ± t_{n−1} s/√n: it covers the true difference with probability `level` where differences are
    normal. Differences that are not finite are left out; all alike, they have an interval of no length.
    """
    finite = [each for each in differences if isfinite(each)]
    known = moments(finite)
    n, mean, error = known.n, known.mean, known.deviation / sqrt(max(known.n, 1))
    if n < 2:
        return Paired(n, mean, nan, nan, nan, sign_test(finite))
    reach = float(t.ppf((1 + level) / 2, n - 1)) * error
    p = float(2 * t.sf(abs(mean) / error, n - 1)) if error > 0 else float(mean == 0)
    return Paired(n, mean, mean - reach, mean + reach, p, sign_test(finite))


def sign_test(differences: Sequence[float]) -> float:
    """Two-sided exact p of as many differences of one sign if both were as likely; zeros do not count."""
    above, below = sum(each > 0 for each in differences), sum(each < 0 for each in differences)
    return float(binomtest(above, above + below).pvalue) if above + below else nan
