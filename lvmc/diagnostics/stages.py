"""The stages that decide a form, the cheapest proof first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.bounds import lower_of
from lvmc.diagnostics.dense import dense
from lvmc.diagnostics.dominance.dominance import dominance
from lvmc.diagnostics.dominance.group_max import group_max
from lvmc.diagnostics.dominance.pairs import pairs
from lvmc.diagnostics.dominance.torus import torus_of
from lvmc.diagnostics.rays.search import search
from lvmc.diagnostics.semidefinite.lanczos import STAGE as LANCZOS
from lvmc.diagnostics.semidefinite.lanczos import lanczos
from lvmc.diagnostics.semidefinite.spn import attenuated
from lvmc.diagnostics.semidefinite.spn_taps import attenuated_by_taps
from lvmc.graph.form import Form

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
    """Groups of g units lower the bound by g at most: in a large net that is too far from safe they are left out."""
    largest = max((block.group.units for block in form.blocks if block.group is not None), default=1)
    return _grouped(form, found) and _tiles(form, found) and (form.units <= LIGHT or 1 - lower_of(found) < largest)


def _tiles_safely(form: Form, found: Sequence[Bound]) -> bool:
    """ρ(|C|) ≥ ρ(C₊): where dominance of C₊ on the torus proved nothing, that of |C| does not either."""
    weighed = {"part": "positive", "torus": 1, "groups": 0}
    known = [b for b in found if b.certificate is not None and weighed.items() <= b.certificate.facts.items()]
    return _tiles(form, found) and all(bound.lower > 0 for bound in known)


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
    Step("space", _tiles_safely, _torus_absolute),
    Step("space", _always, lanczos),
    Step("cone", _affords_few, attenuated, lanczos_runs=3.0),
    Step("cone", _affords, attenuated_by_taps, lanczos_runs=3.0),
    Step("cone", _always, _long_search, proves=False),
)
