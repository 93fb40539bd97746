"""The exact decision on the explicit matrix of a small net."""

from __future__ import annotations

from dataclasses import replace

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.explicit import explicit, groups
from lvmc.graph.form import Form
from lvmc.matrices import copositivity
from lvmc.verdicts import Certificate, Witness

STAGE = "explicit matrix"


def dense(form: Form, budget: Budget) -> Bound:
    """What `copositivity` says of the explicit A.

    The certificate speaks of the matrix (`facts["matrix"]` is 1), units in the order of `Form.join`; the witness is
    split into layers. Not for forms with signed layers, whose units are no orthant.
    """
    budget.tell(STAGE, 0.0)
    verdict = copositivity(explicit(form), groups(form), time_limit=budget.left)
    certificate = None if verdict.certificate is None else of_matrix(verdict.certificate)
    witness = None if verdict.witness is None else _by_layer(form, verdict.witness)
    verdict = replace(verdict, certificate=certificate, witness=witness)
    lower, upper = verdict.bounds
    return Bound(STAGE, lower, upper, certificate, witness, verdict.seconds, verdict.method, verdict)


def of_matrix(certificate: Certificate) -> Certificate:
    """The certificate, marked as one of an explicit matrix."""
    return replace(certificate, facts={**certificate.facts, "matrix": 1})


def _by_layer(form: Form, witness: Witness) -> Witness:
    layers = form.split(witness.arrays["z"])
    return replace(witness, arrays={name: values[0] for name, values in layers.items()})
