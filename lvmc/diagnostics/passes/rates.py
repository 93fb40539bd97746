"""What the numbers of a trace say by themselves: how fast the passes settle, and whether they grow or swing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from lvmc.diagnostics.passes.trace import Numbers, Trace

Outcome = Literal["settled", "converging", "oscillates", "diverges", "undecided"]

SETTLED = 1e-5
"""A residual of this share of the largest unit is at rest."""
MOST, FEWEST = 8, 3
"""Points that a rate is fitted to: the last ones, of passes in one direction."""
CLEAR = 30.0
"""Times what rounding makes: a number that stands out from it."""
GROWING = 4
"""Passes in a row, at least, each longer than the one before in its direction, before growth is spoken of."""


@dataclass(frozen=True)
class Rate:
    """The measured factor by which ‖z_k − z_{k−2}‖ changes with each pass k.

    Attributes:
        factor: For each pass: the root of that for a pass up and a pass down.
        passes: How many passes it rests on.
        since: The pass after which no unit changed sides; None where some still did.
    """

    factor: float
    passes: int
    since: int | None


@dataclass(frozen=True)
class Run:
    """One sample of a trace, pass by pass.

    Attributes:
        moved: ‖z_k − z_{k−1}‖ of pass k = 1 … p.
        apart: ‖z_k − z_{k−2}‖, nan for k = 1.
        around: ‖z_k − z_{k−4}‖, nan for k < 4.
        changed: Units that changed sides in each pass.
        objective: S (and entropy) after every pass, from 0, (p + 1,); None without a single energy.
        rest: The residual at the end (without a single energy the longest step of the last two passes).
        largest: Largest |z| at the end.
        length: ‖z‖ at the end.
        unit: Relative rounding error of one number.
    """

    moved: Numbers
    apart: Numbers
    around: Numbers
    changed: Numbers
    objective: Numbers | None
    rest: float
    largest: float
    length: float
    unit: float

    @staticmethod
    def of(trace: Trace, sample: int) -> Run:
        """A sample's run."""
        assert trace.moved is not None
        assert trace.apart is not None
        assert trace.around is not None
        assert trace.changed is not None
        assert trace.step is not None
        numbers = np.asarray(trace.passes)
        ends = np.flatnonzero(np.diff(numbers, prepend=0, append=numbers[-1] + 1))
        changed = np.bincount(numbers, trace.changed[:, sample])[1:].astype(np.float64)
        objective = None if trace.objective is None else trace.objective[ends, sample]
        steps = trace.step[numbers > numbers[-1] - 2, sample]
        rest = steps.max() if trace.residual is None else trace.residual[-1, sample]
        last = [z[sample] for z in trace.states[-1].values()]
        largest = max(float(np.abs(z).max(initial=0.0)) for z in last)
        length = float(np.sqrt(sum(float((z.astype(np.float64) ** 2).sum()) for z in last)))
        unit = float(np.finfo(last[0].dtype).eps)
        moved, apart, around = trace.moved[:, sample], trace.apart[:, sample], trace.around[:, sample]
        return Run(moved, apart, around, changed, objective, float(rest), largest, length, unit)

    @property
    def noise(self) -> float:
        """What rounding makes of `moved` and `apart`."""
        return 4 * self.unit * self.length

    @property
    def finite(self) -> bool:
        """Whether all of it is."""
        scored = self.objective is None or bool(np.isfinite(self.objective).all())
        return scored and bool(np.isfinite(self.moved).all())

    @property
    def settled(self) -> bool:
        """Whether an update would change next to nothing."""
        return self.finite and self.rest <= SETTLED * self.largest


def rate_of(run: Run) -> Rate | None:
    """The rate over the last passes that stand out from rounding: by the median slope of the logarithms (Theil–Sen)."""
    end = _last_above(run.apart, CLEAR * run.noise)
    since = int(np.flatnonzero(run.changed[:end])[-1]) + 1 if run.changed[:end].any() else 0
    alike = _back_from(end, since + 2)
    known = len(alike) >= FEWEST
    passes = alike if known else _back_from(end, max(2, end // 2))
    if len(passes) < FEWEST:
        return None
    heights = {k: float(np.log(run.apart[k - 1])) for k in passes}
    slopes = [(heights[b] - heights[a]) / (b - a) for a, b in combinations(sorted(passes), 2)]
    return Rate(float(np.exp(np.median(slopes))), max(passes) - min(passes), since if known else None)


def _last_above(values: Numbers, limit: float) -> int:
    """The last pass, from the first above the limit on, before values fall to it."""
    above = np.isfinite(values) & (values > limit)
    if not above.any():
        return 0
    first = int(above.argmax())
    rest = above[first:]
    return first + (len(rest) if rest.all() else int(rest.argmin()))


def _back_from(end: int, first: int) -> list[int]:
    """Every second pass from the last one down to the first."""
    return list(range(end, max(first, 2) - 1, -2))[:MOST]


def grows(run: Run) -> bool:
    """Whether every pass of the second half (four at least) goes further than the one before in its direction.

    And S, where there is one, by more and more.
    """
    count = len(run.apart)
    passes = np.arange(max(4, count // 2 + 1), count + 1)
    if len(passes) < GROWING:
        return False
    longer = run.apart[passes - 1] > (1 + 1e-6) * run.apart[passes - 3]
    faster = True
    if run.objective is not None:
        gained = run.objective[2:] - run.objective[:-2]  # of passes k − 1 and k, from k = 2
        faster = bool((gained[passes - 2] >= gained[passes - 4]).all())
    return faster and bool(longer.all()) and bool(run.apart[-1] > CLEAR * run.noise)


def swings(run: Run) -> bool:
    """Whether passes, or rounds of a pass up and a pass down, have period 2: the state comes back, and by as far.

    In the last four passes, what two of them (two rounds) do is undone up to 1 % of what one does, which stays as long.
    """
    if len(run.moved) < 8 or not run.finite:
        return False
    return any(
        bool((twice[-4:] <= 0.01 * once[-4:]).all())
        and bool((once[-4:] > CLEAR * run.noise).all())
        and bool((once[-2:] >= 0.999 * once[-4:-2]).all())
        for once, twice in ((run.moved, run.apart), (run.apart, run.around))
    )


def monotone(run: Run, steps: Numbers) -> bool:
    """Whether S never falls by more than rounding, from `steps`: S (and entropy) before and after every update."""
    terms = float(np.abs(steps).max(initial=0.0)) + run.length**2
    return bool((np.diff(steps) >= -256 * run.unit * terms).all())
