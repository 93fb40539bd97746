"""Proofs of nets: true ones hold, and each kind stops holding when anything in it is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lvmc.budget import Budget
from lvmc.diagnostics.dominance.dominance import dominance
from lvmc.diagnostics.dominance.group_max import group_max
from lvmc.diagnostics.explicit import diagonal, groups
from lvmc.diagnostics.semidefinite.lanczos import lanczos
from lvmc.diagnostics.semidefinite.spn import attenuated
from lvmc.diagnostics.semidefinite.spn_taps import attenuated_by_taps
from lvmc.graph.form import Form, form_of
from lvmc.loading import resolve
from lvmc.verdicts import Array, Certificate, Witness
from lvmc.verdicts.subjects import Net, net_of
from lvmc.verdicts.verify import verify
from lvmc.verdicts.verify.explicit import explicit, groups_of
from lvmc.verdicts.verify.maxima import largest
from lvmc.verdicts.verify.messages import Planes, coupled, parts
from tests.laws.specs import specs

from .subjects import CIRCULAR, POOLED, SIGNED, form, net, written_out

seeds = st.integers(0, 2**32 - 1)


def drawn(spec: dict[str, Any], seed: int) -> Form | None:
    """A random spec's form with weights of either sign; None where it is no single energy."""
    _, graph = resolve(spec)
    if graph.why_no_energy:
        return None
    random = np.random.default_rng(seed)
    values = {each.name: random.standard_normal(each.type.shape) for each in graph.parameters}
    positive = ("norm", "diagonal")
    return form_of(graph, {n: abs(v) + 0.5 if any(map(n.__contains__, positive)) else v for n, v in values.items()})


def scaled(arrays: Mapping[str, Array], factor: float) -> dict[str, Array]:
    """One entry of the first array multiplied."""
    name, values = next(iter(arrays.items()))
    changed = values.copy()
    changed.flat[0] *= factor
    return {**arrays, name: changed}


def other_filter(subject: Net, factor: float) -> Net:
    """The first filter multiplied."""
    first, *rest = subject.couplings
    return replace(subject, couplings=(replace(first, filter=first.filter * factor), *rest))


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(specs(energy=True), seeds)
def test_messages_are_those_of_the_explicit_matrix(spec: dict[str, Any], seed: int) -> None:
    """C z of this package, written out by its other path, and by torch."""
    made = drawn(spec, seed)
    if made is None or made.units > 300:
        return
    subject, whole = net_of(made), written_out(made)
    z = {
        name: values[0] for name, values in made.split(np.random.default_rng(seed).standard_normal(made.units)).items()
    }
    found = coupled(Planes(subject), parts(subject, np.asarray), z)
    flat = np.concatenate([z[layer.name].ravel() for layer in subject.layers])
    image = np.concatenate([found[layer.name].ravel() for layer in subject.layers])
    np.testing.assert_allclose(diagonal(made) * flat - image, whole @ flat, atol=1e-9)


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(specs(energy=True, units=("rectified",)), seeds)
def test_largest_terms_are_those_of_the_explicit_matrix(spec: dict[str, Any], seed: int) -> None:
    """T(v)_i = Σ_h max_{j∈h} c_ij v_j by definition; at least that where planes wrap around filters."""
    made = drawn(spec, seed)
    if made is None or made.units > 300:
        return
    subject, positive = net_of(made), made.part("positive")
    coupling = np.diag(diagonal(made)) - written_out(positive)
    v = np.random.default_rng(seed).random(made.units) + 0.1
    inside = [tuple(group) for group in groups(made)]
    assert {frozenset(group) for group in inside} == {frozenset(group) for group in _groups_of(subject)}
    single = set(range(made.units)) - {index for group in inside for index in group}
    wanted = np.zeros(made.units)
    for group in (*inside, *((index,) for index in single)):
        most = (coupling[:, group] * v[list(group)]).max(1)
        most[list(group)] = 0.0
        wanted += most
    layers = {name: values[0] for name, values in made.split(v).items()}
    found = largest(Planes(subject), parts(subject, lambda taps: np.maximum(taps, 0.0)), layers)
    flat = np.concatenate([found[layer.name].ravel() for layer in subject.layers])
    if any(each.circular for each in subject.couplings):
        assert (flat >= wanted - 1e-9).all()
    else:
        np.testing.assert_allclose(flat, wanted, atol=1e-9)


