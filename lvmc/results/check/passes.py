"""How the passes on the given images went, in words, and the slopes that the curves show."""

from __future__ import annotations

import numpy as np

from lvmc.diagnostics.answers import Check
from lvmc.diagnostics.passes.convergence import Convergence
from lvmc.diagnostics.passes.trace import Trace
from lvmc.results.check.curves import Slope
from lvmc.results.check.numbers import figure

OUTCOMES = {
    "settled": "The passes settled: a further update changes next to nothing.",
    "converging": "The passes are settling: each changes less than the one before, but they are not at rest yet.",
    "oscillates": "The passes swing: after two of them, or two rounds, they are back where they were.",
    "diverges": "The passes grow without end.",
    "undecided": "Whether the passes settle cannot be told from this run; more passes may tell.",
}


def passes_said(check: Check) -> tuple[str, ...]:
    """What the passes did, a sentence each; empty without a run."""
    told: list[str] = []
    if check.convergence is not None:
        told.append(OUTCOMES[check.convergence.outcome])
    if check.trace is not None:
        told += [_ran(check.trace), _score(check.trace), _residual(check.trace)]
    if check.convergence is not None:
        told += _evaluated(check.convergence, check.remark)
    return tuple(filter(None, told))


def slopes(check: Check) -> tuple[Slope, ...]:
    """The rates of the run, for the curves: measured, predicted, promised."""
    found = check.convergence
    if found is None:
        return ()
    since = found.rate.since if found.rate is not None else None
    start = max(1, found.passes // 2 if since is None else since)
    lines: list[Slope] = []
    if found.rate is not None:
        lines.append(Slope(f"measured: × {figure(found.rate.factor)} a pass", found.rate.factor, start, ":"))
    if found.predicted is not None:
        lines.append(Slope(f"predicted: × {figure(found.predicted)} a pass", found.predicted, start, "-."))
    if found.promised is not None:
        lines.append(Slope(f"promised: × {figure(found.promised, 'up')} a pass", found.promised, 1, "--"))
    return tuple(lines)


def _evaluated(found: Convergence, known: str) -> list[str]:
    """Rates, and what else is remarkable; `known` was said already."""
    told: list[str] = []
    if found.rate is not None:
        told.append(f"With each pass, what changes is multiplied by {figure(found.rate.factor)} (measured).")
    if found.predicted is not None:
        units = f"{found.active:,} active unit{'' if found.active == 1 else 's'}"
        told.append(f"Small errors near the last state are multiplied by {figure(found.predicted)} ({units}).")
    if found.promised is not None:
        told.append(f"For any image the certificate promises {figure(found.promised, 'up')} or less.")
    if found.monotone is not None:
        told.append("The score never fell." if found.monotone else "The score fell in some update: no ascent.")
    if found.curvature is not None:
        value, error = found.curvature
        told.append(f"The direction in which they grow is a ray: zᵀAz/zᵀDz is {figure(value + error, 'up')} at most.")
    if found.remark and not (known and known in found.remark):
        told.append(f"{found.remark[0].upper()}{found.remark[1:].rstrip('.')}.")
    return told


def _ran(trace: Trace) -> str:
    passes = max(trace.passes, default=0)
    return f"{passes} pass{'' if passes == 1 else 'es'} ({len(trace.layers)} updates) were run."


def _score(trace: Trace) -> str:
    if trace.objective is None:
        return ""
    means = trace.objective.mean(1)
    first, last = float(means[0]), float(means[np.isfinite(means)][-1])
    beyond = "" if np.isfinite(means[-1]) else ", and then beyond what float32 holds"
    return f"The score went from {figure(first)} to {figure(last)}{beyond}."


def _residual(trace: Trace) -> str:
    if trace.residual is None:
        return ""
    last = figure(float(trace.residual[-1].max()), "up")
    return f"At the end an update of a layer would change a unit by at most {last}."
