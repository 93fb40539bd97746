"""Proofs of matrices: true ones hold, and each kind stops holding when anything in it is changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lvmc.matrices import copositivity
from lvmc.verdicts import Array, Certificate, Witness
from lvmc.verdicts.subjects import matrix_of
from lvmc.verdicts.verify import verify

from .subjects import HORN

I5 = np.eye(5)
PSD = np.array([[2.0, -1, 0], [-1, 2, -1], [0, -1, 1]])
GROUPED = np.array([[1.0, -0.7, -0.7], [-0.7, 1, 0], [-0.7, 0, 1]])
"""Strictly copositive only where the last two are one group."""


def holds(values: Array, proof: Certificate | Witness | None, groups: Sequence[Sequence[int]] = ()) -> bool:
    assert proof is not None
    return verify(matrix_of(values, groups), proof).holds


DOMINANT = Certificate("strict", "dominance", 0.25, {"v": np.array([1.0, 1, 1])}, {"groups": 1})


def test_dominance_with_groups() -> None:
    groups = [[1, 2]]
    assert holds(GROUPED, DOMINANT, groups)
    assert not holds(GROUPED, DOMINANT)
    assert not holds(GROUPED, replace(DOMINANT, facts={"groups": 0}), groups)
    assert not holds(GROUPED, replace(DOMINANT, margin=0.3000001), groups)
    assert not holds(GROUPED, replace(DOMINANT, arrays={"v": np.array([1.0, 1, 2])}), groups)
    assert not holds(GROUPED, replace(DOMINANT, claim="psd"), groups)
    assert not holds(1.2 * GROUPED - 0.2 * np.eye(3), DOMINANT, groups)


def test_dominance_on_its_very_edge_is_decided_exactly() -> None:
    """1 − 0.75 = 0.25 in floats too: the least margin more is refused."""
    values = np.array([[1.0, -0.75], [-0.75, 1.0]])
    proof = Certificate("strict", "dominance", 0.25, {"v": np.ones(2)}, {"groups": 0})
    assert holds(values, proof)
    assert not holds(values, replace(proof, margin=float(np.nextafter(0.25, 1))))


def test_semidefinite() -> None:
    proof = Certificate("psd", "psd", 0.05)
    assert holds(PSD, proof)
    assert holds(PSD, replace(proof, claim="strict"))
    assert not holds(PSD, replace(proof, margin=0.2))
    assert not holds(PSD - 0.2 * I5[:3, :3], proof)
    singular = np.array([[1.0, -1], [-1, 1]])
    assert holds(singular, Certificate("psd", "psd", 0.0))
    assert not holds(singular, Certificate("strict", "psd", 0.0))
    assert not holds(np.array([[1.0, -1 - 2**-52], [-1 - 2**-52, 1]]), Certificate("psd", "psd", 0.0))


def test_a_semidefinite_and_a_nonnegative_part() -> None:
    kept = np.array([[0.0, 2, 0], [2, 0, 0], [0, 0, 0]])
    proof = Certificate("strict", "spn", 0.05, {"N": kept})
    assert holds(PSD + kept, proof)
    assert not holds(PSD, proof)
    assert not holds(PSD + kept, replace(proof, claim="psd"))
    assert not holds(PSD + kept, replace(proof, margin=0.5))
    assert not holds(PSD - kept, replace(proof, arrays={"N": -kept}))
    assert holds(PSD - kept, replace(proof, arrays={"N": -kept}), [[0, 1]])
    assert not holds(PSD + kept, replace(proof, arrays={"N": np.triu(kept)}))
    assert not holds(PSD + kept, replace(proof, arrays={}))


@pytest.mark.parametrize(("lift", "claim"), [(0.0, "copositive"), (2.0**-10, "strict")])
def test_a_branching(lift: float, claim: str) -> None:
    values = HORN + lift * I5
    proof = copositivity(values).certificate
    assert proof is not None
    assert (proof.kind, proof.claim) == ("tree", claim)
    assert holds(values, proof)
    assert not holds(values - 2.0**-9 * I5, proof)
    assert not holds(values, replace(proof, margin=proof.margin + 2.0**-9))
    assert not holds(values, replace(proof, arrays={**proof.arrays, "w": -proof.arrays["w"]}))
    operations = proof.arrays["ops"]
    for cut in range(len(operations)):
        assert not holds(values, replace(proof, arrays={**proof.arrays, "ops": operations[:cut]}))
    longer = np.concatenate([operations, operations[-1:]])
    assert not holds(values, replace(proof, arrays={**proof.arrays, "ops": longer}))
    assert not holds(values, replace(proof, arrays={**proof.arrays, "ops": operations + 7}))


@pytest.mark.parametrize("code", [1, 2, 4, 5, 6])
def test_no_leaf_closes_a_tree_of_a_matrix_that_is_not_copositive(code: int) -> None:
    values = HORN - 2.0**-10 * I5
    for branch in range(5):
        steps = np.array([[0.0, branch], *([[code, 0.0]] * 4)])
        for count in (1, 3, 4, 5):
            arrays = {"w": np.ones(5), "ops": steps[:count], "data": np.ones(0)}
            assert not holds(values, Certificate("copositive", "tree", 0.0, arrays))


def test_witnesses() -> None:
    values = HORN - 2.0**-10 * I5
    z = np.array([1.0, 1, 0, 0, 0])
    value = -(2.0**-10) / (1 - 2.0**-10)
    proof = Witness("copositive", {"z": z}, value, 1e-15)
    assert holds(values, proof)
    assert not holds(values, replace(proof, value=-0.5))
    assert not holds(values, replace(proof, arrays={"z": -z}))
    assert not holds(values, replace(proof, arrays={"z": 0 * z}))
    assert not holds(values, replace(proof, arrays={"z": z[:4]}))
    assert not holds(values, replace(proof, arrays={"z": z + np.inf}))
    assert not holds(values, proof, [[0, 1]])
    assert not holds(HORN, replace(proof, value=0.0))
    assert holds(HORN, Witness("strict", {"z": z}, 0.0))
    assert not holds(HORN + 2.0**-40 * I5, Witness("strict", {"z": z}, 0.0))
    assert holds(values, Witness("psd", {"z": -z}, value, 1e-15))
    assert not holds(HORN, Witness("psd", {"z": z}, 0.0))


def test_a_witness_of_several_limbs_is_their_exact_sum() -> None:
    """zᵀAz = (z_0 − 3 z_1)²/9 is 0 at z = (3, 1)·(1 + 2⁻⁶⁰) only."""
    values = np.array([[1.0, -3.0], [-3.0, 9.0]])
    whole, rest = np.array([3.0, 1.0]), np.array([3.0, 1.0]) * 2.0**-60
    assert holds(values, Witness("strict", {"z": whole, "z:1": rest}, 0.0))
    assert not holds(values, Witness("strict", {"z": whole, "z:1": rest * [1, 2]}, 0.0))
    assert not holds(values, Witness("strict", {"z": whole, "other": rest}, 0.0))


def test_what_is_no_certificate_does_not_hold() -> None:
    for proof in (
        Certificate("strict", "belief", 0.5),
        Certificate("strict", "dominance", np.nan, {"v": np.ones(3)}),
        Certificate("strict", "dominance", 0.1, {"v": np.array([1.0, np.nan, 1.0])}),
        Certificate("strict", "dominance", 0.1, {"v": np.full(3, np.inf)}),
        Certificate("strict", "tree", 0.1, {"w": np.ones(3), "ops": np.full((2, 2), np.nan)}),
        Certificate("strict", "lanczos", 0.1, chance=1e-6),
    ):
        found = verify(matrix_of(PSD), proof)
        assert not found.holds
        assert found.remarks
    assert not verify(replace(matrix_of(PSD), values=np.triu(PSD)), Certificate("psd", "psd", 0.0)).holds
    assert not verify(replace(matrix_of(PSD), groups=((0, 7),)), Certificate("psd", "psd", 0.0)).holds


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_copositivity_proves_holds_and_nothing_better_does(seed: int) -> None:
    """A margin above the value at a vector of the cone is false, and must not be verified."""
    random = np.random.default_rng(seed)
    size = int(random.integers(2, 9))
    factor = random.standard_normal((size, size))
    values = np.round((factor + factor.T) * random.uniform(0.1, 0.6), int(random.integers(1, 12)))
    np.fill_diagonal(values, 1.0)
    groups = [[0, size - 1]] if size > 2 and random.random() < 0.5 else []
    verdict = copositivity(values, groups, time_limit=2.0)
    for proof in (verdict.certificate, verdict.witness):
        assert proof is None or holds(values, proof, groups)
    if verdict.certificate is not None:
        least = verdict.bounds[1]
        better = max(least, verdict.certificate.margin) + 1e-6
        assert not holds(values, replace(verdict.certificate, margin=better), groups)
