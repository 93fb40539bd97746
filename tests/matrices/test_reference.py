"""The two exact deciders agree, and with what elimination and eigenvectors say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings

from .corpus_named import HORN, hildebrand_matrix
from .reference import Answers, by_determinants, by_projection, form, in_cone, is_psd, least_ratio, minimal_zeros
from .tiny import Case, cases

Decider = Callable[[Sequence[Sequence[Fraction]]], Answers]
BOTH = pytest.mark.parametrize("decide", [by_determinants, by_projection])


@settings(max_examples=300, deadline=None)
@given(cases(largest=6))
def test_the_two_deciders_agree(case: Case) -> None:
    """Determinants of every support (Hadeler) and elimination of variables (Andersson, Chang, Elfving)."""
    assert by_determinants(case.matrix, case.groups) == by_projection(case.matrix, case.groups)


@settings(max_examples=200, deadline=None)
@given(cases(largest=6))
def test_the_least_ratio_has_the_sign_of_the_answer(case: Case) -> None:
    """In floats, with 1e-7 for what lies on the boundary: its double eigenvalues lose half of the digits."""
    answers, least = by_determinants(case.matrix, case.groups), least_ratio(case.matrix, case.groups)
    assert answers.copositive or least < 0
    assert not answers.strict or least > 0
    assert answers.strict or not answers.copositive or abs(least) < 1e-7


@settings(max_examples=200, deadline=None)
@given(cases(largest=6))
def test_a_copositive_form_is_strict_iff_it_has_no_zero(case: Case) -> None:
    answers = by_determinants(case.matrix, case.groups)
    if answers.copositive:
        zeros = minimal_zeros(case.matrix, case.groups)
        assert answers.strict == (not zeros)
        assert all(form(case.matrix, z) == 0 and in_cone(z, case.groups) for z in zeros)


@settings(max_examples=200, deadline=None)
@given(cases(largest=7, grouped=False))
def test_psd_is_what_the_eigenvalues_say(case: Case) -> None:
    least = np.linalg.eigvalsh(case.matrix)[0]
    assert is_psd(case.matrix) == bool(least > -1e-9)


@BOTH
def test_horn_is_on_the_boundary_to_the_last_digit(decide: Decider) -> None:
    """A relative change of 2^-50 decides."""
    step = Fraction(1, 2**50)
    exact = [[Fraction(x) for x in row] for row in HORN]
    above = [[x + (step if i == j else 0) for j, x in enumerate(row)] for i, row in enumerate(exact)]
    below = [[x - (step if i == j else 0) for j, x in enumerate(row)] for i, row in enumerate(exact)]
    assert [decide(m) for m in (above, exact, below)] == [
        Answers(True, True),
        Answers(True, False),
        Answers(False, False),
    ]


@BOTH
def test_hildebrand_is_on_the_boundary_in_rationals(decide: Decider) -> None:
    exact, zero = hildebrand_matrix([Fraction(1, k) for k in (3, 4, 5, 7, 11)])
    assert form(exact, zero) == 0
    assert decide(exact) == Answers(True, False)
    assert not is_psd(exact)
