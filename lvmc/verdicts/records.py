"""What a diagnostic answers: a verdict on a quadratic form over a cone, with its certificate or its witness."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Answer = bool | None
"""True or false where it is proved; None where it is undecided."""

Claim = Literal["psd", "strict", "copositive"]


@dataclass(frozen=True)
class Certificate:
    """A proof that zᵀAz ≥ margin · zᵀDz over the cone (of ℝⁿ, where the claim is psd).

    Attributes:
        claim: "psd", "strict" (strictly copositive) or "copositive".
        kind: Which theorem proves it; it names the checker of `lvmc.verdicts.verify`.
        margin: The least zᵀAz/zᵀDz that it proves.
        arrays: What the theorem needs, by name (a matrix's) or by layer (a net's).
        facts: Further numbers and words that the checker needs.
        chance: Largest probability that the claim is wrong; 0 for a proof.
    """

    claim: Claim
    kind: str
    margin: float
    arrays: Mapping[str, Array] = field(default_factory=dict[str, Array])
    facts: Mapping[str, float | int | str] = field(default_factory=dict[str, "float | int | str"])
    chance: float = 0.0


@dataclass(frozen=True)
class Witness:
    """A vector z that refutes a claim.

    Attributes:
        refutes: "copositive": z in the cone with zᵀAz < 0, along which S grows for ever. "strict": z ≠ 0 in the cone
            with zᵀAz ≤ 0. "psd": any z with zᵀAz < 0.
        arrays: z under "z" (of a matrix), or by layer (of a net).
        value: zᵀAz/zᵀDz.
        error: Bound on what rounding may have done to `value`.
    """

    refutes: Claim
    arrays: Mapping[str, Array]
    value: float
    error: float = 0.0


@dataclass(frozen=True)
class Verdict:
    """Whether a symmetric matrix A is copositive over z ≥ 0 with at most one nonzero entry in a group.

    Attributes:
        copositive: zᵀAz ≥ 0 over the cone.
        strict: zᵀAz > 0 over the cone but at 0.
        psd: zᵀAz ≥ 0 for every z.
        bounds: Two-sided bounds on the least zᵀAz/zᵀDz over the cone; D is the diagonal of A, 1 where that is not
            above 0.
        certificate: The strongest thing proved; None where nothing is.
        witness: What refutes the strongest claim refuted (copositive before strict before psd); None if none is.
        method: The stage that settled it.
        seconds: How long it took.
        remarks: What a reader should know besides: tolerances met, stages that ran out of time.
    """

    copositive: Answer
    strict: Answer
    psd: Answer
    bounds: tuple[float, float] = (-inf, inf)
    certificate: Certificate | None = None
    witness: Witness | None = None
    method: str = ""
    seconds: float = 0.0
    remarks: tuple[str, ...] = ()
