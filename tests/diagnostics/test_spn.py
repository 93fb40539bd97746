"""Attenuated inhibition: its brackets are positive semidefinite by dense eigenvalues, and its bounds are good."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.explicit import diagonal, explicit, groups
from lvmc.diagnostics.rays.search import search
from lvmc.diagnostics.semidefinite import bracket
from lvmc.diagnostics.semidefinite.attenuation import couplings
from lvmc.diagnostics.semidefinite.lanczos import lanczos
from lvmc.diagnostics.semidefinite.spectral import Restricted, least_largest
from lvmc.diagnostics.semidefinite.spn import attenuated
from lvmc.diagnostics.semidefinite.spn_taps import attenuated_by_taps
from lvmc.graph.form import Edge, Form
from lvmc.ir import Geometry, Group
from lvmc.verdicts import Certificate
from tests.diagnostics.forms import chain, forms

Array = NDArray[np.float64]
Stage = Callable[[Form, Budget], Bound]
SAME = Geometry((1, 1), (1, 1), (1, 1))


def dense_bracket(form: Form, proof: Certificate) -> Array:
    """D − C₊ + M + G in unit-diagonal coordinates, from explicit matrices of every coupling's C₋."""
    root = np.sqrt(diagonal(form))
    found = explicit(form.part("positive"))
    for index, each in enumerate(couplings(form)):
        found += coupled(form, each, kept_of(proof, form, index) * np.maximum(-each.filter, 0.0))
    found = found / (root * root[:, None])
    for group in groups(form):
        layer = int(np.searchsorted(np.cumsum([block.units for block in form.blocks]), group[0], side="right"))
        found[np.ix_(group, group)] += proof.arrays["groups"][layer] * (1 - np.eye(len(group)))
    return found


def kept_of(proof: Certificate, form: Form, index: int) -> Array:
    if "couplings" in proof.arrays:
        return proof.arrays["couplings"][index]
    edges = len(form.edges)
    return proof.arrays[f"edge:{index}" if index < edges else f"side:{index - edges}"]


def coupled(form: Form, each: object, taps: Array) -> Array:
    """The matrix of one coupling with other taps."""
    edges = tuple(replace(edge, filter=taps if edge is each else 0 * edge.filter) for edge in form.edges)
    sides = tuple(replace(side, filter=taps if side is each else 0 * side.filter) for side in form.sides)
    return np.diag(diagonal(form)) - explicit(replace(form, edges=edges, sides=sides))


def check(form: Form, found: Bound) -> None:
    """The certificate's arrays are allowed, and prove what it says."""
    proof = found.certificate
    if proof is None:
        assert found.lower == -np.inf
        return
    assert proof.kind == "spn"
    assert proof.claim == "strict"
    assert proof.margin == found.lower
    assert float(np.linalg.eigvalsh(dense_bracket(form, proof))[0]) >= proof.margin
    for index, each in enumerate(couplings(form)):
        kept = kept_of(proof, form, index)
        assert np.all((kept >= 0) & (kept <= 1))
        names = (each.upper, each.lower) if isinstance(each, Edge) else (each.layer,)
        assert np.all(kept == 1) or not any(form.block[name].signed for name in names)
    assert np.all(np.abs(proof.arrays["groups"]) <= 1)


@pytest.mark.parametrize("stage", [attenuated, attenuated_by_taps])
@settings(max_examples=12, deadline=None)
@given(forms())
def test_certificates_hold(stage: Stage, form: Form) -> None:
    check(form, stage(form, Budget(0.5)))


@pytest.mark.parametrize("stage", [attenuated, attenuated_by_taps])
def test_likely_certificates_hold(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of larger nets, proved by Lanczos, on a net where eigenvalues are at hand."""
    random = np.random.default_rng(0)
    form = chain((8, 8), [random.normal(size=(4, 2, 3, 3)) * 0.5], [SAME], Group(1, 2, 2))
    monkeypatch.setattr(bracket, "DENSE", 0)
    found = stage(form, Budget(5.0))
    assert found.certificate is not None
    assert found.certificate.chance == 1e-6
    check(form, found)


def test_bands_of_a_small_signed_net() -> None:
    """Couplings beat semidefiniteness, taps beat couplings, and both stay below the witness: 1.10 at most for taps."""
    random = np.random.default_rng(5)
    form = chain(
        (8, 8), [random.normal(size=(4, 4, 3, 3)) * 0.24, random.normal(size=(4, 4, 3, 3)) * 0.24], [SAME, SAME]
    )
    largest = 1 - search(form, Budget(3.0)).upper
    stages = (lanczos, attenuated, attenuated_by_taps)
    space, coupling, tap = ((1 - stage(form, Budget(6.0)).lower) / largest for stage in stages)
    assert 1 - 1e-9 <= tap < coupling < space
    assert tap < 1.10
    assert coupling < 1.3


def test_groups_alone_can_certify() -> None:
    """Two units of a group that excite one unit above: 1 at most may be active, so √2 w < 1 is not needed, w < 1 is."""
    taps = np.full((1, 2, 1, 1), 0.85)
    form = chain((1, 1), [taps], [Geometry()], Group(2, 1, 1))
    assert lanczos(form, Budget(1.0)).upper < 0
    found = attenuated(form, Budget(1.0))
    assert found.lower == pytest.approx(0.15, abs=5e-3)
    check(form, found)


def test_nothing_to_choose() -> None:
    form = chain((4, 4), [np.full((2, 1, 3, 3), 0.1)], [SAME])
    assert attenuated(form, Budget(1.0)).certificate is None
    assert attenuated_by_taps(form, Budget(1.0)).certificate is None


def test_least_largest_eigenvalue_against_a_grid() -> None:
    random = np.random.default_rng(0)
    parts = random.normal(size=(2, 5, 5)).astype(np.float32)
    parts = parts + parts.transpose(0, 2, 1)
    base = random.normal(size=(5, 5))
    model = Restricted(base + base.T, parts)
    _, value = least_largest(model, np.full(2, 0.5), np.array([0.0, -1.0]), np.ones(2))
    grid = [np.array([a, b]) for a in np.linspace(0, 1, 41) for b in np.linspace(-1, 1, 41)]
    best = min(float(np.linalg.eigvalsh(model.at(x))[-1]) for x in grid)
    assert value <= best + 0.02 * abs(best)
