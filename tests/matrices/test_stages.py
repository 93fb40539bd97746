"""Each stage of the dense engine on small random matrices: never wrong against enumeration of supports in rationals."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvmc.matrices import copositivity
from lvmc.matrices.ascent import candidates, unit_scaled
from lvmc.matrices.dominance import dominance, group_dominance
from lvmc.matrices.evidence import evidence, zero_vector
from lvmc.matrices.milp import by_milp
from lvmc.matrices.problem import Problem, powers_of_two, problem
from lvmc.matrices.rational import kernel, limbs, negative_vector, semidefinite, solution, together, whole
from lvmc.matrices.semidefinite import margin, proved
from lvmc.matrices.shifted import shifted
from lvmc.matrices.splitting import splitting
from lvmc.matrices.tree import branched
from lvmc.verdicts import Array

HORN = np.array([[1, -1, 1, 1, -1], [-1, 1, -1, 1, 1], [1, -1, 1, -1, 1], [1, 1, -1, 1, -1], [-1, 1, 1, -1, 1.0]])
EIGHTHS = st.integers(-12, 12)


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Unit diagonal, up to five rows, couplings in eighths, perhaps one group."""
    n = draw(st.integers(1, 5))
    matrix = np.eye(n)
    for i, j in combinations(range(n), 2):
        matrix[i, j] = matrix[j, i] = draw(EIGHTHS) / 8
    size = draw(st.integers(0, n))
    return problem(matrix, [draw(st.permutations(range(n)))[:size]])


def minimal(asked: Problem) -> bool:
    """Whether A is copositive on the cone: no A_II y = −e with y > 0 by Cramer's rule.

    A violator of smallest support I, has A_II positive definite on {Σu = 0}, so A_II is nonsingular.
    """
    rivals = asked.rivals()
    for count in range(1, asked.size + 1):
        for support in combinations(range(asked.size), count):
            if rivals[np.ix_(support, support)].any():
                continue
            part = [[Fraction(float(asked.matrix[i, j])) for j in support] for i in support]
            whole_det = determinant(part)
            if whole_det and all(determinant(replaced(part, k)) / whole_det < 0 for k in range(count)):
                return False
    return True


def determinant(rows: list[list[Fraction]]) -> Fraction:
    """Laplace's expansion: nothing shared with the engine."""
    if not rows:
        return Fraction(1)
    minors = (determinant([row[:k] + row[k + 1 :] for row in rows[1:]]) for k in range(len(rows)))
    return sum(((-1) ** k * rows[0][k] * minor for k, minor in enumerate(minors)), start=Fraction(0))


def replaced(rows: list[list[Fraction]], column: int) -> list[list[Fraction]]:
    return [[Fraction(1) if k == column else value for k, value in enumerate(row)] for row in rows]


def less(asked: Problem, share: float) -> Problem:
    """A − μD."""
    return Problem(asked.matrix - np.diag(share * asked.weights), asked.groups)


@given(problems())
@settings(max_examples=60, deadline=None)
def test_dominance_and_group_dominance_prove_their_margins(asked: Problem) -> None:
    """T1 and T5 against enumeration, a little below the margin that they claim, on a matrix that is exact."""
    for found in (dominance(asked), group_dominance(asked)):
        assert found.margin <= 1
        share = np.floor(found.margin * 2**20 - 1) / 2**20
        assert minimal(less(asked, float(share)))
    assert group_dominance(asked).margin >= dominance(asked).margin - 1e-6


@given(problems())
@settings(max_examples=60, deadline=None)
def test_a_split_proves_its_margin(asked: Problem) -> None:
    found, nonnegative = splitting(asked, 0.0, np.inf, most=60)
    assert nonnegative[~asked.rivals()].min() >= 0
    if found is not None:
        assert minimal(less(asked, float(np.floor(found.margin * 2**20 - 1) / 2**20)))


@given(problems(), st.sampled_from([0.0, 2.0**-8, 0.25]))
@settings(max_examples=100, deadline=None)
def test_the_branching_is_exact(asked: Problem, share: float) -> None:
    """It always ends, with a certificate just where A − μD is copositive (theorem T4 included: there are groups)."""
    found = branched(asked, share * asked.diagonal)
    assert (found.certificate is not None) == minimal(less(asked, share))
    if found.certificate is None:
        assert evidence(asked, found.below).high < Fraction(share)


@given(problems())
@settings(max_examples=60, deadline=None)
def test_local_minima_are_of_the_cone_and_what_they_say(asked: Problem) -> None:
    for value, z in candidates(asked):
        assert z.min() >= 0
        assert all(np.count_nonzero(z[list(group)]) <= 1 for group in asked.groups)
        assert float(evidence(asked, [z]).high) == pytest.approx(value, abs=1e-9)


@given(problems())
@settings(max_examples=15, deadline=None)
def test_the_integer_program_returns_vectors_of_the_cone(asked: Problem) -> None:
    found = by_milp(asked, 5.0)
    assert found is not None
    assert found[1].min() >= 0
    assert all(np.count_nonzero(found[1][list(group)]) <= 1 for group in asked.groups)
    if not minimal(less(asked, -1e-3)):
        assert evidence(asked, [found[1]]).high < 0


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False, width=32), min_size=1, max_size=6))
def test_whole_numbers_are_the_floats(values: list[float]) -> None:
    numbers, power = whole(np.array(values))
    assert [Fraction(int(k)) * Fraction(2) ** power for k in numbers] == [Fraction(value) for value in values]


