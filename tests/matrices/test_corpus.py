"""Verdicts on the corpus: none wrong, ninety-nine in a hundred exact, every witness and bound checked in rationals."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from functools import cache
from statistics import median

import numpy as np
import pytest
from hypothesis import event, given, settings

from lvmc.matrices import copositivity
from lvmc.verdicts import Verdict

from .corpus import corpus, large
from .record import Record
from .reference import Answers, Array, Groups, by_determinants, form, how_many_supports, in_cone, is_psd, least_ratio
from .tiny import Case, cases

RECORDS = {record.name: record for record in (*corpus(), *large())}
by_record = pytest.mark.parametrize("record", RECORDS.values(), ids=RECORDS)
LAX_SECONDS = 60.0
"""Well above the time limit of 10 s: the machine may be shared."""


@cache
def verdict_of(name: str) -> Verdict:
    return copositivity(RECORDS[name].matrix, RECORDS[name].groups)


@by_record
def test_verdict(record: Record) -> None:
    verdict = verdict_of(record.name)
    check_answers(record, verdict)
    check_bounds(record, verdict)
    check_certificate(record, verdict)
    check_witness(record.matrix, record.groups, verdict)


def check_answers(record: Record, verdict: Verdict) -> None:
    """None is wrong."""
    assert verdict.copositive in {None, record.copositive}, record.source
    assert verdict.strict in {None, record.strict}, record.source
    assert verdict.psd in {None, record.psd}
    assert verdict.seconds < LAX_SECONDS


def check_bounds(record: Record, verdict: Verdict) -> None:
    """Around what is known of the least zᵀAz/zᵀDz: its sign, what the ray attains, all of it on few supports."""
    low, high = verdict.bounds
    assert low <= high
    assert low < 0 if not record.copositive else low <= 0 or record.strict
    assert high > 0 if record.strict else high >= 0 or not record.copositive
    if record.ray is not None:
        assert low <= ratio(record.matrix, record.ray) + 1e-12
    if few_supports(record):
        least = least_ratio(record.matrix, record.groups)
        assert low - 1e-9 <= least <= high + 1e-9


def check_certificate(record: Record, verdict: Verdict) -> None:
    """It claims what the verdict says, and no more than is so."""
    certificate = verdict.certificate
    if certificate is None:
        assert not verdict.copositive
        assert not verdict.psd
        return
    answers = {"strict": verdict.strict, "copositive": verdict.copositive, "psd": verdict.psd}
    known = {"strict": record.strict, "copositive": record.copositive, "psd": record.psd}
    assert answers[certificate.claim] is True
    assert known[certificate.claim]
    assert certificate.claim == "strict" or not verdict.strict or certificate.margin > 0
    assert certificate.chance == 0
    if record.ray is not None:
        assert certificate.margin <= ratio(record.matrix, record.ray) + 1e-12
    if few_supports(record):
        assert certificate.margin <= least_ratio(record.matrix, record.groups) + 1e-9


def test_nearly_every_verdict_is_exact() -> None:
    """At most one in a hundred undecided at n ≤ 40; run with -s for the times."""
    verdicts = {record.name: verdict_of(record.name) for record in corpus()}
    undecided = [name for name, verdict in verdicts.items() if None in {verdict.copositive, verdict.strict}]
    seconds = {name: verdict.seconds for name, verdict in verdicts.items()}
    slowest = sorted(seconds, key=seconds.__getitem__, reverse=True)[:8]
    print(f"\n{len(verdicts)} verdicts, {len(undecided)} undecided: {undecided}")
    print(
        f"median {1e3 * median(seconds.values()):.1f} ms; slowest",
        *(f"{name} {seconds[name]:.2f} s;" for name in slowest),
    )
    print(Counter(verdict.method for verdict in verdicts.values()).most_common())
    assert len(undecided) <= 0.01 * len(verdicts)


def test_what_the_large_ones_give() -> None:
    """n = 50–64: more than half of them decided, within the default time limit."""
    verdicts = {record.name: verdict_of(record.name) for record in large()}
    undecided = [name for name, verdict in verdicts.items() if None in {verdict.copositive, verdict.strict}]
    print(f"\n{len(verdicts)} verdicts at n ≥ 50, undecided: {undecided}")
    print(*(f"{name} {verdict.seconds:.2f} s;" for name, verdict in verdicts.items()))
    assert len(undecided) < len(verdicts) / 2


@settings(max_examples=150, deadline=None)
@given(cases(largest=7))
def test_small_integers_are_decided_as_the_reference_does(case: Case) -> None:
    verdict = copositivity(case.matrix, case.groups)
    event(f"{verdict.copositive}, {verdict.strict}")
    assert Answers(bool(verdict.copositive), bool(verdict.strict)) == by_determinants(case.matrix, case.groups)
    assert None not in {verdict.copositive, verdict.strict}
    assert verdict.psd in {None, is_psd(case.matrix)}
    check_witness(case.matrix, case.groups, verdict)


def few_supports(record: Record) -> bool:
    return how_many_supports(record.size, record.groups) < 600


def ratio(matrix: Array, z: Array) -> Fraction:
    """zᵀAz/zᵀDz, D the diagonal of A, 1 where that is not above 0."""
    diagonal = np.diag(matrix)
    return form(matrix, z) / form(np.diag(np.where(diagonal > 0, diagonal, 1.0)), z)


def check_witness(matrix: Array, groups: Groups, verdict: Verdict) -> None:
    """z of the strongest claim refuted, evaluated in rationals, and its stated value."""
    claims = {"copositive": verdict.copositive, "strict": verdict.strict, "psd": verdict.psd}
    refuted = [claim for claim, answer in claims.items() if answer is False]
    witness = verdict.witness
    if witness is None:
        assert not refuted
        return
    assert witness.refutes == refuted[0]
    z = witness.arrays["z"]
    assert z.shape == (len(matrix),)
    assert np.any(z)
    value = form(matrix, z)
    assert value <= 0 if witness.refutes == "strict" else value < 0
    assert witness.refutes == "psd" or in_cone(z, groups)
    assert abs(float(ratio(matrix, z)) - witness.value) <= witness.error + 1e-12
