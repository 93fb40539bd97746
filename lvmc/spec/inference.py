"""How S is maximised: how many passes, whether they share their filters, and how gradients flow through them."""

from __future__ import annotations

from typing import Literal

from lvmc.records import Count, Positive, Record


class Until(Record):
    """Passes go on until no layer would change by more than `residual`, but no more than `max_passes` of them."""

    residual: Positive = 1e-4
    max_passes: Count = 200


class Inference(Record):
    """How S is maximised."""

    passes: Count = 2
    until: Until | None = None
    gradient: Literal["unrolled", "implicit"] = "unrolled"
    tying: Literal["tied", "untied"] = "tied"
    constraint: Literal["none", "contractive", "copositive"] = "none"
