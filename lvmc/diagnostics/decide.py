"""Decides the form of a net over its cone: stage after stage, both bounds kept, within a budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.bounds import lower_of, off_cone, upper_of, value_of
from lvmc.diagnostics.rays.search import verified
from lvmc.diagnostics.stages import STEPS, Step
from lvmc.graph.form import Form
from lvmc.verdicts import Answer, Array, Certificate, Verdict, Witness


@dataclass(frozen=True)
class Decision:
    """A verdict on a form, what each stage found, and which steps were taken."""

    verdict: Verdict
    stages: tuple[Bound, ...]
    taken: tuple[Step, ...] = ()

    @property
    def every_size(self) -> bool:
        """Whether what is proved does not depend on the image size."""
        return any(bound.lower > 0 and _at_every_size(bound) for bound in self.stages)


def decide(form: Form, budget: Budget, ray: Mapping[str, Array] | None = None) -> Decision:
    """Copositivity of A = D − C over K, and whether A is positive semidefinite; what does not fit stays undecided.

    `ray` is a direction to look along first, by layer: one along which S was seen to grow.
    """
    if not form.blocks:
        return Decision(Verdict(True, True, True, (1.0, 1.0), method="nothing can grow"), ())
    found: list[Bound] = [] if ray is None else [_along(form, ray, budget)]
    taken: list[Step] = []
    for step in STEPS:
        answered = _over_cone(found) is not None and (step.asks == "cone" or _over_space(found) is not None)
        if not answered and step.fits(form, found, budget):
            found.append(step.run(form, budget))
            taken.append(step)
    return Decision(_verdict(found, budget), tuple(found), tuple(taken))


def prove_psd(form: Form, budget: Budget) -> tuple[Bound, ...]:
    """The stages that ask whether A is positive semidefinite, until one says so or refutes it."""
    found: list[Bound] = []
    for step in STEPS:
        if step.asks == "space" and _over_space(found) is None and step.fits(form, found, budget):
            found.append(step.run(form, budget))
    return tuple(found)


def bound_below(form: Form, budget: Budget, known: Decision | None = None) -> tuple[Bound, ...]:
    """What the proving stages say that were not needed for a decision: how far a form is from safe."""
    found: list[Bound] = list(known.stages) if known else []
    before = len(found)
    for step in STEPS:
        if step.proves and not (known and step in known.taken) and step.fits(form, found, budget):
            found.append(step.run(form, budget))
    return tuple(found[before:])


def _along(form: Form, ray: Mapping[str, Array], budget: Budget) -> Bound:
    """A ray that a diverging run left behind, verified."""
    start = budget.spent
    witness = verified(form, ray)
    upper = inf if witness is None else witness.value + witness.error
    remark = "" if witness else "the direction that the run left behind does not refute"
    return Bound("ray of the diverging passes", -inf, upper, None, witness, budget.spent - start, remark)


def _over_cone(found: Sequence[Bound]) -> Answer:
    """Whether A is strictly copositive, as far as the answer ends the search."""
    exact = _exact(found)
    if exact is not None and exact.strict is not None:
        return exact.strict
    return True if lower_of(found) > 0 else False if upper_of(found) < 0 else None


def _over_space(found: Sequence[Bound]) -> Answer:
    exact = _exact(found)
    if exact is not None and exact.psd is not None:
        return exact.psd
    if any(bound.lower > 0 and bound.certificate and bound.certificate.claim == "psd" for bound in found):
        return True
    return False if any(bound.upper < 0 for bound in found) else None


def _verdict(found: Sequence[Bound], budget: Budget) -> Verdict:
    exact, strict, psd = _exact(found), _over_cone(found), _over_space(found)
    copositive = True if strict else exact.copositive if exact else False if strict is False else None
    if copositive is None and psd:
        copositive = True
    late = ("ran out of time: the bounds are what was found until then",) if budget.left == 0 else ()
    return Verdict(
        copositive=copositive,
        strict=strict,
        psd=psd,
        bounds=(lower_of(found), upper_of(found)),
        certificate=_certificate(found, exact),
        witness=_witness(found, copositive, strict),
        method=_method(found, strict),
        seconds=budget.spent,
        remarks=(*(exact.remarks if exact else ()), *late),
    )


def _certificate(found: Sequence[Bound], exact: Verdict | None) -> Certificate | None:
    """The strongest proof: certain before likely, at every size before at one, psd before strict, then by margin."""
    proofs = [bound.certificate for bound in found if bound.certificate is not None and bound.lower > 0]
    if exact is not None and exact.certificate is not None:
        proofs.append(exact.certificate)
    return max(proofs, key=_strength, default=None)


def _strength(proof: Certificate) -> tuple[bool, bool, bool, float]:
    return (proof.chance == 0, proof.facts.get("every_size") == 1, proof.claim == "psd", proof.margin)


def _witness(found: Sequence[Bound], copositive: Answer, strict: Answer) -> Witness | None:
    """What refutes the strongest claim refuted, by the lowest value."""
    claims = ("copositive",) if copositive is False else ("copositive", "strict") if strict is False else ("psd",)
    refuting = [
        bound.witness for bound in found
        if bound.witness is not None and bound.witness.refutes in claims and _refutes(bound.witness)
    ]  # fmt: skip
    return min(refuting, key=value_of, default=None)


def _refutes(witness: Witness) -> bool:
    return witness.refutes == "strict" or witness.value + witness.error < 0


def _method(found: Sequence[Bound], strict: Answer) -> str:
    """The stage that settled it."""
    if strict is None:
        return ""
    settling = [b for b in found if (b.verdict is not None and b.verdict.strict is not None) or
                (b.lower > 0 if strict else b.upper < 0 and not off_cone(b))]  # fmt: skip
    return settling[0].stage if settling else ""


def _exact(found: Sequence[Bound]) -> Verdict | None:
    return next((bound.verdict for bound in found if bound.verdict is not None), None)


def _at_every_size(bound: Bound) -> bool:
    return bound.certificate is not None and bound.certificate.facts.get("every_size") == 1
