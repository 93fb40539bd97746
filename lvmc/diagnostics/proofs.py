"""The proofs of a check, each with what it speaks of: to be saved, and checked again."""

from __future__ import annotations

from typing import NamedTuple

from lvmc.diagnostics.answers import Check
from lvmc.diagnostics.boundedness import free_layers
from lvmc.diagnostics.explicit import explicit, groups
from lvmc.graph.form import Form
from lvmc.verdicts import Certificate, Witness
from lvmc.verdicts.subjects import Subject, matrix_of, net_of


class Proof(NamedTuple):
    """A certificate or a witness under a name, and the matrix or net that it speaks of."""

    name: str
    subject: Subject
    proof: Certificate | Witness


def proofs(check: Check) -> list[Proof]:
    """As far as there are any: the `certificate`, the `witness`, and the certificate on the layers that can `grow`."""
    form, growing = check.form, check.growing
    if form is None:
        return []
    named = [("certificate", form, check.certificate), ("witness", form, check.witness)]
    if growing is not None and growing.certificate is not None:
        named.append(("growing.certificate", free_layers(form), growing.certificate))
    return [Proof(name, _subject(of, proof), proof) for name, of, proof in named if proof is not None]


def _subject(form: Form, proof: Certificate | Witness) -> Subject:
    """The explicit matrix, for a certificate found on it (`facts["matrix"]` is 1); otherwise the net."""
    if isinstance(proof, Certificate) and proof.facts.get("matrix") == 1:
        return matrix_of(explicit(form), groups(form))
    return net_of(form)
