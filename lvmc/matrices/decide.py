"""The procedure: cheapest proof first, until copositivity and strictness are both proved or refuted, or time is up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from time import perf_counter

import numpy as np
from numpy.typing import ArrayLike

from lvmc.matrices.diagonals import indefinite_row, low_diagonal, positive_rows
from lvmc.matrices.known import Known
from lvmc.matrices.problem import Problem, powers_of_two, problem
from lvmc.matrices.restored import Map
from lvmc.matrices.stages import STAGES, Clock, needed
from lvmc.verdicts import Certificate, Verdict, Witness


def copositivity(
    A: ArrayLike,  # noqa: N803 (the maths' name)
    groups: Sequence[Sequence[int]] | None = None,
    time_limit: float = 10.0,
) -> Verdict:
    """Is zᵀAz ≥ 0 (> 0) for every z ≥ 0, z ≠ 0, with at most one nonzero entry in a group?

    Floats are taken as the rational numbers that they are: what is proved is proved of exactly this matrix.

    Args:
        A: Symmetric, (n, n), finite.
        groups: Disjoint lists of indices.
        time_limit: Seconds after which what is undecided is left so; a step begun is finished.

    Returns:
        The verdict: answers, two-sided bounds on the least zᵀAz/zᵀDz over the cone (D the diagonal of A, 1 where that
        is not above 0), and a certificate (`certificates.py` says what each kind means) or a witness.

    Raises:
        ValueError: The matrix is not square, not finite or not symmetric; a group is out of range or overlaps.
    """
    clock = Clock(perf_counter(), time_limit)
    asked = problem(A, groups)
    verdict = worded(settled(asked, clock))
    return replace(verdict, seconds=perf_counter() - clock.start, remarks=(*asked.remarks, *verdict.remarks))


def settled(asked: Problem, clock: Clock) -> Known:
    """All that is found about a problem, in its own coordinates."""
    if not asked.size:
        return nothing()
    known = Known().with_vector(low_diagonal(asked), "diagonal")
    if known.refuted:
        return known
    rows = positive_rows(asked)
    core = asked.part(rows)
    scales = powers_of_two(core.matrix)
    scaled = replace(core, matrix=core.matrix * np.outer(scales, scales), scales=scales)
    found = searched(scaled, Known(outside=known.touched), clock) if len(rows) else nothing()
    return joined(asked, known, found, Map(rows, scales))


def nothing() -> Known:
    """What is known of the empty matrix: there is no vector to refute anything."""
    found = Certificate("strict", "dominance", 1.0, {"v": np.zeros(0)}, {"groups": 0})
    return Known(lower=1.0, certificate=found, semidefinite=True, method="diagonal")


def searched(core: Problem, known: Known, clock: Clock) -> Known:
    """All stages on a problem with positive diagonal."""
    for name, stage in STAGES:
        if not needed(name, core, known):
            continue
        if clock.over:
            return known.remarking(f"out of time before the stage {name!r}")
        known = stage(core, known, clock)
    if not known.settled and not known.remarks:
        return known.remarking("no stage decided in time: the least ratio lies between the bounds")
    return known


def joined(asked: Problem, outer: Known, core: Known, to: Map) -> Known:
    """What is known of the whole from what is known of the rows with a positive diagonal, scaled.

    The other rows have a_ii = 0 and nothing negative outside their groups: each adds nonnegative terms only, and e_i
    has ratio 0, so a margin above 0 becomes 0.
    """
    bent, semidefinite = indefinite_row(asked), core.semidefinite
    if bent is not None:
        semidefinite = False
    elif core.bent is not None:
        bent = to.evidence(asked, core.bent)
    lower = min(core.lower, 0.0) if outer.touched else core.lower
    known = replace(core, lower=lower, vector=outer.vector, outside=False, bent=bent, semidefinite=semidefinite)
    if core.vector is not None and (outer.vector is None or core.vector.high < outer.vector.high):
        known = replace(known, vector=to.evidence(asked, core.vector))
    if core.certificate is not None:
        known = replace(known, certificate=to.certificate(asked, core.certificate, known.semidefinite))
    return known


def worded(known: Known) -> Verdict:
    """The verdict that is known."""
    copositive = False if known.refuted else True if known.certified else None
    strict = False if known.touched else True if known.lower > 0 else None
    proof = known.certificate if copositive and known.certificate and known.certificate.margin >= 0 else None
    return Verdict(
        copositive=copositive,
        strict=strict,
        psd=False if known.refuted else known.semidefinite,
        bounds=(known.lower, max(known.upper, known.lower)),
        certificate=proof,
        witness=refutation(known),
        method=known.method or "undecided",
        remarks=known.remarks,
    )


def refutation(known: Known) -> Witness | None:
    """The witness against the strongest claim refuted."""
    if known.vector is not None and known.touched:
        return known.vector.witness("copositive" if known.refuted else "strict")
    return None if known.bent is None else known.bent.witness("psd")
