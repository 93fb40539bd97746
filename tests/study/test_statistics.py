"""Means, intervals and tests, against scipy, brute force, and what an interval promises."""

from __future__ import annotations

from itertools import product
from math import isnan, nan

import numpy as np
import pytest
from scipy import stats

from lvmc.study.statistics import moments, paired, sign_test


def test_moments_are_numpys() -> None:
    values = [0.3, -1.0, 2.5, 0.25]
    known = moments(values)
    assert (known.n, known.mean) == (4, np.mean(values))
    assert known.deviation == pytest.approx(np.std(values, ddof=1), rel=1e-12)


def test_moments_of_one_or_none() -> None:
    assert moments([2.0]).mean == 2
    assert isnan(moments([2.0]).deviation)
    assert moments([]).n == 0
    assert isnan(moments([nan]).mean)
    assert moments([nan, 3.0, float("inf"), 5.0]).mean == 4


@pytest.mark.parametrize(("n", "level"), [(2, 0.95), (5, 0.95), (9, 0.8)])
def test_interval_and_p_are_those_of_the_paired_t_test(n: int, level: float) -> None:
    first, second = np.random.default_rng(n).normal(size=(2, n))
    found = paired((first - second).tolist(), level)
    test = stats.ttest_rel(first, second)
    interval = test.confidence_interval(level)
    assert found.p_t == pytest.approx(test.pvalue, rel=1e-9)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert found.mean == pytest.approx(float((first - second).mean()), rel=1e-12)


def test_intervals_cover_the_truth_as_often_as_they_promise() -> None:
    """Of 3000 samples of 5 with a shared luck that pairing takes out, 95 % ± 3 standard errors."""
    random = np.random.default_rng(0)
    luck, own = random.normal(scale=5, size=(3000, 5)), random.normal(size=(3000, 2, 5))
    differences = (luck + own[:, 0] + 0.7) - (luck + own[:, 1])
    found = [paired(row.tolist()) for row in differences]
    covered = np.mean([each.low <= 0.7 <= each.high for each in found])
    assert abs(covered - 0.95) < 3 * np.sqrt(0.95 * 0.05 / 3000)


@pytest.mark.parametrize("n", range(1, 8))
def test_sign_test_counts_patterns_of_signs(n: int) -> None:
    """p is the share of the 2^n patterns of signs at least as one-sided as the one found."""
    for above in range(n + 1):
        found = [1.0] * above + [-2.0] * (n - above)
        uneven = [abs(2 * sum(pattern) - n) for pattern in product((0, 1), repeat=n)]
        expected = np.mean([each >= abs(2 * above - n) for each in uneven])
        assert sign_test([*found, 0.0]) == pytest.approx(expected, rel=1e-12)


def test_differences_all_alike() -> None:
    same = paired([0.5, 0.5, 0.5])
    assert (same.low, same.high, same.p_t, same.p_sign) == (0.5, 0.5, 0.0, 0.25)
    none = paired([0.0, 0.0])
    assert (none.low, none.high, none.p_t) == (0, 0, 1)
    assert isnan(none.p_sign)


def test_too_few_differences() -> None:
    one = paired([0.5])
    assert (one.n, one.mean, one.p_sign) == (1, 0.5, 1.0)
    assert all(map(isnan, (one.low, one.high, one.p_t)))
    assert paired([nan]).n == 0
