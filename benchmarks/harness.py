"""Times several callables side by side: rounds in rotating order, medians, quartiles, and ratios taken round by round.

A machine that slows down for a while slows every subject of a round alike, so the ratio of two subjects is taken within
each round and its median reported, not the ratio of two medians.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from time import perf_counter
from typing import Literal, Protocol, runtime_checkable

import numpy as np

Subjects = Mapping[str, Callable[[], object]]
Clock = Callable[[], float]
Samples = dict[str, list[float]]

LEAST_ROUNDS = 3
MOST_ROUNDS = 41
SHORTEST = 2e-3
"""Seconds: a subject that takes less is run several times in a row, and the mean of the row is one sample."""


@runtime_checkable
class SelfTimed(Protocol):
    """A subject that knows which part of its run counts."""

    def seconds(self, clock: Clock) -> float:
        """Run once; the seconds that count."""
        ...


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and quartiles of some samples."""

    median: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Goal:
    """What a ratio should be: at most, or at least, a bound."""

    way: Literal["≤", "≥"]
    bound: float

    def met(self, value: float) -> bool:
        """Whether a value reaches it."""
        return value <= self.bound if self.way == "≤" else value >= self.bound

    def __str__(self) -> str:
        return f"{self.way} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one subject; without a value, `note` says why."""

    subject: str
    value: Spread | None
    unit: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Ratio:
    """One subject over another, and what was wanted of it; without a value, `note` says why."""

    name: str
    value: Spread | None
    goal: Goal | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """One case: its rows, its ratios, and what the reader should know."""

    name: str
    title: str
    rows: tuple[Row, ...]
    ratios: tuple[Ratio, ...] = ()
    notes: tuple[str, ...] = ()
    rounds: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to measure: `quick` runs leave out the large cases and take a few rounds of the others."""

    quick: bool = False

    def seconds(self, full: float) -> float:
        """Seconds for a case that gets `full` seconds in a full run."""
        return full / 8 if self.quick else full


def interleave(subjects: Subjects, seconds: float, clock: Clock = perf_counter) -> Samples:
    """Seconds of each subject in each round.

    Every subject runs twice before the first round. Round r starts with subject r, so that none is always first. Rounds
    end when `seconds` are spent, but there are at least LEAST_ROUNDS and at most MOST_ROUNDS of them.
    """
    names = list(subjects)
    repeats = {name: _repeats(subjects[name], clock) for name in names}
    samples: Samples = {name: [] for name in names}
    collects = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        start = clock()
        for number in range(MOST_ROUNDS):
            if number >= LEAST_ROUNDS and clock() - start > seconds:
                break
            first = number % len(names)
            for name in names[first:] + names[:first]:
                samples[name].append(_sample(subjects[name], repeats[name], clock))
    finally:
        if collects:
            gc.enable()
    return samples


def spread(samples: Sequence[float]) -> Spread:
    """Median and quartiles."""
    low, high = np.quantile(samples, (0.25, 0.75))
    return Spread(median(samples), float(low), float(high))


def paired(over: Sequence[float], under: Sequence[float]) -> Spread:
    """The ratio of two subjects, taken within each round."""
    return spread([a / b for a, b in zip(over, under, strict=True)])


def ratio(samples: Samples, over: str, under: str, goal: Goal | None = None, name: str = "") -> Ratio:
    """The row for one subject over another; both must have been measured."""
    return Ratio(name or f"{over} / {under}", paired(samples[over], samples[under]), goal)


def timed_rows(samples: Samples) -> tuple[Row, ...]:
    """A row for each subject, in milliseconds."""
    return tuple(Row(name, spread([1e3 * each for each in times]), "ms") for name, times in samples.items())


def rounds_of(samples: Samples) -> int:
    """How many rounds were run."""
    return len(next(iter(samples.values())))


def _repeats(subject: Callable[[], object], clock: Clock) -> int:
    """Calls in a row that make one sample; warms up."""
    subject()
    once = _sample(subject, 1, clock)
    return max(1, min(1000, round(SHORTEST / max(once, 1e-9)))) if once < SHORTEST else 1


def _sample(subject: Callable[[], object], repeats: int, clock: Clock) -> float:
    if isinstance(subject, SelfTimed):
        return sum(subject.seconds(clock) for _ in range(repeats)) / repeats
    start = clock()
    for _ in range(repeats):
        subject()
    return (clock() - start) / repeats
