"""Looks for a ray of K along which S grows for ever: maximises zᵀCz/zᵀDz by the net's own passes at b = 0."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from time import monotonic

import numpy as np

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.field import Field
from lvmc.diagnostics.rays.ascent import Ascent
from lvmc.diagnostics.rays.cone import project
from lvmc.diagnostics.rays.ray import witness_at
from lvmc.diagnostics.rays.reduced import reduced, spread
from lvmc.diagnostics.semidefinite.flat import precision_for
from lvmc.diagnostics.semidefinite.lanczos import top_vector
from lvmc.graph.form import Array, Form
from lvmc.verdicts import Witness

STAGE = "witness search"
SWEEPS, RITZ_STEPS = 150, 12
RANDOM_STARTS = {True: 12, False: 3}
"""For small nets, where a start costs next to nothing, and others."""
SETTLED = 1e-5
"""Relative gain of a sweep below which a start has been followed far enough."""
FEW = 20_000
"""Units of a small net."""
CLEAR = 1.02
"""A ratio at which nothing but a re-evaluation is needed to refute."""

Layers = Mapping[str, Array]


def search(form: Form, budget: Budget, enough: bool = False, starts: Sequence[Layers] = (), seed: int = 0) -> Bound:
    """The largest zᵀCz/zᵀDz over K that a few starts lead to; A is refuted where it is above 1.

    Args:
        form: A = D − C; bounded layers left out where the question is boundedness.
        budget: Time; one start is always followed for two sweeps.
        enough: Whether any clear refutation will do. Otherwise every start is followed until it settles.
        starts: Vectors to start from before the own ones (constant over space, random, ± the top Ritz vector),
            (channels, height, width) by layer.
        seed: Of the random starts.

    Returns:
        `upper` = value + error of the best vector found, as re-evaluated in float64.
    """
    begun, field = monotonic(), Field(form, precision_for(form))
    best: Ascent | None = None
    ratios: list[float] = []
    for start in _starts(form, starts, seed, enough):
        ascent = Ascent(field, project(form, start))
        if ascent.norm > 0:
            _follow(ascent, budget, enough)
            ratios.append(ascent.ratio)
            best = ascent if best is None or ascent.ratio > best.ratio else best
        budget.tell(STAGE, min(1.0, len(ratios) / (_random_starts(form, enough) + 3 + len(starts))))
        if budget.left == 0 or (enough and best is not None and best.ratio > CLEAR):
            break
    witness = None if best is None else witness_at(form, best.layers)
    upper = np.inf if witness is None else witness.value + witness.error
    return Bound(STAGE, -np.inf, upper, None, witness, monotonic() - begun, _remark(ratios, budget))


def verified(form: Form, z: Layers, sweeps: int = 5) -> Witness | None:
    """The witness that a candidate ray leads to in a few sweeps; None where zᵀAz < 0 is not reached for certain.

    z (channels, height, width by layer), the tail of a diverging trace say, is projected on K first.
    """
    ascent = Ascent(Field(form, precision_for(form)), project(form, z))
    if ascent.norm == 0:
        return None
    for _ in range(sweeps):
        ascent.sweep()
    found = witness_at(form, ascent.layers)
    return found if found is not None and found.value + found.error < 0 else None


def sparse(form: Form, witness: Witness, keep: float = 0.5) -> Witness:
    """A witness that is easier to read: as many small entries as possible 0, the value at most `keep` times as good.

    Entries are dropped by their share d z² of zᵀDz; what is left is still a vector of K, evaluated afresh.
    """
    shares = {block.name: block.diagonal[:, None, None] * witness.arrays[block.name] ** 2 for block in form.blocks}
    largest = max(float(each.max(initial=0.0)) for each in shares.values())
    for threshold in (0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-6):
        kept = {name: np.where(shares[name] >= threshold * largest, z, 0.0) for name, z in witness.arrays.items()}
        found = witness_at(form, kept, witness.refutes)
        if found is not None and found.value + found.error < keep * min(0.0, witness.value):
            return found
    return witness


def _follow(ascent: Ascent, budget: Budget, enough: bool) -> None:
    """Sweeps until the ratio settles, is clear, or (a geometric series being generous) will stay below 1."""
    ratio, before = ascent.ratio, np.inf
    for number in range(SWEEPS):
        reached = ascent.sweep()
        step, ratio = reached - ratio, reached
        shrink = min(0.95, step / before) if before > 0 else 0.0
        hopeless = number >= 4 and ratio + 3 * step * shrink / (1 - shrink) < 1
        settled = step <= SETTLED * abs(ratio)
        if settled or (number > 0 and budget.left == 0) or (enough and (ratio > CLEAR or hopeless)):
            return
        before = step


def _starts(form: Form, given: Sequence[Layers], seed: int, enough: bool) -> Iterator[Layers]:
    """Vectors to start from, the most promising first."""
    yield from given
    random = np.random.default_rng(seed)
    yield _constant(form, random)
    for _ in range(_random_starts(form, enough)):
        yield _normal(form, random)
    if not enough:
        top = top_vector(form, RITZ_STEPS, seed)
        yield top
        yield {name: -each for name, each in top.items()}


def _random_starts(form: Form, enough: bool) -> int:
    return RANDOM_STARTS[form.units <= FEW and not enough]


def _constant(form: Form, random: np.random.Generator) -> Layers:
    """The best vector found among those that are constant over every layer's plane."""
    channels = reduced(form)
    field = Field(channels)
    tries = [Ascent(field, project(channels, _normal(channels, random))) for _ in range(3)]
    for ascent in tries:
        for _ in range(SWEEPS // 5):
            ascent.sweep()
    return spread(form, max(tries, key=_ratio).layers)


def _ratio(ascent: Ascent) -> float:
    return ascent.ratio


def _normal(form: Form, random: np.random.Generator) -> Layers:
    return {b.name: random.standard_normal((b.channels, *b.size), np.float32).astype(np.float64) for b in form.blocks}


def _remark(ratios: Sequence[float], budget: Budget) -> str:
    if not ratios:
        return "no start lies in the cone"
    late = ", stopped by the clock" if budget.left == 0 else ""
    return f"{len(ratios)} start{'s'[: len(ratios) > 1]}, ratios {min(ratios):.4g} to {max(ratios):.4g}{late}"
