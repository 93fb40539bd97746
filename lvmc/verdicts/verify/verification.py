"""What checking a proof again found."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf


@dataclass(frozen=True)
class Verification:
    """Whether a proof proves what it says.

    Attributes:
        holds: The claim follows, with the margin (of a witness: the value) stated.
        claim: What was claimed, in words.
        margin: The margin proved here, or the witness's zᵀAz/zᵀDz; −∞ where nothing is.
        chance: Largest probability that this check is wrong; 0 for a proof.
        checked: What was looked at.
        seconds: How long it took.
        remarks: Why it does not hold, and what a reader should know besides.
    """

    holds: bool
    claim: str
    margin: float
    chance: float = 0.0
    checked: tuple[str, ...] = ()
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Found:
    """What a checker found.

    Attributes:
        margin: The margin it proved, or the value of a witness; −∞ where it proved nothing.
        checked: What it looked at.
        slack: How far a stated margin may lie above the one proved, both being right but for rounding.
        chance: Largest probability that it is wrong.
        fault: Why it proved nothing, or not what was stated; empty where it did.
        remarks: What a reader should know.
    """

    margin: float
    checked: tuple[str, ...] = ()
    slack: float = 0.0
    chance: float = 0.0
    fault: str = ""
    remarks: tuple[str, ...] = ()


class BrokenError(ValueError):
    """A proof that is not what its kind needs: arrays missing, of another shape, or out of bounds."""


def failed(fault: str, *checked: str) -> Found:
    """Nothing proved, and why."""
    return Found(-inf, checked, fault=fault)
