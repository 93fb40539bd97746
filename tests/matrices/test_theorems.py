"""The theorems of diagnostics.md §2 that the verdicts lean on, in rationals, on tiny random matrices."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import networkx as nx
import numpy as np
from hypothesis import event, given, settings
from hypothesis import strategies as st

from .rationals import Exact, dot, exact, inverse
from .reference import (
    Answers,
    Array,
    Groups,
    by_determinants,
    form,
    is_psd,
    least_ratio,
    supports,
)
from .tiny import Case, Cells, cases, cells, couplings, vectors

tried = settings(max_examples=120, deadline=None)


def less_diagonal(matrix: Exact, shift: list[Fraction]) -> Exact:
    return [[x - (shift[i] if i == j else 0) for j, x in enumerate(row)] for i, row in enumerate(matrix)]


def sums(couplings: Array, v: Array) -> list[Fraction]:
    """(C+ v)_i / v_i."""
    above = exact(np.maximum(couplings, 0))
    return [
        sum((x * Fraction(y) for x, y in zip(row, v, strict=True)), Fraction(0)) / Fraction(v[i])
        for i, row in enumerate(above)
    ]


def group_sums(couplings: Array, v: Array, groups: Groups) -> list[Fraction]:
    """T(v)_i / v_i: a group adds the largest of its C+_ij v_j, without the units of i's own."""
    n = len(v)
    grouped = {i for group in groups or () for i in group}
    blocks = [*(groups or ()), *((i,) for i in range(n) if i not in grouped)]
    rows = exact(np.maximum(couplings, 0))
    others = [[block for block in blocks if i not in block] for i in range(n)]
    largest = [
        sum((max(rows[i][j] * Fraction(v[j]) for j in block) for block in others[i]), Fraction(0)) for i in range(n)
    ]
    return [value / Fraction(v[i]) for i, value in enumerate(largest)]


@tried
@given(couplings(5), st.data())
def test_t1_dominates_at_every_z(case: tuple[Array, Array], data: st.DataObject) -> None:
    """zᵀC+z ≤ Σ z_i² (C+v)_i/v_i for every z: diag((C+v)/v) − C+ is PSD."""
    matrix, d = case
    v = data.draw(vectors(len(d), 1, 5))
    dominated = less_diagonal(exact(-np.maximum(matrix, 0)), [-x for x in sums(matrix, v)])
    assert is_psd(dominated)


@tried
@given(couplings(5), st.data())
def test_t1_bounds_from_both_sides(case: tuple[Array, Array], data: st.DataObject) -> None:
    """μ(v) ≤ min zᵀAz/zᵀDz ≤ the ratio at any z, for any groups; strictly copositive where μ > 0."""
    matrix, d = case
    v, groups = data.draw(vectors(len(d), 1, 5)), data.draw(cells(len(d)))
    mu = 1 - max(x / Fraction(y) for x, y in zip(sums(matrix, v), d, strict=True))
    form_ = np.diag(d) - matrix
    assert by_determinants(less_diagonal(exact(form_), [mu * Fraction(x) for x in d]), groups).copositive
    assert mu <= 0 or by_determinants(form_, groups).strict
    least = least_ratio(form_, groups)
    event("μ > 0" if mu > 0 else "μ ≤ 0")
    assert float(mu) <= least + 1e-9
    single = np.eye(len(d))[0]
    assert least <= form(form_, single) / form(np.diag(d), single) + Fraction(1, 10**9)


@tried
@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_t1_holds_through_rounding(n: int, seed: int) -> None:
    """The ratio in floats times 1 + γ_{K+4}, γ_k = ku/(1 − ku), is not below the exact ratio: float64 and float32."""
    draw = np.random.default_rng(seed)
    for kind, unit in ((np.float64, Fraction(1, 2**53)), (np.float32, Fraction(1, 2**24))):
        positive = (draw.random((n, n)) * 10.0 ** draw.integers(-6, 7, (n, n))).astype(kind)
        v, d = draw.random(n).astype(kind) + kind(1e-3), draw.random(n).astype(kind) + kind(1e-3)
        seen = (positive @ v) / (d * v)
        factor = 1 + (n + 4) * unit / (1 - (n + 4) * unit)
        for row, x, y, ratio in zip(positive, v, d, seen, strict=True):
            truth = dot(row.tolist(), v.tolist()) / (Fraction(float(x)) * Fraction(float(y)))
            assert truth <= Fraction(float(ratio)) * factor
            assert truth * factor >= Fraction(float(ratio))