def _groups_of(subject: Net) -> tuple[tuple[int, ...], ...]:
    found, start = list[tuple[int, ...]](), 0
    for layer in subject.layers:
        count = int(np.prod(layer.shape))
        found += groups_of(layer, np.arange(start, start + count).reshape(layer.shape))
        start += count
    return tuple(found)


@pytest.mark.parametrize("spec", [POOLED, CIRCULAR])
def test_the_matrix_written_out_is_that_of_torch(spec: dict[str, Any]) -> None:
    made = form(spec, 0.1)
    np.testing.assert_allclose(explicit(net_of(made)).values, written_out(made), atol=1e-12)


Prove = Callable[[Form], Certificate | None]
DOMINANCE: dict[str, Prove] = {
    "positive": lambda made: dominance(made, "positive").certificate,
    "absolute": lambda made: dominance(made, "absolute").certificate,
    "torus": lambda made: dominance(made, "positive", torus=True).certificate,
    "groups": lambda made: group_max(made).certificate,
    "torus, groups": lambda made: group_max(made, torus=True).certificate,
}


@pytest.mark.parametrize("prove", DOMINANCE.values(), ids=DOMINANCE.keys())
@pytest.mark.parametrize("spec", [POOLED, CIRCULAR, SIGNED], ids=["pooled", "circular", "signed"])
def test_dominance(spec: dict[str, Any], prove: Prove) -> None:
    made = form(spec, 0.02)
    proof, subject = prove(made), net(spec, 0.02)
    assert proof is not None
    assert proof.margin > 0.1
    found = verify(subject, proof)
    assert found.holds
    assert found.margin == pytest.approx(proof.margin, abs=1e-9)
    assert not verify(subject, replace(proof, margin=proof.margin + 1e-6)).holds
    assert not verify(subject, replace(proof, arrays=scaled(proof.arrays, 1e-3))).holds
    assert not verify(subject, replace(proof, arrays=scaled(proof.arrays, -1.0))).holds
    assert not verify(subject, replace(proof, arrays=scaled(proof.arrays, np.nan))).holds
    assert not verify(subject, replace(proof, arrays=scaled(proof.arrays, 1e-320))).holds
    assert not verify(other_filter(subject, 3.0), proof).holds
    assert not verify(subject, replace(proof, claim="strict" if proof.claim == "psd" else "psd", margin=1.0)).holds
    assert not verify(subject, replace(proof, arrays={})).holds
    if proof.claim == "strict":
        assert not verify(subject, replace(proof, claim="psd")).holds


def test_signed_layers_count_by_their_absolute_value() -> None:
    """C₊ alone is no bound where units take both signs: flipping every sign of the filter changes nothing."""
    subject = net(SIGNED, 0.1)
    size = np.abs(subject.couplings[0].filter)
    v = {layer.name: np.ones(layer.shape) for layer in subject.layers}
    proof = Certificate("strict", "dominance", -1e3, v, {"part": "positive", "torus": 0, "groups": 0})
    found = [
        verify(replace(subject, couplings=(replace(subject.couplings[0], filter=f),)), proof) for f in (size, -size)
    ]
    assert found[0].margin == found[1].margin < 1


