"""The torus speaks for every finite size, and is what large planes come to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import lvmc
from lvmc.diagnostics.dominance.dominance import Majorant, dominance, weigh
from lvmc.diagnostics.dominance.torus import folded, tiled, torus_of
from lvmc.diagnostics.field import Field
from lvmc.diagnostics.net import net_of
from lvmc.graph.form import Block, Edge, Form
from lvmc.ir import Geometry
from tests.diagnostics.forms import chain, forms
from tests.diagnostics.loops import loops

SLOW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))


@SLOW
@given(forms(), st.sampled_from(["positive", "absolute"]))
def test_it_bounds_the_finite_net(form: Form, part: Majorant) -> None:
    """ρ of the torus is at least that of the net, and its vector, tiled, proves as much at the net's size."""
    bound = dominance(form, part, torus=True)
    if bound.certificate is None:
        assert bound.remark
        assert bound.lower == -np.inf
        return
    explicit = loops(form)
    root = explicit.root(explicit.positive if part == "positive" else explicit.absolute)
    assert 1 - bound.lower >= root * (1 - 1e-12)
    assert weigh(form, part, tiled(form, bound.certificate.arrays)).ratio <= (1 - bound.lower) * (1 + 1e-12)
    torus = torus_of(form).form
    assert torus is not None
    wrapped = loops(torus)
    exact = wrapped.root(wrapped.positive if part == "positive" else wrapped.absolute)
    assert 1 - bound.lower == pytest.approx(exact, rel=1e-8, abs=1e-12)


GEOMETRIES = {
    "stride 2, same": (3, Geometry((2, 2), (1, 1), (1, 1))),
    "valid": (3, Geometry()),
    "even filter": (2, Geometry((1, 1), (1, 1), (1, 1))),
    "dilation 3, padding 1": (3, Geometry((1, 1), (3, 3), (1, 1))),
    "stride 3, even filter": (2, Geometry((3, 3), (1, 1), (0, 0))),
    "stride 2, dilation 2": (3, Geometry((2, 2), (2, 2), (3, 3))),
}


@pytest.mark.parametrize("case", GEOMETRIES)
def test_large_planes_come_near(case: str) -> None:
    """ρ grows with the plane towards that of the torus, and the torus is the same at every size."""
    kernel, geometry = GEOMETRIES[case]
    rng = np.random.default_rng(3)
    filters = [rng.uniform(size=(1, 2, kernel, kernel)), rng.normal(size=(2, 1, 3, 3))]
    geometries = [geometry, Geometry((1, 1), (1, 1), (1, 1))]
    nets = [chain((size, size), filters, geometries) for size in (13, 27, 54)]
    tori = [dominance(net, torus=True).lower for net in nets]
    roots = [1 - dominance(net).lower for net in nets]
    assert tori == [tori[0]] * 3
    assert roots[0] < roots[1] < roots[2] <= 1 - tori[0]
    assert 1 - roots[2] / (1 - tori[0]) < 0.05


def test_strides_need_every_phase() -> None:
    """One strided channel: ρ² is Σ over phases of (its taps' sum)², above (K/s)² of the formula by channels."""
    taps = np.array([5.0, 1.0, 0.0, 0.0])[:, None] * np.array([1.0, 2.0, 0.0, 3.0])[None, :]
    net = chain((8, 8), [taps[None, None]], [Geometry((2, 2), (1, 1), (1, 1))])
    phases = taps.reshape(2, 2, 2, 2).sum((0, 2))
    root = 1 - dominance(net, torus=True).lower
    assert root == pytest.approx(np.sqrt((phases**2).sum()))
    assert root > 1.1 * taps.sum() / 2
    torus = torus_of(net).form
    assert torus is not None
    assert [block.size for block in torus.blocks] == [(2, 2), (1, 1)]


