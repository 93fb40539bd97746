"""The stages of the procedure: each adds to what is known of a problem with positive diagonal."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import frexp
from time import perf_counter

import numpy as np

from lvmc.matrices.ascent import candidates
from lvmc.matrices.diagonals import unit, worst_pair
from lvmc.matrices.dominance import dominance, group_dominance
from lvmc.matrices.evidence import evidence, of_fractions, simplest, zero_vector
from lvmc.matrices.known import Known
from lvmc.matrices.milp import MOST as MILP_SIZE
from lvmc.matrices.milp import by_milp
from lvmc.matrices.problem import Problem
from lvmc.matrices.rational import negative_vector, whole
from lvmc.matrices.semidefinite import EXACT_SIZE, least, margin
from lvmc.matrices.splitting import splitting
from lvmc.matrices.tree import branched
from lvmc.verdicts import Array, Certificate

TINY = 1e-9
"""Ratios this close to 0 are looked at exactly."""

SMALLEST = 2.0**-300
"""The least margin that is sought."""

ALWAYS = 200
"""Up to this size a settled matrix still gets the ascent, for an upper bound."""

TREE_SHARE = 0.8
"""The branching stops at this share of the time, so that HiGHS has the rest."""


@dataclass(frozen=True)
class Clock:
    """When the search began and for how long it may go on, in seconds of `perf_counter()`."""

    start: float
    limit: float

    def until(self, share: float = 1.0) -> float:
        return self.start + share * self.limit

    @property
    def over(self) -> bool:
        return perf_counter() > self.until()


Stage = Callable[[Problem, Known, Clock], Known]


def pairs(problem: Problem, known: Known, clock: Clock) -> Known:
    """Single indices and pairs."""
    first = evidence(problem, [unit(problem.size, 0)])
    return known.with_vector(first, "pair").with_vector(worst_pair(problem), "pair")


def weights(problem: Problem, known: Known, clock: Clock) -> Known:
    """Weighted dominance (T1)."""
    return known.with_certificate(dominance(problem), "dominance")


def group_weights(problem: Problem, known: Known, clock: Clock) -> Known:
    """Weighted dominance of the largest of each group (T5)."""
    return known.with_certificate(group_dominance(problem), "groups") if problem.groups else known


def definite(problem: Problem, known: Known, clock: Clock) -> Known:
    """Positive semidefinite on the whole of ℝⁿ, or not."""
    value, z = least(problem.matrix, problem.weights)
    if value > 0:
        found = margin(problem.matrix, problem.weights, goal=value)
        if found > 0:
            return replace(known.with_certificate(Certificate("psd", "psd", found), "psd"), semidefinite=True)
    bent = evidence(problem, [z])
    if bent.high < 0:
        return replace(known, semidefinite=False, bent=bent)
    if problem.size > EXACT_SIZE:
        return known.remarking(f"psd: the least eigenvalue is {value:.2g}, too near 0 to tell at this size")
    vector = negative_vector(whole(problem.matrix)[0])
    if vector is None:
        return replace(known.with_certificate(Certificate("psd", "psd", 0.0), "psd"), semidefinite=True)
    bent = simplest(problem, of_fractions(problem.size, range(problem.size), vector))
    if bent.high >= 0:
        return known.remarking("psd is refuted by exact elimination, but its vector needs over 1000 bits: left open")
    return replace(known, semidefinite=False, bent=bent)


def ascent(problem: Problem, known: Known, clock: Clock) -> Known:
    """Local minima from many starts, evaluated exactly; near 0, the exact zero vectors of their supports."""
    minima: list[Array] = []
    for value, z in candidates(problem, until=clock.until(0.3)):
        known = known.with_vector(evidence(problem, [z]), "ascent")
        if known.refuted:
            return known
        zero = zero_vector(problem, z) if abs(value) < TINY else None
        known = known.with_vector(zero, "ascent")
        minima.append(z if zero is None else zero.parts[0])
    return replace(known, minima=tuple(minima))


def split(problem: Problem, known: Known, clock: Clock) -> Known:
    """A = P + N by ADMM."""
    share = 0.5 if problem.size <= 64 else 0.02
    goal = share * known.upper if known.upper > TINY else 0.0
    found, nonnegative = splitting(problem, goal, clock.until(0.5 if problem.size <= 150 else 0.9))
    return replace(known.with_certificate(found, "spn"), split=nonnegative)


def tree(problem: Problem, known: Known, clock: Clock) -> Known:
    """Branching on A − diag(shift): with shift 0 where a zero vector is known, else below the least ratio so far."""
    until = clock.until(TREE_SHARE)
    while not known.settled and perf_counter() < until:
        if not known.touched and known.upper < SMALLEST:
            return known.remarking(f"the least ratio is below {SMALLEST:.0e}, if it is above 0 at all")
        shift = np.zeros(problem.size) if known.touched else shift_below(problem, known.upper)
        found = branched(problem, shift, known.minima, known.split, until)
        if found.certificate is not None:
            return known.with_certificate(found.certificate, "tree")
        if not found.below:
            return known.remarking(f"out of time in the branching, after {found.nodes} nodes")
        before = known
        known = known.with_vector(simplest(problem, found.below), "tree")
        if not known.refuted:
            known = known.with_vector(zero_vector(problem, found.below[0]), "tree")
        if known is before:
            return known.remarking("a vector of the branching needs over 1000 bits")
    return known


def program(problem: Problem, known: Known, clock: Clock) -> Known:
    """A vector from HiGHS, made a local minimum and evaluated exactly; a bound of its is no proof."""
    left = clock.until() - perf_counter()
    if problem.size > MILP_SIZE or left < 0.05 or known.touched:
        return known
    found = by_milp(problem, left)
    if found is None:
        return known
    known = known.with_vector(evidence(problem, [found[1]]), "milp")
    return known if known.refuted else known.with_vector(zero_vector(problem, found[1]), "milp")


def shift_below(problem: Problem, upper: float) -> Array:
    """What to take from the diagonal so that a margin is left, the least ratio being at most `upper`.

    Where the diagonal is one number d and couplings c lie in [(1 − upper) d, d), it is d − c: then these pairs
    exclude one another. Else the fraction 2^-k of the diagonal, well below `upper`.
    """
    diagonal = problem.diagonal
    scaled = problem.matrix[~problem.rivals()] / diagonal[0]
    near = scaled[(scaled >= (1 - upper) * (1 - 1e-12)) & (scaled < 1)]
    if len(near) and (diagonal == diagonal[0]).all():
        return diagonal - float(near.min()) * diagonal[0]
    return power_below(upper / 64) * diagonal


def power_below(value: float) -> float:
    """The largest power of two at most a value, and at most 2⁻¹⁰."""
    return min(2.0 ** (frexp(value)[1] - 1), 2.0**-10) if value > 0 else 0.0


STAGES: tuple[tuple[str, Stage], ...] = (
    ("pair", pairs),
    ("dominance", weights),
    ("groups", group_weights),
    ("psd", definite),
    ("ascent", ascent),
    ("spn", split),
    ("tree", tree),
    ("milp", program),
)
"""Cheapest proof first."""


def needed(name: str, problem: Problem, known: Known) -> bool:
    """Whether a stage may still add an answer, or the upper bound where that is cheap."""
    if known.refuted:
        return False
    if name == "psd":
        return known.semidefinite is None
    return not known.settled or (name == "ascent" and problem.size <= ALWAYS)
