"""What several stages say together on the least zᵀAz/zᵀDz over the cone."""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from lvmc.diagnostics.answers import Bound
from lvmc.verdicts import Witness


def lower_of(found: Sequence[Bound]) -> float:
    """Best lower bound on the least zᵀAz/zᵀDz over K."""
    return max((bound.lower for bound in found), default=-inf)


def upper_of(found: Sequence[Bound]) -> float:
    """Best upper bound on it."""
    return min((bound.upper for bound in found if not off_cone(bound)), default=inf)


def nearest_witness(found: Sequence[Bound]) -> Witness | None:
    """The state of K with the least zᵀAz/zᵀDz that was found, whether or not it refutes."""
    states = [bound.witness for bound in found if bound.witness is not None and bound.witness.refutes != "psd"]
    return min(states, key=value_of, default=None)


def off_cone(bound: Bound) -> bool:
    """Whether its witness need not lie in K."""
    return bound.witness is not None and bound.witness.refutes == "psd"


def value_of(witness: Witness) -> float:
    """An upper bound on its zᵀAz/zᵀDz."""
    return witness.value + witness.error