@given(st.integers(1, 5), st.integers(0, 10**6))
def test_exact_elimination(n: int, seed: int) -> None:
    """Semidefiniteness, solutions and kernels of Gram matrices less a little, in whole numbers."""
    random = np.random.default_rng(seed)
    rows = random.integers(-3, 4, (max(1, n - 1), n))
    matrix = (rows.T @ rows - random.integers(0, 2) * np.eye(n, dtype=int)).astype(object)
    lowest = np.linalg.eigvalsh(matrix.astype(float))[0]
    assert semidefinite(matrix) == (lowest > -1e-9)
    below = negative_vector(matrix)
    assert (below is None) == (lowest > -1e-9)
    assert below is None or sum(below[i] * matrix[i, j] * below[j] for i in range(n) for j in range(n)) < 0
    for vector in kernel(matrix):
        assert not any(sum(matrix[i, j] * vector[j] for j in range(n)) for i in range(n))
    solved = solution(matrix, np.ones(n, dtype=object))
    assert solved is None or all(sum(matrix[i, j] * solved[j] for j in range(n)) == 1 for i in range(n))


def test_limbs_sum_to_a_multiple() -> None:
    vector = [Fraction(1, 3), Fraction(10**40, 7), Fraction(0)]
    numbers, power = together(limbs(vector))
    assert Fraction(int(numbers[0])) / int(numbers[1]) == vector[0] / vector[1]
    assert power >= 0 or numbers[2] == 0


@pytest.mark.parametrize("shift", [1e-16, 1e-15, 1e-9])
def test_cholesky_proves_no_more_than_is_so(shift: float) -> None:
    """A singular Gram matrix less a little is never proved definite; its margin is at most −shift."""
    rows = np.random.default_rng(3).integers(-9, 10, (11, 12)).astype(float)
    gram = rows.T @ rows
    assert not proved(gram - shift * np.diag(np.diag(gram)))
    assert margin(gram, np.diag(gram).copy()) <= 0


def test_big_whole_numbers_do_not_wrap() -> None:
    """w_0² of irrational weights passes 64 bits: curvature must be taken in Python's ints."""
    matrix = np.array([[5.0, -4, -6, 1], [-4, 4, 4, 0], [-6, 4, 8, -2], [1, 0, -2, 1]])
    matrix[0, 0] = np.nextafter(5, 6)
    form = shifted(problem(matrix), np.zeros(4))
    assert all(isinstance(value, int) for value in form.exact_weights)
    assert max(int(value) ** 2 for value in form.exact_weights) > 2**63
    verdict = copositivity(matrix)
    assert verdict.copositive is not None
    assert verdict.copositive == minimal(problem(matrix))


@pytest.mark.parametrize("step", [1e-6, 1e-9, 1e-12, 1e-15])
def test_horn_and_a_hair_beside_it(step: float) -> None:
    above, below, on = (copositivity(HORN + k * step * np.eye(5)) for k in (1, -1, 0))
    assert (above.copositive, above.strict) == (True, True)
    assert (below.copositive, below.strict) == (False, False)
    assert (on.copositive, on.strict, on.psd) == (True, False, False)
    assert on.bounds == (0.0, 0.0)


def test_zero_vectors_are_exact() -> None:
    found = zero_vector(problem(HORN), np.array([1.0, 1, 0, 0, 0]))
    assert found is not None
    assert found.low == found.high == 0
    assert zero_vector(problem(HORN + 1e-15 * np.eye(5)), np.array([1.0, 1, 0, 0, 0])) is None


def test_scaling_by_powers_of_two_changes_no_answer() -> None:
    scales = 2.0 ** np.array([300, -300, 7, 0, -1])
    verdict = copositivity(HORN * np.outer(scales, scales))
    assert (verdict.copositive, verdict.strict) == (True, False)
    assert set(np.diag(unit_scaled(problem(HORN)))) == {1.0}
    assert set(powers_of_two(np.diag([4.0, 2.0, 0.25]))) == {0.5, 2.0}


@pytest.mark.parametrize(
    ("matrix", "groups", "words"),
    [
        ([[1, 2, 3]], None, "square"),
        ([[np.nan]], None, "finite"),
        ([[1, 2], [3, 1]], None, r"not symmetric: \|A\[0, 1\] − A\[1, 0\]\| = 1"),
        (np.eye(2), [[0, 2]], "indices 0 … 1"),
        (np.eye(3), [[0, 1], [1, 2]], "disjoint"),
        (np.eye(3), [[0, 0]], "twice"),
        (np.eye(3), [[0.5, 1]], "whole numbers"),
    ],
)
def test_what_is_refused(matrix: Array, groups: list[list[int]] | None, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        copositivity(matrix, groups)


def test_rounding_asymmetry_is_told() -> None:
    matrix = np.eye(2)
    matrix[0, 1] = 1e-16
    assert "asymmetric by rounding" in copositivity(matrix).remarks[0]


def test_out_of_time_is_undecided_with_bounds() -> None:
    """Seconds of 0: nothing is searched, nothing is claimed."""
    verdict = copositivity(HORN, time_limit=0.0)
    assert (verdict.copositive, verdict.strict, verdict.certificate) == (None, None, None)
    assert verdict.bounds[0] <= verdict.bounds[1]
    assert any("out of time" in remark for remark in verdict.remarks)
