"""How far float64 arithmetic strays: the factors that make a computed bound one of real arithmetic."""

from __future__ import annotations

UNIT = 2.0**-53
"""Largest relative error of one operation."""

TINY = 2.0**-1021
"""Beyond what one operation loses by underflow, also where subnormal numbers are flushed to 0."""


def gamma(operations: int) -> float:
    """γ_k = ku/(1 − ku): relative error of a sum of products of which each passes through at most k roundings.

    The bound holds in whatever order they are summed (Higham, Accuracy and Stability of Numerical Algorithms, §3.1);
    the few roundings of this formula itself are covered by 2 more operations.
    """
    lost = (operations + 2) * UNIT
    return lost / (1.0 - lost)
