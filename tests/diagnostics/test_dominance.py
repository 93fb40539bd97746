"""Dominance at a finite size, against explicit matrices written with loops."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvmc.budget import Budget
from lvmc.diagnostics.dominance.dominance import Majorant, dominance, margins_by_layer, weigh
from lvmc.diagnostics.dominance.pairs import pairs
from lvmc.graph.form import Block, Edge, Form, Side
from lvmc.ir import Geometry
from tests.diagnostics.forms import chain, flat, forms
from tests.diagnostics.loops import loops

SLOW = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
SAME = Geometry((1, 1), (1, 1), (1, 1))


@SLOW
@given(forms(), st.sampled_from(["positive", "absolute"]))
def test_the_bound_is_the_perron_root(form: Form, part: Majorant) -> None:
    """1 − lower is ρ(D⁻¹C₊) to 1e-8 and never below it; v proves it; margins by layer are those of v."""
    explicit, bound = loops(form), dominance(form, part)
    majorant = explicit.positive if part == "positive" else explicit.absolute
    root = explicit.root(majorant)
    assert bound.certificate is not None
    assert root * (1 - 1e-12) <= 1 - bound.lower <= root * (1 + 1e-8) + 1e-12
    v = flat(form, bound.certificate.arrays)
    assert (v > 0).all()
    assert (majorant @ v <= (1 - bound.lower) * explicit.diagonal * v).all()
    assert min(margins_by_layer(form, bound.certificate).values()) == bound.lower


@SLOW
@given(forms(), st.integers(0, 10**6))
def test_no_state_of_the_domain_is_below_it(form: Form, seed: int) -> None:
    """zᵀAz ≥ lower · zᵀDz for z ≥ 0 but where a layer takes both signs; with |C| for every z."""
    explicit, rng = loops(form), np.random.default_rng(seed)
    free = rng.normal(size=(200, form.units)) * (rng.random((200, form.units)) < rng.random((200, 1)))
    # states that follow their own drive come near to the bound
    free = np.vstack([free, free @ explicit.couplings])
    inside = np.where(explicit.signed, free, np.maximum(free, 0))
    cases: list[tuple[Majorant, np.ndarray]] = [("positive", inside), ("absolute", free)]
    for part, states in cases:
        lower = dominance(form, part).lower
        sizes = (states**2) @ explicit.diagonal
        gains = np.einsum("bi,ij,bj->b", states, explicit.couplings, states)
        assert (sizes - gains >= lower * sizes - 1e-9 * (1 + abs(lower)) * sizes).all()


@SLOW
@given(forms(groups=False))
def test_without_groups_v_is_a_witness(form: Form) -> None:
    """`upper` is attained by v; with nonnegative couplings it meets `lower`."""
    explicit, bound = loops(form), dominance(form)
    assert bound.witness is not None
    z = flat(form, bound.witness.arrays)
    value = 1 - z @ explicit.couplings @ z / (z @ (explicit.diagonal * z))
    assert value == pytest.approx(bound.witness.value, abs=1e-12)
    both = dominance(form.part("positive"))
    assert both.upper - both.lower <= 1e-8 * (1 + abs(both.lower))


@SLOW
@given(forms(), st.integers(0, 10**6))
def test_rounding_is_bounded(form: Form, seed: int) -> None:
    """The largest (C₊v)ᵢ/(dᵢvᵢ) in exact arithmetic is at most what `weigh` says, and nearly that."""
    rng = np.random.default_rng(seed)
    arrays = {b.name: rng.uniform(0.1, 1, (b.channels, *b.size)) for b in form.blocks}
    explicit, v, ratio = loops(form), flat(form, arrays), weigh(form, "positive", arrays).ratio
    worst = int(np.argmax(explicit.positive @ v / (explicit.diagonal * v)))
    row = np.flatnonzero(explicit.positive[worst])
    total = sum((Fraction(explicit.positive[worst, j]) * Fraction(v[j]) for j in row), Fraction(0))
    exact = total / (Fraction(explicit.diagonal[worst]) * Fraction(v[worst]))
    assert exact <= Fraction(ratio) <= exact * Fraction(1 + 1e-11)


def test_parts_that_do_not_touch() -> None:
    """Channels without couplings, and two chains of which one gains half as much, do not spoil v."""
    rng = np.random.default_rng(0)
    taps = np.zeros((4, 4, 3, 3))
    taps[:2, :2] = rng.uniform(size=(2, 2, 3, 3))
    taps[2, 2] = 0.3 * rng.uniform(size=(3, 3))
    form = chain((6, 6), [taps], [SAME])
    bound, explicit = dominance(form), loops(form)
    root = explicit.root(explicit.positive)
    assert root * (1 - 1e-12) <= 1 - bound.lower <= root * (1 + 1e-8)


def test_nothing_couples() -> None:
    """Without positive couplings the margin is 1."""
    form = chain((3, 3), [-np.ones((1, 1, 3, 3))], [SAME])
    assert dominance(form).lower == pytest.approx(1)


def test_late_is_weaker_never_wrong() -> None:
    """Without time one product remains, and its bound holds."""
    form = chain((8, 8), [np.random.default_rng(1).uniform(size=(3, 3, 3, 3))] * 2, [SAME] * 2)
    late, well = dominance(form, budget=Budget(0.0)), dominance(form)
    assert late.lower <= well.lower
    assert late.lower > -np.inf


@pytest.mark.parametrize("lateral", [False, True])
def test_passes_contract_by_theta(lateral: bool) -> None:
    """From any two starts a pass brings states nearer by θ in the norm max |zᵢ|/vᵢ, damped laterals included."""
    rng = np.random.default_rng(2)
    taps, side = 0.05 * rng.normal(size=(2, 2, 3, 3)), 0.02 * rng.normal(size=(2, 2, 3, 3))
    side = side + side.swapaxes(0, 1)[:, :, ::-1, ::-1]
    side[[0, 1], [0, 1], 1, 1] = 0
    form = chain((4, 4), [taps], [SAME])
    form = replace(form, sides=(Side("h2", "h2.lateral", side, SAME),) if lateral else ())
    explicit, bound = loops(form), dominance(form, "absolute")
    assert bound.certificate is not None
    theta, v = float(bound.certificate.facts["theta"]), flat(form, bound.certificate.arrays)
    assert 0 < theta < 1
    sigma = np.repeat([0.0, np.abs(side).sum((1, 2, 3)).max() if lateral else 0.0], form.units // 2)
    drive, states = rng.normal(size=form.units), rng.uniform(size=(2, form.units))
    for _ in range(5):
        before = float((np.abs(states[0] - states[1]) / v).max())
        for half in (slice(0, form.units // 2), slice(form.units // 2, None)):
            gained = states @ explicit.couplings + drive + sigma * states
            states[:, half] = np.maximum(gained / (explicit.diagonal + sigma), 0)[:, half]
        assert float((np.abs(states[0] - states[1]) / v).max()) <= theta * before * (1 + 1e-12)


@SLOW
@given(forms())
def test_the_largest_pair_is_found(form: Form) -> None:
    """`upper` of the pairs is the least value of two units (or one) of the cone, and its witness has it."""
    explicit, bound = loops(form), pairs(form)
    assert bound.witness is not None
    z = flat(form, bound.witness.arrays)
    value = 1 - z @ explicit.couplings @ z / (z @ (explicit.diagonal * z))
    assert abs(value - bound.witness.value) <= bound.witness.error + 1e-13
    assert (z[~explicit.signed] >= 0).all()
    scale = 1 / np.sqrt(explicit.diagonal)
    gains = explicit.couplings * scale[:, None] * scale[None, :]
    own = np.diag(gains)
    signed = explicit.signed[:, None] | explicit.signed[None, :]
    both = np.where(signed, np.abs(gains), gains) + 0.5 * (own[:, None] + own[None, :])
    both[explicit.group[:, None] == explicit.group[None, :]] = -np.inf
    assert bound.upper == pytest.approx(1 - max(both.max(), own.max()), abs=1e-12)


def test_a_pair_flips_the_verdict() -> None:
    """Two units, w above and below √(d_i d_j) = 2."""
    blocks = (Block("a", 1, (1, 1), np.array([1.0])), Block("b", 1, (1, 1), np.array([4.0])))
    for weight, value in ((1.98, 0.01), (2.02, -0.01)):
        form = Form("two", blocks, (Edge("b", "a", "b.weight", np.full((1, 1, 1, 1), weight), Geometry()),))
        assert pairs(form).upper == pytest.approx(value)
        assert dominance(form).lower == pytest.approx(value)