def test_a_torus_has_to_be_one_of_the_net() -> None:
    made = form(POOLED, 0.02)
    proof, subject = group_max(made, torus=True).certificate, net(POOLED, 0.02)
    assert proof is not None
    for name in proof.arrays:
        longer = {**proof.arrays, name: np.repeat(proof.arrays[name], 2, axis=1)}
        found = verify(subject, replace(proof, arrays=longer))
        assert not found.holds
        assert "torus" in found.remarks[0] or "groups" in found.remarks[0]
    tiled = {name: np.tile(values, (1, 2, 3)) for name, values in proof.arrays.items()}
    assert verify(subject, replace(proof, arrays=tiled)).holds
    assert not verify(subject, replace(proof, facts={**proof.facts, "torus": 0})).holds


def test_a_circular_plane_has_to_hold_whole_periods() -> None:
    proof, subject = dominance(form(CIRCULAR, 0.02), torus=True).certificate, net(CIRCULAR, 0.02)
    assert proof is not None
    tiled = {name: np.tile(values, (1, 3, 1)) for name, values in proof.arrays.items()}
    assert not verify(subject, replace(proof, arrays=tiled)).holds


def test_a_torus_speaks_for_the_net_at_other_sizes() -> None:
    """The least eigenvalue of D^-½(D − C₊)D^-½ at larger sizes is no lower than the margin on the torus."""
    proof = dominance(form(POOLED, 0.02), torus=True).certificate
    assert proof is not None
    for rows, columns in ((4, 4), (10, 14)):
        larger = {**POOLED, "inputs": {"x": {"channels": 1, "size": [rows, columns]}}}
        made = form(larger, 0.02)
        assert verify(net_of(made), proof).holds
        roots = np.sqrt(diagonal(made))
        whole = written_out(made.part("positive")) / np.outer(roots, roots)
        assert np.linalg.eigvalsh(whole)[0] >= proof.margin


@pytest.mark.parametrize("spec", [POOLED, CIRCULAR, SIGNED], ids=["pooled", "circular", "signed"])
def test_lanczos(spec: dict[str, Any]) -> None:
    made, subject = form(spec, 0.02), net(spec, 0.02)
    proof = lanczos(made, Budget(20)).certificate
    assert proof is not None
    found = verify(subject, proof)
    assert found.holds
    assert 0 < found.chance <= 0.01
    roots = np.sqrt(diagonal(made))
    least = float(np.linalg.eigvalsh(written_out(made) / np.outer(roots, roots))[0])
    assert found.margin <= least
    assert not verify(subject, replace(proof, margin=least + 1e-6)).holds
    assert not verify(subject, replace(proof, chance=0.5)).holds
    written = verify(subject, replace(proof, chance=0.0))
    assert (written.holds, written.chance) == (True, 0.0)
    assert not verify(subject, replace(proof, chance=0.0, margin=least + 1e-6)).holds
    assert not verify(other_filter(subject, 30.0), proof).holds


@pytest.mark.parametrize("stage", [attenuated, attenuated_by_taps])
def test_attenuated_inhibition(stage: Callable[[Form, Budget], Any]) -> None:
    made, subject = form(POOLED, 0.05), net(POOLED, 0.05)
    proof = stage(made, Budget(10)).certificate
    assert proof is not None
    assert proof.kind == "spn"
    assert proof.margin > 0
    assert verify(subject, proof).holds
    assert not verify(subject, replace(proof, margin=1.0)).holds
    assert not verify(subject, replace(proof, claim="psd")).holds
    assert not verify(other_filter(subject, 30.0), proof).holds
    for name, values in proof.arrays.items():
        changed = np.full_like(values, -1.5 if name != "groups" else 50.0)
        assert not verify(subject, replace(proof, arrays={**proof.arrays, name: changed})).holds
    likely = replace(proof, chance=1e-6, facts={"steps": 100})
    assert verify(subject, replace(likely, margin=0.99 * proof.margin)).holds
    missing = dict(list(proof.arrays.items())[1:])
    assert not verify(subject, replace(proof, arrays=missing)).holds


def test_inhibition_of_signed_layers_has_to_be_kept() -> None:
    subject = net(SIGNED, 0.02)
    kept = Certificate("strict", "spn", 0.01, {"couplings": np.ones(1)}, {"steps": 50}, 1e-6)
    assert verify(subject, kept).holds
    assert not verify(subject, replace(kept, arrays={"couplings": np.full(1, 0.9)})).holds


