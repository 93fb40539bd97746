"""When S = bᵀz − ½zᵀAz is bounded (diagnostics.md, boundary, b, boxes), in rationals, on tiny random matrices."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import permutations

import numpy as np
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from .corpus_named import HORN
from .rationals import Exact, dot, exact, inverse
from .reference import Answers, Array, Groups, by_determinants, minimal_zeros, supports
from .tiny import Case, cases, vectors

tried = settings(max_examples=120, deadline=None)


def largest_score(matrix: Array, b: Array, groups: Groups) -> Fraction:
    """S at its stationary points: the largest ½bᵀz over supports where A_II z = b_I has one solution z > 0, and 0."""
    best, rows, drive = Fraction(0), exact(matrix), [Fraction(x) for x in b]
    for support in supports(len(rows), groups):
        solved = inverse([[rows[i][j] for j in support] for i in support])
        if solved is not None:
            z = [dot(row, [drive[j] for j in support]) for row in solved]
            if all(x > 0 for x in z):
                best = max(best, dot([drive[i] for i in support], z) / 2)
    return best


def bordered(matrix: Array, b: Array, bound: Fraction) -> Exact:
    """[[2·bound, −bᵀ], [−b, A]], the form 2t²(bound − S(z/t))."""
    rows = [[2 * bound, *(Fraction(-x) for x in b)]]
    return rows + [[Fraction(-x), *row] for x, row in zip(b, exact(matrix), strict=True)]


def stays_below(matrix: Array, b: Array, bound: Fraction, groups: Groups) -> bool:
    """Whether S(z) = bᵀz − ½zᵀAz ≤ bound on the whole cone: the bordered matrix is copositive with one more unit."""
    moved = tuple(tuple(i + 1 for i in group) for group in groups or ())
    return by_determinants(bordered(matrix, b, bound), moved).copositive


def stays_below_in_box(matrix: Array, b: Array, bound: Fraction, boxed: Sequence[int]) -> bool:
    """The same where z_i ≤ 1 in `boxed`: the box, and the cone over it, cut into simplices 1 ≥ z_i ≥ z_j ≥ … ≥ 0."""
    n, rows = len(matrix), bordered(matrix, b, bound)
    free = [[int(k == i + 1) for k in range(n + 1)] for i in range(n) if i not in boxed]
    for order in permutations(boxed):
        corners = [[int(k == 0 or k - 1 in order[:at]) for k in range(n + 1)] for at in range(len(boxed) + 1)]
        rays = corners + free
        cut = [[dot([dot(row, left) for row in rows], right) for right in rays] for left in rays]
        if not by_determinants(cut).copositive:
            return False
    return True


@tried
@given(cases(4), st.data())
def test_scores_are_bounded_as_the_verdict_says(case: Case, data: st.DataObject) -> None:
    """Strict iff bounded for every b; copositive: iff bᵀz ≤ 0 at every zero, and then attained (Eaves 1971)."""
    b = data.draw(vectors(len(case.matrix), -3, 3))
    answers = by_determinants(case.matrix, case.groups)
    bounded = stays_below(case.matrix, b, Fraction(10**12), case.groups)
    event(f"{answers}, bounded {bounded}")
    if not answers.copositive:
        assert not bounded
        return
    zeros = minimal_zeros(case.matrix, case.groups)
    assert bounded == all(sum(x * y for x, y in zip(b, z, strict=True)) <= 0 for z in zeros)
    for z in zeros:
        assert not stays_below(case.matrix, np.array(z, dtype=float), Fraction(10**12), case.groups)
    assert not bounded or stays_below(case.matrix, b, largest_score(case.matrix, b, case.groups), case.groups)


@tried
@given(cases(5, grouped=False))
def test_the_gradient_at_a_zero_is_not_negative(case: Case) -> None:
    """A copositive, z ≥ 0, zᵀAz = 0: Az ≥ 0. On orthants only: a group forbids the step that would gain."""
    assume(by_determinants(case.matrix).copositive)
    for z in minimal_zeros(case.matrix):
        assert all(sum(Fraction(x) * y for x, y in zip(row, z, strict=True)) >= 0 for row in case.matrix)


@tried
@given(cases(4, grouped=False), st.data())
def test_a_box_leaves_the_unboxed_block(case: Case, data: st.DataObject) -> None:
    """With z_i ≤ 1 for some units, S is bounded for every b iff the block of the others is strictly copositive."""
    n = len(case.matrix)
    boxed = sorted(data.draw(st.sets(st.integers(0, n - 1), max_size=2)))
    free = [i for i in range(n) if i not in boxed]
    block = case.matrix[np.ix_(free, free)]
    answers = by_determinants(block) if free else Answers(True, True)
    b = data.draw(vectors(n, -3, 3))
    event(f"{answers}, {len(boxed)} boxed")
    if answers.strict:
        assert stays_below_in_box(case.matrix, b, Fraction(10**12), boxed)
    elif not answers.copositive:
        assert not stays_below_in_box(case.matrix, b, Fraction(10**12), boxed)
    for zero in minimal_zeros(block) if free and answers.copositive else []:
        along = np.zeros(n)
        along[free] = zero
        assert not stays_below_in_box(case.matrix, along, Fraction(10**12), boxed)


def test_horns_score_is_bounded_where_no_zero_gains() -> None:
    """Its zeros are e_i + e_{i+1}, mod 5: (1, −1, 0, 0, 0) gains along e5 + e1, (1, −1, 1, −1, −1) along none."""
    b = np.array([1.0, -1, 0, 0, 0])
    assert not stays_below(HORN, b, Fraction(10**9), None)
    assert stays_below(HORN, np.array([1.0, -1, 1, -1, -1]), Fraction(10**9), None)
