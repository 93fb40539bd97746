"""The group-max certificate against T(v) written with loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lvmc.diagnostics.dominance.dominance import dominance, majorant
from lvmc.diagnostics.dominance.group_max import GroupField, group_max
from lvmc.diagnostics.dominance.torus import tiled
from lvmc.graph.form import Form, Side
from lvmc.ir import Geometry, Group
from tests.diagnostics.forms import chain, flat, forms
from tests.diagnostics.loops import loops

SLOW = settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
SAME = Geometry((1, 1), (1, 1), (1, 1))


def image(form: Form, v: np.ndarray) -> np.ndarray:
    """T(v), flat."""
    layers = {name: torch.from_numpy(each.copy()) for name, each in form.split(v).items()}
    return form.join({name: each.numpy() for name, each in GroupField(majorant(form))(layers).items()})[0]


def wraps(form: Form) -> bool:
    """Whether some plane is circular: taps that go around it count as groups of their own."""
    return any(each.geometry.circular for each in (*form.edges, *form.sides))


@SLOW
@given(forms(), st.integers(0, 10**6))
def test_the_largest_of_every_group(form: Form, seed: int) -> None:
    """T(v) is that of the loops; where planes wrap, at least that."""
    v, explicit = np.random.default_rng(seed).uniform(0.1, 1, form.units), loops(form)
    found, expected = image(form, v), explicit.largest(v)
    assert (found >= expected - 1e-12).all()
    assert wraps(form) or np.allclose(found, expected, atol=1e-12)


WINDOWS = [Group(1, 2, 2), Group(1, 3, 1), Group(2, 1, 1), Group(2, 2, 3), Group(4, 6, 2)]


@pytest.mark.parametrize("group", WINDOWS, ids=str)
@pytest.mark.parametrize("replicate", [(1, 1), (2, 2), (3, 3), (2, 3)])
@pytest.mark.parametrize("geometry", [SAME, Geometry((2, 2), (1, 1), (1, 1)), Geometry((1, 1), (2, 1), (2, 1))])
def test_windows_of_every_kind(group: Group, replicate: tuple[int, int], geometry: Geometry) -> None:
    """Groups in both layers and along channels, under windows that hold them, part them, or cut across them."""
    rng = np.random.default_rng(5)
    net = chain((12, 12), [rng.normal(size=(4, 4, 3, 3))], [geometry])
    pooled = (12 // replicate[0], 12 // replicate[1])
    above = geometry.size_above(pooled, (3, 3))
    tall, wide = (g if n % g == 0 else 1 for g, n in zip(group.window, above, strict=True))
    upper = replace(net.blocks[1], size=above, group=Group(group.channels, tall, wide))
    net = replace(net, blocks=(replace(net.blocks[0], group=group), upper))
    net = replace(net, edges=(replace(net.edges[0], replicate=replicate),))
    v = rng.uniform(0.1, 1, net.units)
    assert np.allclose(image(net, v), loops(net).largest(v))


@SLOW
@given(forms(), st.booleans())
def test_it_proves_what_it_says(form: Form, torus: bool) -> None:
    """v has T(v) ≤ (1 − lower) D v by the loops, at the net's size, from the torus too; groups never cost anything."""
    assume(any(block.group for block in form.blocks))
    bound = group_max(form, torus)
    if bound.certificate is None:
        assert torus
        assert bound.remark
        return
    v, explicit = flat(form, tiled(form, bound.certificate.arrays)), loops(form)
    assert (explicit.largest(v) <= (1 - bound.lower) * explicit.diagonal * v * (1 + 1e-12)).all()
    plain = dominance(form, torus=torus).lower
    assert 1 - bound.lower <= (1 - plain) * 1.02


def test_groups_flip_the_verdict() -> None:
    """Four units that share their tap: ρ is 1.5 without groups and exactly 0.75 with them; at every size."""
    net = chain((6, 6), [np.full((1, 1, 1, 1), 0.75)], [Geometry()], Group(1, 2, 2))
    for torus in (False, True):
        assert dominance(net, torus=torus).lower == pytest.approx(-0.5)
        assert group_max(net, torus).lower == pytest.approx(0.25, abs=1e-5)


def test_a_unit_does_not_excite_its_own_group() -> None:
    """A lateral tap within the windows of a group couples nothing; the one across does."""
    taps = np.zeros((1, 1, 1, 3))
    taps[0, 0, 0] = [0.4, 0.0, 0.4]
    net = chain((1, 4), [np.zeros((1, 1, 1, 1))], [Geometry()], Group(1, 1, 2))
    net = replace(net, sides=(Side("h1", "h1.lateral", taps, Geometry((1, 1), (1, 1), (0, 1))),))
    assert group_max(net).lower == pytest.approx(0.6, abs=1e-4)
    assert dominance(net).lower < 0.4