def test_a_certificate_of_the_matrix_written_out() -> None:
    """`facts["matrix"]`: the net is written out, groups and all."""
    subject = net(POOLED, 0.02)
    proof = Certificate("strict", "dominance", 0.01, {"v": np.ones(subject.units)}, {"groups": 1, "matrix": 1})
    assert verify(subject, proof).holds
    assert not verify(subject, replace(proof, margin=0.99)).holds
    assert not verify(other_filter(subject, 30.0), proof).holds
    assert not verify(net(SIGNED, 0.02), replace(proof, arrays={"v": np.ones(64)})).holds


def ray(subject: Net, seed: int = 0) -> dict[str, Array]:
    """z in the cone along which excitation is large: the top vector, made one of the cone."""
    random = np.random.default_rng(seed)
    z = {layer.name: np.zeros(layer.shape) for layer in subject.layers}
    for layer in subject.layers:
        z[layer.name][:: layer.group[0], :: layer.group[1], :: layer.group[2]] = random.random()
    return z


def quotient(made: Form, z: Mapping[str, Array]) -> float:
    flat = np.concatenate([z[block.name].ravel() for block in made.blocks])
    return float(flat @ written_out(made) @ flat / (flat @ (diagonal(made) * flat)))


def test_rays() -> None:
    made = form(POOLED, 1.0).part("positive")
    subject, z = net_of(made), ray(net_of(made))
    value = quotient(made, z)
    assert value < -0.5
    proof = Witness("copositive", z, value, 1e-12)
    found = verify(subject, proof)
    assert found.holds
    assert found.margin == pytest.approx(value)
    below = {name: -each for name, each in z.items()}
    assert not verify(subject, replace(proof, arrays=below)).holds
    assert verify(subject, replace(proof, arrays=below, refutes="psd")).holds
    assert not verify(subject, replace(proof, value=value - 1e-3)).holds
    assert not verify(subject, replace(proof, arrays={name: 0 * each for name, each in z.items()})).holds
    assert not verify(subject, replace(proof, arrays={name: each + np.nan for name, each in z.items()})).holds
    assert not verify(subject, replace(proof, arrays={"h1": z["h1"]})).holds
    assert not verify(net_of(made.scaled(0.01)), proof).holds
    for name in ("h1", "h3"):
        crowded = {**z, name: np.ones_like(z[name])}
        found = verify(subject, replace(proof, arrays=crowded))
        assert not found.holds
        assert f"in a group of '{name}'" in found.remarks[0]


def test_a_zero_is_settled_exactly() -> None:
    """z_1 and z_2 with w = d: A = [[1, −1], [−1, 1]] is 0 at (1, 1), and nothing short of exact arithmetic tells."""
    spec = {
        "lvmc": 1,
        "name": "two",
        "inputs": {"x": {"channels": 1, "size": [1, 1]}},
        "layers": {"h1": {"channels": 1, "filter": 1}, "h2": {"channels": 1, "filter": 1}},
    }
    subject = net(spec, 0.0)
    one = replace(subject.couplings[0], filter=np.ones((1, 1, 1, 1)))
    z = {"h1": np.full((1, 1, 1), 0.1), "h2": np.full((1, 1, 1), 0.1)}
    zero = Witness("strict", z, 0.0)
    assert verify(replace(subject, couplings=(one,)), zero).holds
    assert not verify(replace(subject, couplings=(one,)), replace(zero, refutes="copositive")).holds
    short = replace(one, filter=np.full((1, 1, 1, 1), 1 - 2.0**-53))
    assert not verify(replace(subject, couplings=(short,)), zero).holds
    more = replace(one, filter=np.full((1, 1, 1, 1), 1 + 2.0**-52))
    ray_of = replace(zero, refutes="copositive", value=-(2.0**-52))
    assert verify(replace(subject, couplings=(more,)), ray_of).holds