@tried
@given(couplings(5))
def test_t1_best_vector_is_perrons(case: tuple[Array, Array]) -> None:
    """max_v μ(v) = 1 − ρ(D^-1 C+): no v does better, and the Perron vector of C+ + ε does it to rounding."""
    matrix, d = case
    root = np.sqrt(d)
    scaled = np.maximum(matrix, 0) / np.outer(root, root)
    rho = np.linalg.eigvalsh(scaled)[-1]
    v = np.abs(np.linalg.eigh(scaled + 1e-7)[1][:, -1]) / root
    mu = 1 - np.max(np.maximum(matrix, 0) @ v / (d * v))
    assert mu <= 1 - rho + 1e-9
    assert mu >= 1 - rho - 1e-5


@tried
@given(couplings(5, low=0))
def test_nonnegative_couplings_are_decided(case: tuple[Array, Array]) -> None:
    """C ≥ 0, no groups: copositive iff PSD; strictly iff D − C is an M-matrix, that is (D − C)^-1 ≥ 0 exists."""
    matrix, d = case
    answers = by_determinants(np.diag(d) - matrix)
    assert answers.copositive == is_psd(np.diag(d) - matrix)
    solved = inverse(exact(np.diag(d) - matrix))
    assert answers.strict == (solved is not None and all(x >= 0 for row in solved for x in row))


@tried
@given(couplings(6, smallest=2), st.data())
def test_t4_groups_are_repulsions(case: tuple[Array, Array], data: st.DataObject) -> None:
    """A_ij = √(d_i d_j) in a group, or more: the orthant answers as the cone does. Diagonals may be 0 or below."""
    matrix, d = case
    n = len(d)
    if data.draw(st.booleans()):
        matrix = np.sign(matrix) * np.sqrt(np.outer(d, d))
    d *= data.draw(vectors(n, -1, 1)) if data.draw(st.booleans()) else 1.0
    groups = data.draw(cells(n, some=True))
    more = data.draw(st.integers(0, 3))
    form_ = np.diag(d) - matrix
    event(str(by_determinants(form_, groups)))
    assert by_determinants(lifted(form_, groups, more)) == by_determinants(form_, groups)


def lifted(matrix: Array, groups: Cells, more: int = 0) -> Array:
    """√(d_i d_j) + more in the place of what is inside groups; diagonals are ± squares, or 0."""
    repelled = matrix.copy()
    for group in groups:
        for i in group:
            for j in group:
                product = int(abs(matrix[i, i] * matrix[j, j]))
                assert isqrt(product) ** 2 == product
                repelled[i, j] = matrix[i, j] if i == j else isqrt(product) + more
    return repelled


def test_t4_less_repulsion_is_not_enough() -> None:
    """The place is tight: with √(d_i d_j) − 1/4 a matrix is refuted that is strict on the cone."""
    matrix = np.array([[1, 0, -0.99], [0, 1, -0.99], [-0.99, -0.99, 1.0]])
    assert by_determinants(matrix, ((0, 1),)) == Answers(True, True)
    held = matrix + np.array([[0, 1, 0], [1, 0, 0], [0, 0, 0]])
    assert by_determinants(held) == Answers(True, True)
    loose = matrix + np.array([[0, 0.75, 0], [0.75, 0, 0], [0, 0, 0]])
    assert by_determinants(loose) == Answers(False, False)


@tried
@given(couplings(6, smallest=2), st.data())
def test_t5_bounds_groups_by_their_largest(case: tuple[Array, Array], data: st.DataObject) -> None:
    """T(v) ≤ θDv: zᵀAz ≥ (1 − θ) zᵀDz over the cone, strict where θ < 1; never worse than T1."""
    matrix, d = case
    groups, v = data.draw(cells(len(d))), data.draw(vectors(len(d), 1, 5))
    theta = max(x / Fraction(y) for x, y in zip(group_sums(matrix, v, groups), d, strict=True))
    form_ = np.diag(d) - matrix
    assert by_determinants(less_diagonal(exact(form_), [(1 - theta) * Fraction(x) for x in d]), groups).copositive
    assert theta >= 1 or by_determinants(form_, groups).strict
    assert theta <= max(x / Fraction(y) for x, y in zip(sums(matrix, v), d, strict=True))


