"""Numbers as a reader sees them: three figures, a true minus, bounds rounded to the side that keeps them true."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from math import isfinite, isnan
from typing import Literal

Towards = Literal["down", "up", "nearest"]

NEAR = Decimal("1e-6")

_ROUNDING = {"down": ROUND_FLOOR, "up": ROUND_CEILING, "nearest": ROUND_HALF_EVEN}


def figure(value: float, towards: Towards = "nearest", digits: int = 3) -> str:
    """−0.2346 → −0.235 (`down`: never more than it is; `up`: never less).

    What lies within `NEAR` of so many figures is shown as these: 0.99999999 is 1 for a reader.
    """
    if not isfinite(value):
        return "unknown" if isnan(value) else "∞" if value > 0 else "−∞"
    if value == 0:
        return "0"
    exact = Decimal(repr(float(value)))
    place = Decimal(1).scaleb(exact.adjusted() - digits + 1)
    rounded = exact.quantize(place, rounding=ROUND_HALF_EVEN)
    if abs(rounded - exact) > NEAR * abs(exact):
        rounded = exact.quantize(place, rounding=_ROUNDING[towards])
    plain = 1e-4 <= abs(rounded) < 1e6
    text = f"{rounded.normalize():f}" if plain else f"{rounded:.{digits - 1}e}"
    return text.replace("-", "−", 1) if text.startswith("-") else text


def percent(part: float) -> str:
    """0.234 → 23 %; what is there but small is not 0."""
    if 0 < part < 0.005:
        return "< 1 %"
    return f"{part * 100:.0f} %" if isfinite(part) else "unknown"


def duration(seconds: float) -> str:
    """0.0123 → 12 ms, 75 → 1 min 15 s."""
    if seconds < 0.0005:
        return "< 1 ms"
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def listed(names: Sequence[str], most: int = 4) -> str:
    """(h1, h2, h3) → h1, h2 and h3."""
    if len(names) > most:
        names = [*names[: most - 1], f"{len(names) - most + 1} others"]
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