def test_skips_keep_their_offsets() -> None:
    """Two paths with paddings of their own: the torus bounds, and large planes come near."""
    strided = Geometry((2, 2), (1, 1), (0, 0))

    def net(size: int) -> Form:
        half = (size - 3) // 2 + 1
        blocks = tuple(Block(n, 1, (s, s), np.ones(1)) for n, s in (("a", size), ("b", half), ("c", half)))
        skip = Geometry((2, 2), (1, 1), (2, 2))
        taps = [np.random.default_rng(i).uniform(size=(1, 1, k, k)) for i, k in enumerate((3, 3, 7))]
        return Form("skip", blocks, (
            Edge("b", "a", "b.weight", taps[0], strided),
            Edge("c", "b", "c.b.weight", taps[1], Geometry((1, 1), (1, 1), (1, 1))),
            Edge("c", "a", "c.a.weight", taps[2], skip),
        ))  # fmt: skip

    bounds, roots = (
        [dominance(net(n), torus=True).lower for n in (11, 61)],
        [1 - dominance(net(n)).lower for n in (11, 61)],
    )
    assert bounds[0] == bounds[1]
    assert roots[0] < roots[1] <= 1 - bounds[0] < roots[1] * 1.02


def test_circular_planes_must_hold_whole_periods() -> None:
    """A plane of 8 that wraps under stride 2 is covered, and its ρ met; one of 7 is refused: its ρ lies above."""
    taps = np.array([1.0, 1.0, 0.0])[None, None, None]
    wrap = Geometry((1, 2), (1, 1), (0, 1), circular=True)
    even, odd = chain((1, 8), [taps], [wrap]), chain((1, 7), [taps], [wrap])
    bound = dominance(even, torus=True)
    assert bound.certificate is not None
    assert "multiple of 2 columns" in bound.remark
    assert bound.certificate.facts["every_size"] == 0
    explicit = loops(even)
    assert 1 - bound.lower == pytest.approx(explicit.root(explicit.positive))
    refused = torus_of(odd)
    assert refused.form is None
    assert "no multiple of 2" in refused.remark
    assert 1 - dominance(odd).lower > 1.01 * (1 - bound.lower)


def test_what_repeats_nowhere_is_said() -> None:
    """A filter over the whole plane, and paths whose strides disagree."""
    blocks = tuple(Block(name, 1, (1, 1), np.ones(1)) for name in "abc")
    one = np.ones((1, 1, 1, 1))
    full = Form("full", blocks[:2], (Edge("b", "a", "w", one, Geometry(), full=True),))
    assert "filter: full" in torus_of(full).remark
    edges = (Edge("b", "a", "w", one, Geometry((2, 2))), Edge("c", "b", "v", one, Geometry()))
    apart = Form("apart", blocks, (*edges, Edge("c", "a", "u", one, Geometry())))
    assert "disagree" in torus_of(apart).remark
    assert torus_of(replace(apart, edges=edges)).form is not None


@pytest.mark.parametrize("kernel", [3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize(("padding", "dilation"), [(0, 1), (1, 2), (2, 1)])
def test_folded_taps_give_the_same_products(kernel: int, stride: int, padding: int, dilation: int) -> None:
    """Filters larger than the torus wrap around it; adding up the taps that meet changes no product."""
    middle = {"channels": 2, "filter": kernel, "stride": stride, "padding": padding, "dilation": dilation}
    layers = {"h1": {"channels": 2, "filter": 1}, "h2": middle, "h3": {"channels": 3, "filter": 3, "stride": 2}}
    spec = {"lvmc": 1, "name": "folds", "inputs": {"image": {"channels": 1, "size": [36, 36]}}, "layers": layers}
    torus = torus_of(net_of(lvmc.compile(spec)).form).form
    assert torus is not None
    less = folded(torus)
    assert any(a.filter.size > b.filter.size for a, b in zip(torus.edges, less.edges, strict=True))
    z = {b.name: torch.rand(1, b.channels, *b.size, dtype=torch.float64) for b in torus.blocks}
    for name, product in Field(torus)(z).items():
        torch.testing.assert_close(Field(less)(z)[name], product)
