"""A check in words: the verdict in a sentence, and what it means for running more passes."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Literal

import numpy as np

from lvmc.diagnostics.answers import Check
from lvmc.graph.form import Block, Form
from lvmc.results.check.numbers import figure, listed
from lvmc.results.check.witness import excited
from lvmc.verdicts import Answer

Outcome = Literal["safe", "grows", "open", "none"]

BADGE: dict[Outcome, str] = {"safe": "Bounded", "grows": "Not bounded", "open": "Undecided", "none": "No single energy"}
HEADLINE: dict[Outcome, str] = {
    "safe": "More passes are safe: the score has a maximum.",
    "grows": "More passes can make the score grow for ever.",
    "open": "Undecided: neither a proof that more passes are safe, nor a ray along which the score grows.",
    "none": "There is no single score that the passes raise.",
}
WIDE = 32
"""Channels from which a layer counts as wide: random weights then behave as their limit does."""

FLOOR = 1.6
"""Ratio of proved to found excitation up to which √2, with what small widths and groups add, explains the rest."""


@dataclass(frozen=True, slots=True)
class Said:
    """The verdict for a reader.

    Attributes:
        outcome: Whether S is bounded, whatever the image; `none` without a single energy.
        headline: In plain words.
        sentence: In the words of the theory.
        meaning: What it means for running more passes, a paragraph each.
    """

    outcome: Outcome
    headline: str
    sentence: str
    meaning: tuple[str, ...]

    @property
    def badge(self) -> str:
        """One or two words."""
        return BADGE[self.outcome]


def said(check: Check) -> Said:
    """The verdict of a check for a reader."""
    outcome = outcome_of(check)
    return Said(outcome, HEADLINE[outcome], sentence(check), _meaning(check, outcome))


def outcome_of(check: Check) -> Outcome:
    """Whether S is bounded, as one of four cases."""
    if check.form is None:
        return "none"
    return "open" if check.bounded is None else "safe" if check.bounded else "grows"


def sentence(check: Check) -> str:
    """The verdict in a sentence: of −W, then of S."""
    verdict = check.verdict
    if check.form is None:
        return f"{check.name} has no single energy: {check.remark}."
    if not check.form.blocks:
        return f"S has a maximum for every input: {_clause(check.why)}."
    ray = _ray(check)
    match (check.bounded, verdict.copositive, verdict.strict):
        case (True, _, True):
            also = " and positive semidefinite" if verdict.psd else ""
            return f"−W is strictly copositive{also}: S has a maximum for every input{_sizes(check)}{_surely(check)}."
        case (True, False, _):
            return f"−W is not copositive, yet S has a maximum for every input: {_clause(check.why)}."
        case (True, _, _):
            return f"S has a maximum for every input: {_clause(check.why)}."
        case (False, False, _):
            return f"−W is not copositive: S grows for ever along {ray}."
        case (False, _, _):
            return f"−W is copositive, but not strictly: S grows for ever along {ray}, for some inputs."
        case (_, True, False):
            return f"−W is copositive, but not strictly: whether S is bounded depends on the input{_surely(check)}."
        case (_, True, _):
            return f"−W is copositive; whether strictly, and so whether S is bounded, is undecided{_surely(check)}."
        case (_, False, _):
            return f"−W is not copositive, but whether S is bounded is undecided: {_clause(check.why)}."
        case _:
            return f"Whether −W is copositive is undecided: {band(check)}."


def answer_word(answer: Answer) -> str:
    """Yes, no, or undecided."""
    return "undecided" if answer is None else "yes" if answer else "no"


def band(check: Check) -> str:
    """Both bounds on the least zᵀAz/zᵀDz, in words."""
    low, high = check.verdict.bounds
    name = "the least zᵀAz/zᵀDz"
    if low == -inf and high == inf:
        return f"nothing is known of {name}"
    if low == -inf:
        return f"{name} is at most {figure(high, 'up')}"
    if high == inf:
        return f"{name} is at least {figure(low, 'down')}"
    return f"{name} lies between {figure(low, 'down')} and {figure(high, 'up')}"


def scales(check: Check) -> tuple[float, float]:
    """Factors on all couplings: below the first −W is strictly copositive, above the second it is not copositive.

    D − αC has the least value 1 − α(1 − m) where D − C has m, so α < 1/(1 − lower) and α > 1/(1 − upper).
    """
    low, high = (_factor(bound) for bound in check.verdict.bounds)
    return low, high


def at_the_floor(check: Check) -> bool:
    """Whether the bounds are about as near as efficient methods are believed to bring them for wide random filters."""
    low, high = check.verdict.bounds
    if check.form is None or check.verdict.copositive is not None or high >= 1 or not _wide_and_random(check.form):
        return False
    return (1 - low) / (1 - high) <= FLOOR


def _wide_and_random(form: Form) -> bool:
    taps = [edge.filter for edge in form.edges]
    total = sum(float(np.abs(each).sum()) for each in taps)
    balanced = bool(taps) and abs(sum(float(each.sum()) for each in taps)) < 0.1 * total
    return balanced and max(min(each.shape[:2]) for each in taps) >= WIDE


def _ray(check: Check) -> str:
    """The witness, by the layers it excites; where bounded layers have a part in it, S grows along another one."""
    named = [] if any(block.bounded for block in _blocks(check)) else excited(check)
    return f"a ray that excites {listed(named)}" if named else "a ray"


def _factor(bound: float) -> float:
    return inf if bound >= 1 else 1.0 / (1.0 - bound)


def _sizes(check: Check) -> str:
    return ", at every image size" if check.every_size else ""


def _surely(check: Check) -> str:
    proof = check.certificate
    return f" (wrong with a chance of at most {proof.chance:.0e})" if proof is not None and proof.chance else ""


def _clause(text: str) -> str:
    return text.rstrip(". ")


def _meaning(check: Check, outcome: Outcome) -> tuple[str, ...]:
    match outcome:
        case "none":
            return (
                "Without a single energy nothing says that a pass improves on the one before: the passes may settle, "
                "go in circles or grow. Only what they did on the given images can be shown.",
            )
        case "safe":
            return (_settling(check), *_unique(check))
        case "grows":
            return _growing(check)
        case "open":
            return (
                "Each update raises the score or leaves it, but whether there is a top is not known. If many passes "
                f"are run, watch the score{', or take one of the changes below' if check.remedies else ''}.",
                *_how_far(check),
            )


def _settling(check: Check) -> str:
    where = "whatever the image and its size" if check.every_size else "whatever the image"
    return (
        "Each update raises the score or leaves it, and the score cannot pass its maximum: the passes settle, "
        f"{where}. Run as many as you like; later ones change less and less."
    )


def _unique(check: Check) -> tuple[str, ...]:
    grouped = any(block.group is not None and block.group.units > 1 for block in _blocks(check))
    if check.verdict.psd and not grouped:
        return ("−W is also positive semidefinite: where they settle is a best state, whatever they start from.",)
    why = "groups choose winners" if check.verdict.psd else "−W is not positive semidefinite"
    if check.verdict.psd is None:
        why = "whether −W is positive semidefinite is undecided"
    return (f"Where they settle may depend on where they start ({why}): it need not be the best state.",)


def _growing(check: Check) -> tuple[str, ...]:
    witness = check.witness
    if check.verdict.copositive is False and witness is not None:
        gain = figure(1.0 - witness.value - witness.error, "down")
        grow = (
            f"Along the ray the layers give each other at least {gain} for every 1 that their own terms cost. Twice as "
            "far along it the score is four times as high in the end, whatever the image."
        )
    else:
        grow = "Along the ray gains and costs cancel, so that an image that drives it raises the score without end."
    return (
        grow,
        "A few passes may look well: the score grows at first by little. Passes that come near the ray never settle; "
        "activations grow until they overflow.",
    )


def _how_far(check: Check) -> tuple[str, ...]:
    if check.verdict.copositive is not None:
        return ()
    low, high = scales(check)
    parts = [f"below {figure(low, 'down')} the score surely has a maximum"] if low > 0 else []
    parts += [f"above {figure(high, 'up')} it surely grows for ever"] if 0 < high < inf else []
    return (f"Were all couplings multiplied by one factor: {', and '.join(parts)}.",) if parts else ()


def _blocks(check: Check) -> tuple[Block, ...]:
    return check.form.blocks if check.form is not None else ()
