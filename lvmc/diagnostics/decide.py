"""Decides the form of a net over its cone: the cheapest proof first, both bounds kept, within a budget."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Literal

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.dense import dense
from lvmc.diagnostics.dominance.dominance import dominance
from lvmc.diagnostics.dominance.group_max import group_max
from lvmc.diagnostics.dominance.pairs import pairs
from lvmc.diagnostics.dominance.torus import torus_of
from lvmc.diagnostics.rays.search import search, verified
from lvmc.diagnostics.semidefinite.lanczos import STAGE as LANCZOS
from lvmc.diagnostics.semidefinite.lanczos import lanczos
from lvmc.diagnostics.semidefinite.spn import attenuated
from lvmc.diagnostics.semidefinite.spn_taps import attenuated_by_taps
from lvmc.graph.form import Form
from lvmc.verdicts import Answer, Array, Certificate, Verdict, Witness

TINY, SMALL = 64, 400
"""Units up to which the explicit matrix is decided first, and at all."""
LIGHT = 20_000
"""Units up to which every stage is tried."""
NEAR = 0.2
"""How far below 0 a torus's bound may be for the one at finite size, a few percent better, to be worth its time."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage: the question it answers (over the cone or over all of space), where it applies, and what it runs.

    Those that do not prove only look for a witness. Those that repeat Lanczos runs need a few times the time of one.
    """

    asks: Literal["cone", "space"]
    applies: Callable[[Form, Sequence[Bound]], bool]
    run: Callable[[Form, Budget], Bound]
    proves: bool = True
    lanczos_runs: float = 0.0

    def fits(self, form: Form, found: Sequence[Bound], budget: Budget) -> bool:
        """Whether it applies, and can be expected to end within the time left."""
        spent = max((bound.seconds for bound in found if bound.stage == LANCZOS), default=0.0)
        return budget.left > self.lanczos_runs * spent and self.applies(form, found)


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


def lower_of(found: Sequence[Bound]) -> float:
    """Best lower bound on the least zᵀAz/zᵀDz over K."""
    return max((bound.lower for bound in found), default=-inf)


def upper_of(found: Sequence[Bound]) -> float:
    """Best upper bound on it."""
    return min((bound.upper for bound in found if not _off_cone(bound)), default=inf)


def nearest_witness(found: Sequence[Bound]) -> Witness | None:
    """The state of K with the least zᵀAz/zᵀDz that was found, whether or not it refutes."""
    states = [bound.witness for bound in found if bound.witness is not None and bound.witness.refutes != "psd"]
    return min(states, key=_value, default=None)


def _always(form: Form, found: Sequence[Bound]) -> bool:
    return True


def _tiny(form: Form, found: Sequence[Bound]) -> bool:
    return form.units <= TINY and not _signed(form)


def _small(form: Form, found: Sequence[Bound]) -> bool:
    return TINY < form.units <= SMALL and not _signed(form)


def _signed(form: Form) -> bool:
    return any(block.signed for block in form.blocks)


def _grouped(form: Form, found: Sequence[Bound]) -> bool:
    return any(block.group is not None and block.group.units > 1 for block in form.blocks)


def _tiles(form: Form, found: Sequence[Bound]) -> bool:
    return torus_of(form).form is not None


def _tiles_groups(form: Form, found: Sequence[Bound]) -> bool:
    return _grouped(form, found) and _tiles(form, found)


def _gains(form: Form, found: Sequence[Bound]) -> bool:
    """Whether the finite size can tell more than the torus did: where there is none, or little is missing."""
    return form.units <= LIGHT or not _tiles(form, found) or lower_of(found) > -NEAR


def _gains_groups(form: Form, found: Sequence[Bound]) -> bool:
    return _grouped(form, found) and _gains(form, found)


def _affords(form: Form, found: Sequence[Bound]) -> bool:
    """Whether a search over many attenuations, each step of which is a Lanczos run, is to be thought of."""
    return form.units <= LIGHT


def _affords_few(form: Form, found: Sequence[Bound]) -> bool:
    """The same of one a coupling and a group. In wide nets of random signs they gain next to nothing, groups much."""
    return _affords(form, found) or _grouped(form, found)


def _torus_dominance(form: Form, budget: Budget) -> Bound:
    return dominance(form, "positive", True, budget)


def _torus_absolute(form: Form, budget: Budget) -> Bound:
    return dominance(form, "absolute", True, budget)


def _dominance(form: Form, budget: Budget) -> Bound:
    return dominance(form, "positive", False, budget)


def _torus_groups(form: Form, budget: Budget) -> Bound:
    return group_max(form, True, budget)


def _groups(form: Form, budget: Budget) -> Bound:
    return group_max(form, False, budget)


def _along(form: Form, ray: Mapping[str, Array], budget: Budget) -> Bound:
    """A ray that a diverging run left behind, verified."""
    start = budget.spent
    witness = verified(form, ray)
    upper = inf if witness is None else witness.value + witness.error
    remark = "" if witness else "the direction that the run left behind does not refute"
    return Bound("ray of the diverging passes", -inf, upper, None, witness, budget.spent - start, remark)


def _glance(form: Form, budget: Budget) -> Bound:
    return search(form, budget.part(0.3), enough=True)


def _long_search(form: Form, budget: Budget) -> Bound:
    return search(form, budget, enough=False)


STEPS = (
    Step("cone", _always, pairs, proves=False),
    Step("cone", _tiles, _torus_dominance),
    Step("cone", _tiles_groups, _torus_groups),
    Step("cone", _tiny, dense),
    Step("cone", _always, _glance, proves=False),
    Step("cone", _gains, _dominance),
    Step("cone", _gains_groups, _groups),
    Step("cone", _small, dense),
    Step("space", _tiles, _torus_absolute),
    Step("space", _always, lanczos),
    Step("cone", _affords_few, attenuated, lanczos_runs=3.0),
    Step("cone", _affords, attenuated_by_taps, lanczos_runs=3.0),
    Step("cone", _always, _long_search, proves=False),
)


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
    return min(refuting, key=_value, default=None)


def _refutes(witness: Witness) -> bool:
    return witness.refutes == "strict" or witness.value + witness.error < 0


def _value(witness: Witness) -> float:
    return witness.value + witness.error


def _method(found: Sequence[Bound], strict: Answer) -> str:
    """The stage that settled it."""
    if strict is None:
        return ""
    settling = [b for b in found if (b.verdict is not None and b.verdict.strict is not None) or
                (b.lower > 0 if strict else b.upper < 0 and not _off_cone(b))]  # fmt: skip
    return settling[0].stage if settling else ""


def _exact(found: Sequence[Bound]) -> Verdict | None:
    return next((bound.verdict for bound in found if bound.verdict is not None), None)


def _off_cone(bound: Bound) -> bool:
    """Whether its witness need not lie in K."""
    return bound.witness is not None and bound.witness.refutes == "psd"


def _at_every_size(bound: Bound) -> bool:
    return bound.certificate is not None and bound.certificate.facts.get("every_size") == 1
