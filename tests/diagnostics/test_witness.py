"""The witness search: each update is the best of its block, values are right, and rays lie in the cone."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lvmc.budget import Budget
from lvmc.diagnostics.explicit import diagonal, explicit, groups
from lvmc.diagnostics.field import Field
from lvmc.diagnostics.rays.ascent import Ascent
from lvmc.diagnostics.rays.cone import project
from lvmc.diagnostics.rays.ray import row_sum, witness_at
from lvmc.diagnostics.rays.search import search, sparse, verified
from lvmc.graph.form import Form
from lvmc.ir import Geometry, Group
from tests.diagnostics.forms import chain, flat, forms

Array = NDArray[np.float64]
seeds = st.integers(0, 10**6)


def drawn(form: Form, random: np.random.Generator) -> dict[str, Array]:
    return {block.name: random.normal(size=(block.channels, *block.size)) for block in form.blocks}


def ratio(form: Form, matrix: Array, layers: dict[str, Array]) -> float:
    """zᵀCz/zᵀDz from the explicit A."""
    z, d = flat(form, layers), diagonal(form)
    return 1 - float(z @ matrix @ z / (z * z @ d))


def small_chain(random: np.random.Generator, group: Group | None = None) -> Form:
    """Ten units: 8 below, 2 above."""
    taps = random.normal(size=(2, 2, 2, 1)) if group is None else random.normal(size=(2, 2, 1, 1))
    return chain((4, 1) if group else (2, 2), [0.7 * taps], [Geometry((2, 1) if group else (2, 2))], group)


def best_by_enumeration(form: Form) -> float:
    """max zᵀCz/zᵀz over K, exactly (d = 1): the top eigenvector of a support, where it is positive on it."""
    matrix = explicit(form)
    together = {pair for group in groups(form) for pair in combinations(sorted(group), 2)}
    best = 0.0
    for count in range(2, len(matrix) + 1):
        for support in map(list, combinations(range(len(matrix)), count)):
            if together & set(combinations(support, 2)):
                continue
            values, vectors = np.linalg.eigh(np.eye(count) - matrix[np.ix_(support, support)])
            if np.all(vectors[:, -1] > 0) or np.all(vectors[:, -1] < 0):
                best = max(best, float(values[-1]))
    return best


@settings(max_examples=40, deadline=None)
@given(forms(), seeds)
def test_updates_rise_and_are_the_best_of_their_layer(form: Form, seed: int) -> None:
    """The ratio never falls; without lateral couplings no other z_l of the cone gives more."""
    random, matrix = np.random.default_rng(seed), explicit(form)
    lateral = {side.layer for side in form.sides}
    ascent = Ascent(Field(form), project(form, drawn(form, random)))
    before = ascent.ratio
    assume(before > -np.inf)  # z = 0 has no ratio, and without couplings stays 0
    for _ in range(3):
        ascent.sweep()
        reached = ratio(form, matrix, ascent.layers)
        assert ascent.ratio == pytest.approx(reached, abs=1e-9 * (1 + abs(reached)))
        assert reached >= before - 1e-9
        before = reached
    last = form.blocks[0].name
    if before > 0 and last not in lateral:
        for scale in (0.03, 0.3, 1.0, 3.0):
            other = ascent.layers
            other[last] = other[last] * random.uniform(0.5, 1.5) + scale * random.normal(size=other[last].shape)
            assert ratio(form, matrix, project(form, other)) <= before + 1e-9


@settings(max_examples=25, deadline=None)
@given(forms(), seeds)
def test_values_are_right_and_rays_in_the_cone(form: Form, seed: int) -> None:
    found = search(form, Budget(1.0), enough=True, seed=seed)
    assert found.witness is not None
    z = {name: np.asarray(each) for name, each in found.witness.arrays.items()}
    assert found.witness.value == pytest.approx(1 - ratio(form, explicit(form), z), abs=1e-12 * (1 + row_sum(form)))
    assert found.upper == found.witness.value + found.witness.error
    for block in form.blocks:
        assert block.signed or np.all(z[block.name] >= 0)
    vector = flat(form, z)
    assert all(np.count_nonzero(vector[group]) <= 1 for group in groups(form))


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("group", [None, Group(1, 2, 1)])
def test_ten_units_against_every_support(seed: int, group: Group | None) -> None:
    """The search never exceeds the exact maximum, and reaches it."""
    form = small_chain(np.random.default_rng(seed), group)
    found = search(form, Budget(10.0))
    exact = best_by_enumeration(form)
    assert found.witness is not None
    assert found.upper >= 1 - exact - 1e-12
    assert found.witness.value == pytest.approx(1 - exact, abs=2e-4)


def test_nonnegative_couplings_reach_the_largest_eigenvalue() -> None:
    random = np.random.default_rng(0)
    taps = [random.uniform(0, 0.2, (3, 2, 3, 3)), random.uniform(0, 0.2, (4, 3, 3, 3))]
    form = chain((8, 8), taps, [Geometry((1, 1), (1, 1), (1, 1)), Geometry((2, 2), (1, 1), (1, 1))])
    least = float(np.linalg.eigvalsh(explicit(form))[0])
    assert search(form, Budget(10.0)).upper == pytest.approx(least, rel=1e-3)


def test_a_ray_is_verified_or_not() -> None:
    """A factor on the weights decides; the sign of what is not finite or outside K does not matter."""
    form = small_chain(np.random.default_rng(3))
    exact, start = best_by_enumeration(form), drawn(form, np.random.default_rng(0))
    start["h1"][0, 0, 0] = np.nan
    assert verified(form.scaled(0.98 / exact), start, 50) is None
    rays = [verified(form.scaled(1.02 / exact), drawn(form, np.random.default_rng(s)), 50) for s in range(8)]
    assert any(ray is not None and ray.value + ray.error < 0 for ray in rays)
    assert verified(form, {name: 0 * each for name, each in start.items()}) is None


def test_a_sparser_witness_still_refutes() -> None:
    random = np.random.default_rng(1)
    form = chain((12, 12), [random.normal(size=(4, 4, 3, 3)) * 0.6], [Geometry((1, 1), (1, 1), (1, 1))])
    found = search(form, Budget(10.0), enough=False).witness
    assert found is not None
    assert found.value < 0
    fewer = sparse(form, found)
    assert fewer.value + fewer.error < 0.5 * found.value
    assert sum(map(np.count_nonzero, fewer.arrays.values())) < sum(map(np.count_nonzero, found.arrays.values()))
    again = witness_at(form, fewer.arrays)
    assert again is not None
    assert again.value == fewer.value
