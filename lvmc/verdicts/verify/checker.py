"""Checks a proof again: finds its kind's checker, and compares what that proves with what is stated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from math import inf, isfinite
from time import monotonic

from lvmc.verdicts.records import Certificate, Claim, Witness
from lvmc.verdicts.subjects import Matrix, Net, Subject
from lvmc.verdicts.verify.explicit import explicit
from lvmc.verdicts.verify.likely import net_lanczos, net_spn
from lvmc.verdicts.verify.matrices import dominance, semidefinite, spn
from lvmc.verdicts.verify.nets import net_dominance
from lvmc.verdicts.verify.rays import net_witness
from lvmc.verdicts.verify.tree import tree
from lvmc.verdicts.verify.verification import BrokenError, Found, Verification, failed
from lvmc.verdicts.verify.witnesses import matrix_witness
from lvmc.verdicts.wellformed import fault_of

OF_MATRICES: Mapping[str, Callable[[Matrix, Certificate], Found]] = {
    "dominance": dominance,
    "psd": semidefinite,
    "spn": spn,
    "tree": tree,
}
OF_NETS: Mapping[str, Callable[[Net, Certificate], Found]] = {
    "dominance": net_dominance,
    "lanczos": net_lanczos,
    "spn": net_spn,
}
WORDS: Mapping[Claim, str] = {
    "psd": "positive semidefinite",
    "strict": "strictly copositive",
    "copositive": "copositive",
}
BEYOND_CONE = {"psd", "lanczos"}
"""Kinds that prove zᵀAz ≥ 0 for every z; dominance does where its part is absolute."""


def verify(subject: Subject, proof: Certificate | Witness) -> Verification:
    """Check a certificate or a witness again, by code of its own.

    Args:
        subject: The matrix or the net it speaks of.
        proof: The certificate or the witness.

    Returns:
        Whether the claim follows with the margin (the value) stated, and what was looked at. A proof that is not what
        its kind needs does not hold; nothing is raised.
    """
    start = monotonic()
    try:
        if fault := fault_of(subject):
            raise BrokenError(fault)
        found = _certificate(subject, proof) if isinstance(proof, Certificate) else _witness(subject, proof)
    except BrokenError as error:
        found = failed(str(error))
    remarks = (found.fault, *found.remarks) if found.fault else found.remarks
    claim = claim_of(subject, proof)
    return Verification(not found.fault, claim, found.margin, found.chance, found.checked, monotonic() - start, remarks)


def claim_of(subject: Subject, proof: Certificate | Witness) -> str:
    """What a proof says, in words."""
    what = (
        f"the net '{subject.name}'"
        if isinstance(subject, Net)
        else f"the {len(subject.values)} × {len(subject.values)} matrix"
    )
    of = f"A = D − C of {what}" if isinstance(subject, Net) else what
    if isinstance(proof, Witness):
        return f"{of} is not {WORDS[proof.refutes]}: zᵀAz/zᵀDz = {proof.value:.6g} at the z given"
    return f"{of} is {WORDS[proof.claim]}: zᵀAz ≥ {proof.margin:.6g} zᵀDz"


def _certificate(subject: Subject, proof: Certificate) -> Found:
    if not isfinite(proof.margin):
        raise BrokenError(f"its margin is {proof.margin}")
    if isinstance(subject, Net) and proof.facts.get("matrix", 0) == 1:
        subject = explicit(subject)
    found = _checked(subject, proof)
    if found.fault:
        return found
    if proof.margin > found.margin + found.slack:
        return replace(found, fault=f"the margin stated, {proof.margin:.9g}, is not proved: only {found.margin:.9g} is")
    if found.margin < 0 or proof.margin < 0 or (proof.claim == "strict" and not (found.margin > 0 < proof.margin)):
        needed = "above 0" if proof.claim == "strict" else "0 or more"
        return replace(found, fault=f"'{proof.claim}' needs a margin {needed}")
    return found


def _checked(subject: Subject, proof: Certificate) -> Found:
    of_net = isinstance(subject, Net)
    known = OF_NETS if of_net else OF_MATRICES
    if proof.kind not in known:
        what = "net" if of_net else "matrix"
        raise BrokenError(f"no certificate of a {what} is of kind '{proof.kind}'; known are {', '.join(known)}")
    beyond = proof.kind in BEYOND_CONE or (of_net and proof.facts.get("part") == "absolute")
    if proof.claim == "psd" and not beyond:
        raise BrokenError(f"'{proof.kind}' proves nothing beyond the cone, which 'psd' speaks of")
    return OF_NETS[proof.kind](subject, proof) if isinstance(subject, Net) else OF_MATRICES[proof.kind](subject, proof)


def _witness(subject: Subject, proof: Witness) -> Found:
    found = net_witness(subject, proof) if isinstance(subject, Net) else matrix_witness(subject, proof)
    if not found.fault and not abs(found.margin - proof.value) <= max(found.slack, 0.0) < inf:
        return replace(found, fault=f"zᵀAz/zᵀDz is {found.margin:.9g}, not the {proof.value:.9g} that is stated")
    return found
