"""Repeats on changed weights the proof that did best on the given ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.dense import dense
from lvmc.diagnostics.dominance.dominance import dominance
from lvmc.diagnostics.dominance.group_max import group_max
from lvmc.diagnostics.semidefinite.lanczos import lanczos
from lvmc.diagnostics.semidefinite.spn import attenuated
from lvmc.diagnostics.semidefinite.spn_taps import attenuated_by_taps
from lvmc.graph.form import Form
from lvmc.verdicts import Certificate

Prover = Callable[[Form, Budget], Bound]


def best_bound(found: Sequence[Bound]) -> Bound | None:
    """The stage with the largest lower bound that has a proof, whatever its sign."""
    proofs = [bound for bound in found if bound.certificate is not None]
    return max(proofs, key=_lower, default=None)


def prover_of(proof: Certificate) -> Prover:
    """The stage that makes such a certificate."""
    facts = proof.facts
    if facts.get("matrix") == 1:
        return dense
    match proof.kind:
        case "dominance" if facts.get("groups") == 1:
            return partial(_group_max, facts.get("torus") == 1)
        case "dominance":
            return partial(_dominance, facts.get("part") == "absolute", facts.get("torus") == 1)
        case "lanczos":
            return lanczos
        case "spn" if "couplings" in proof.arrays:
            return attenuated
        case "spn":
            return attenuated_by_taps
        case kind:
            raise ValueError(f"no stage makes certificates of kind {kind!r}")


def _dominance(absolute: bool, torus: bool, form: Form, budget: Budget) -> Bound:
    return dominance(form, "absolute" if absolute else "positive", torus, budget)


def _group_max(torus: bool, form: Form, budget: Budget) -> Bound:
    return group_max(form, torus, budget)


def _lower(bound: Bound) -> float:
    return bound.lower
