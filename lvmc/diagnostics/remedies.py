"""What to change so that S is bounded: each change is tried on the form before it is named."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from math import floor, isfinite, log10

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound, Excitation, Remedy
from lvmc.diagnostics.bounds import off_cone
from lvmc.diagnostics.prover import Prover, best_bound, prover_of
from lvmc.graph.form import Form
from lvmc.verdicts import Answer

KEEPS = 0.99
"""How near to what is certified a remedy goes: a margin of 1 % stays."""
MOST_SINGLE = 3
SECANTS, CLOSE = 8, 2e-3
"""Steps in search of a factor at most, and the spare margin at which it is close enough."""


def remedies(form: Form, found: Sequence[Bound], excited: Sequence[Excitation], budget: Budget) -> tuple[Remedy, ...]:
    """Changes after which A is strictly copositive, the gentlest of each kind; empty where no bound was proved.

    Scaling all filters by α takes max zᵀCz/zᵀDz from λ to αλ, and so does dividing every d by α.
    """
    best = best_bound(found)
    if best is None or best.certificate is None or not isfinite(best.lower):
        return ()
    prove = prover_of(best.certificate)
    every = list(_every(form, best, prove, budget))
    if budget.left < best.seconds:
        return tuple(every)
    return (*_bounds(form, prove, budget.part(0.4)), *_single(form, prove, excited, budget), *every)


def _every(form: Form, best: Bound, prove: Prover, budget: Budget) -> Iterator[Remedy]:
    """All filters scaled alike, or every d raised."""
    factor = rounded_down(KEEPS / (1.0 - best.lower))
    names = sorted({each.weight for each in (*form.edges, *form.sides)})
    which = f"`{names[0]}`" if len(names) == 1 else "all filters between layers"
    factors = dict.fromkeys(names, factor)
    tried = holds(prove, form.scaled(factors), budget) if budget.left > best.seconds else None
    yield Remedy(f"scale {which} by ≤ {factor:g}", tried, factors=factors)
    diagonal = {block.name: rounded_up(float(block.diagonal.max()) / factor) for block in form.blocks}
    if len(set(diagonal.values())) == 1 and budget.left > best.seconds:
        least = next(iter(diagonal.values()))
        text = f"diagonal ≥ {least:g} in {'every layer' if len(diagonal) > 1 else next(iter(diagonal))}"
        yield Remedy(text, holds(prove, with_diagonal(form, diagonal), budget), diagonal=diagonal)


def _bounds(form: Form, prove: Prover, budget: Budget) -> Iterator[Remedy]:
    """Layers an upper bound on which suffices alone."""
    for block in form.blocks if len(form.blocks) > 1 else ():
        rest = form.without([block.name])
        if not (rest.edges or rest.sides) or (budget.left and holds(prove, rest, budget)):
            yield Remedy(f"an upper bound on {block.name} alone suffices", True, upper={block.name: 1.0})


def _single(form: Form, prove: Prover, excited: Sequence[Excitation], budget: Budget) -> Iterator[Remedy]:
    """Largest factor on one filter with which the proof goes through, for the filters that excite most."""
    for weight in _weights(form, excited)[:MOST_SINGLE]:
        factor = largest_factor(form, weight, prove, budget)
        if factor is not None:
            text = f"scale `{weight}` by ≤ {factor:g}" if factor > 0 else f"leave `{weight}` out (only 0 is certified)"
            yield Remedy(text, holds(prove, form.scaled({weight: factor}), budget), factors={weight: factor})


def largest_factor(form: Form, weight: str, prove: Prover, budget: Budget) -> float | None:
    """The largest factor on one filter that leaves the wanted margin; None where not even 0 does, or time runs out.

    By secants between a factor that fits and one that does not: max zᵀCz/zᵀDz is convex in the factor, so they cut the
    axis where it still fits.
    """

    def spare(factor: float) -> float:
        return prove(form.scaled({weight: factor}), budget).lower - (1.0 - KEEPS)

    low, high = 0.0, 1.0
    start = budget.spent
    left, right = spare(low), spare(high)
    each = 0.5 * (budget.spent - start)
    for _ in range(SECANTS):
        if left < 0 or right >= 0 or not isfinite(right) or budget.left < each:
            break
        middle = low + (high - low) * left / (left - right)
        value = spare(middle)
        low, left, high, right = (middle, value, high, right) if value >= 0 else (low, left, middle, value)
        if 0 <= value < CLOSE:
            break
    return None if left < 0 else rounded_down(high if right >= 0 else low)


def _weights(form: Form, excited: Sequence[Excitation]) -> list[str]:
    """Weights between layers, the most exciting first."""
    of = {(edge.upper, edge.lower): edge.weight for edge in form.edges}
    of |= {(side.layer, side.layer): side.weight for side in form.sides}
    ordered = [of[each.upper, each.lower] for each in excited if (each.upper, each.lower) in of and each.energy > 0]
    names = list(dict.fromkeys([*ordered, *of.values()]))
    return names if len(names) > 1 else []


def holds(prove: Prover, form: Form, budget: Budget) -> Answer:
    """Whether the proof goes through; None where it does not, which refutes nothing (false: a vector of K does)."""
    bound = prove(form, budget)
    return True if bound.lower > 0 else False if bound.upper < 0 and not off_cone(bound) else None


def with_diagonal(form: Form, diagonal: Mapping[str, float]) -> Form:
    """The form with d of some layers replaced by one number each."""
    blocks = [
        replace(block, diagonal=0.0 * block.diagonal + diagonal[block.name]) if block.name in diagonal else block
        for block in form.blocks
    ]
    return replace(form, blocks=tuple(blocks))


def rounded_down(value: float) -> float:
    """To three digits, not upwards."""
    if value == 0:
        return 0.0
    unit = 10.0 ** (floor(log10(abs(value))) - 2)
    return float(f"{floor(value / unit) * unit:.3g}")


def rounded_up(value: float) -> float:
    """To three digits, not downwards."""
    return -rounded_down(-value)
