"""Margins by layer as bars on one axis."""

from __future__ import annotations

from dataclasses import dataclass

from lvmc.diagnostics.answers import Check
from lvmc.results.check.numbers import figure, percent

FURTHEST = -3.0
"""Where the axis ends at the left: a margin further down is told by its number."""


@dataclass(frozen=True, slots=True)
class MarginBar:
    """A layer's row: its margin, and its bar from `start` on, `width` wide, in parts of the axis (percent)."""

    layer: str
    units: str
    margin: str
    share: str
    good: bool
    start: float
    width: float
    zero: float


def margins(check: Check) -> tuple[MarginBar, ...]:
    """A bar for each layer, in file order."""
    known = [each.margin for each in check.layers if each.margin == each.margin]
    first = min(0.0, max(FURTHEST, min(known, default=0.0)))
    zero = 100 * -first / (1.0 - first)
    bars: list[MarginBar] = []
    for each in check.layers:
        shown = 0.0 if each.margin != each.margin else min(1.0, max(first, each.margin))
        end = 100 * (shown - first) / (1.0 - first)
        start, width = min(zero, end), abs(end - zero)
        share, good = percent(each.share), each.margin > 0
        bars.append(
            MarginBar(each.layer, f"{each.units:,}", figure(each.margin, "down"), share, good, start, width, zero)
        )
    return tuple(bars)