@tried
@given(couplings(5, smallest=2), st.data())
def test_t5_power_iteration_certifies(case: tuple[Array, Array], data: st.DataObject) -> None:
    """The v of the nonlinear power iteration, with a little added, is as good a v as any."""
    matrix, d = case
    groups = data.draw(cells(len(d)))
    v = np.ones(len(d))
    for _ in range(50):
        v = np.array([float(x) for x in group_sums(matrix, v, groups)]) * v / d + v
        v = np.round(2**30 * v / v.max()) + 1
    theta = max(x / Fraction(y) for x, y in zip(group_sums(matrix, v, groups), d, strict=True))
    assert least_ratio(np.diag(d) - matrix, groups) >= float(1 - theta) - 1e-9


def test_t5_drops_by_the_root_of_the_window() -> None:
    """p units of one weight below one unit: θ = 1/√p of ρ."""
    for p in (1, 4, 9):
        star = np.zeros((p + 1, p + 1))
        star[0, 1:] = star[1:, 0] = 1.0
        v = np.ones(p + 1)
        assert max(group_sums(star, v, (tuple(range(1, p + 1)),))) == 1
        assert np.isclose(np.linalg.eigvalsh(star)[-1], np.sqrt(p))


@tried
@given(cases(6))
def test_what_attracts_nothing_across_is_told_apart(case: Case) -> None:
    """A is what its blocks are, blocks being the components of the graph of A_ij < 0 outside groups."""
    n = len(case.matrix)
    together = {(i, j) for group in case.groups or () for i in group for j in group}
    attracts = [[case.matrix[i, j] < 0 and (i, j) not in together for j in range(n)] for i in range(n)]
    parts = [sorted(part) for part in nx.connected_components(nx.from_numpy_array(np.array(attracts, dtype=int)))]
    answers = [by_determinants(case.matrix[np.ix_(part, part)], within(case.groups, part)) for part in parts]
    event(f"{len(parts)} blocks")
    joined = Answers(all(a.copositive for a in answers), all(a.strict for a in answers))
    assert by_determinants(case.matrix, case.groups) == joined


def within(groups: Groups, part: list[int]) -> Cells:
    """The groups of a principal submatrix."""
    return tuple(tuple(part.index(i) for i in group if i in part) for group in groups or ())


@tried
@given(cases(5))
def test_enumeration_finds_the_least_value_on_the_simplex(case: Case) -> None:
    """ν = min λ over supports with A_II x = λe, eᵀx = 1, x > 0, the form strictly convex on eᵀd = 0.

    A − νE is then on the boundary: ν is attained and nothing lies below. Also where x_i, x_j > 0 only if
    A_ij < (A_ii + A_jj)/2, as convexity along e_i − e_j says.
    """
    values: list[Fraction] = []
    for support in supports(len(case.matrix), case.groups):
        found = _stationary(exact(case.matrix[np.ix_(support, support)]))
        values += [] if found is None else [found]
    least = min(values)
    shifted = [[x - least for x in row] for row in exact(case.matrix)]
    assert by_determinants(shifted, case.groups) == Answers(True, False)


def _stationary(block: Exact) -> Fraction | None:
    """λ of A x = λe, eᵀx = 1, where x > 0 and the form is strictly convex on eᵀd = 0; None elsewhere."""
    n = len(block)
    along = [[block[i][j] - block[i][0] - block[0][j] + block[0][0] for j in range(1, n)] for i in range(1, n)]
    solved = inverse([[*row, Fraction(-1)] for row in block] + [[*([Fraction(1)] * n), Fraction(0)]])
    if solved is None or (along and (not is_psd(along) or inverse(along) is None)):
        return None
    for i in range(n):
        for j in range(i):
            assert 2 * block[i][j] < block[i][i] + block[j][j]
    x = [row[-1] for row in solved]
    return x[-1] if all(y > 0 for y in x[:-1]) else None
