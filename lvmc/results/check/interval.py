"""All bounds of a check on one axis: lower bounds from the left, upper bounds from the right, 0 marked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil, floor, inf, isfinite, log10

from lvmc.diagnostics.answers import Bound, Check
from lvmc.results.check.numbers import figure

LEFT, RIGHT, ROW, TOP = 250.0, 780.0, 24.0, 22.0
FURTHEST = 4.0
"""Times the deciding bound that the axis reaches where it is below 0."""
ROOM = 64.0
"""What a number takes on the axis."""


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a row from `x` on, with its number at `at`."""

    kind: str
    x: float
    width: float
    y: float
    text: str
    at: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Intervals:
    """The picture: names of rows with their heights, bars, ticks, where 0 is, and the undecided band."""

    rows: tuple[tuple[str, float], ...]
    bars: tuple[Bar, ...]
    ticks: tuple[tuple[str, float], ...]
    zero: float
    band: tuple[float, float] | None
    height: float
    alt: str
    width: float = RIGHT + 20
    left: float = LEFT
    right: float = RIGHT
    row: float = ROW
    top: float = TOP


def in_cone(bound: Bound) -> bool:
    """Whether the stage's upper bound is one over the cone: a witness against psd alone may lie outside it."""
    return bound.witness is None or bound.witness.refutes != "psd"


def intervals(check: Check) -> Intervals | None:
    """The picture of a check's bounds; None where no stage found one."""
    low, high = check.verdict.bounds
    told = [(bound.stage, bound.lower, bound.upper if in_cone(bound) else inf) for bound in check.stages]
    told = [each for each in told if isfinite(each[1]) or isfinite(each[2])]
    if not told or not (isfinite(low) or isfinite(high)):
        return None
    told.append(("together", low, high))
    axis = _Axis.around(low, high)
    heights = [TOP + ROW * row for row in range(len(told))]
    bars = [bar for (_, lower, upper), y in zip(told, heights, strict=True) for bar in _bars(axis, lower, upper, y)]
    undecided = low <= 0 <= high and check.verdict.strict is None
    return Intervals(
        rows=tuple((stage, y) for (stage, _, _), y in zip(told, heights, strict=True)),
        bars=tuple(bars),
        ticks=tuple((figure(value), axis.place(value)) for value in axis.ticks()),
        zero=axis.place(0.0),
        band=(axis.place(low), axis.place(high)) if undecided else None,
        height=TOP + ROW * len(told) + 26,
        alt=_alt(told, low, high),
    )


@dataclass(frozen=True, slots=True)
class _Axis:
    """A window of numbers, `first` to `last`."""

    first: float
    last: float

    @staticmethod
    def around(low: float, high: float) -> _Axis:
        """What decides, with 0 and some room: bounds far off are told at the edge."""
        shown = max(low, FURTHEST * high) if high < 0 else low
        known = [value for value in (shown, high, 0.0) if isfinite(value)]
        room = 0.3 * (max(known) - min(known)) or 1.0
        return _Axis(min(known) - room, max(known) + room)

    def place(self, value: float) -> float:
        """Where a number is on the picture, at an edge where it is outside."""
        if value in (inf, -inf):
            return RIGHT if value > 0 else LEFT
        part = (value - self.first) / (self.last - self.first)
        return LEFT + (RIGHT - LEFT) * min(1.0, max(0.0, part))

    def ticks(self) -> Iterator[float]:
        """Round numbers about a sixth of the axis apart."""
        rough = (self.last - self.first) / 6
        decade = 10.0 ** floor(log10(rough))
        step = next(times * decade for times in (1, 2, 5, 10) if times * decade >= rough)
        for number in range(ceil(self.first / step), floor(self.last / step) + 1):
            yield float(f"{number * step:.6g}")


def _bars(axis: _Axis, lower: float, upper: float, y: float) -> Iterator[Bar]:
    if isfinite(lower):
        x, text = axis.place(lower), figure(lower, "down")
        beside = x - LEFT < ROOM
        said = f"◂ {text}" if lower < axis.first else text
        yield Bar("lower", LEFT, max(x - LEFT, 2.0), y, said, x + 5 if beside else x - 5, "start" if beside else "end")
    if isfinite(upper):
        x, text = axis.place(upper), figure(upper, "up")
        beside = RIGHT - x < ROOM
        said = f"{text} ▸" if upper > axis.last else text
        start = min(x, RIGHT - 2)
        yield Bar("upper", start, RIGHT - start, y, said, x - 5 if beside else x + 5, "end" if beside else "start")


def _alt(told: Sequence[tuple[str, float, float]], low: float, high: float) -> str:
    each = "; ".join(f"{stage}: {figure(lower, 'down')} to {figure(upper, 'up')}" for stage, lower, upper in told[:-1])
    return f"The least zᵀAz/zᵀDz lies between {figure(low, 'down')} and {figure(high, 'up')}. By stage: {each}."
