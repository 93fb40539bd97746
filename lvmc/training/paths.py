"""Fixed paths of outer feedback: how each step should move, from targets alone (Carreira et al., CVPR 2016, Alg. 1).

    e(y, y_t) = min(L, ‖u‖) u/‖u‖ for u = y − y_t, point by point;    y_{t+1} = y_t + e(y, y_t)

Stage s of fixed-path consolidation trains on the samples of steps 1 … s (`steps` of `train.stages`): earlier steps are
trained longer, and so consolidated. Nothing here runs a model, so the same samples come whatever it has learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from lvmc.graph.states import StateNode

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True, slots=True)
class Path:
    """Where the points are before each step, and how the step should move them.

    Attributes:
        points: y_0 … y_T, (T + 1, batch, points, 2) in pixels.
        corrections: ε_1 … ε_T, (T, batch, 2 · points), as the head should give them: divided by the update's `scale`.
    """

    points: Tensor
    corrections: Tensor


def bounded_correction(target: Tensor, now: Tensor, limit: float | None, each: bool = False) -> Tensor:
    """e(y, y_t): from `now` towards `target` (…, points, 2), no farther than `limit`, by point or by `each` number."""
    change = target - now
    if limit is None:
        return change
    if each:
        return change.clamp(-limit, limit)
    length = change.square().sum(-1, keepdim=True).sqrt()
    return change * (limit / length.clamp_min(limit))


def fixed_path(state: StateNode, target: Tensor, start: Tensor, steps: int) -> Path:
    """The path of a state of points from the targets alone, bounded as its update is.

    A point whose target is not known (NaN) stays where it starts, and has no correction.

    Args:
        state: The points, to which a head is added (`add`); of a `set` state every step should come to the target.
        target: y, (batch, points, 2) as x, y in pixels.
        start: y_0, (points, 2) or (batch, points, 2).
        steps: T.
    """
    import torch

    rule, points, moves = state.change, [start.expand_as(target)], list["Tensor"]()
    for _ in range(steps):
        move = bounded_correction(target, points[-1], rule.limit if rule.how == "add" else None, rule.each)
        points.append(points[-1] + move.nan_to_num())
        moves.append((move if rule.how == "add" else target) / rule.scale)
    return Path(torch.stack(points), torch.stack(moves).flatten(2))


def corrections_along(state: StateNode, target: Tensor, points: Tensor) -> Tensor:
    """Targets of a head along the path that a model took itself: (steps, batch, 2 · points).

    Args:
        state: As for `fixed_path`.
        target: y, (batch, points, 2).
        points: y_0 … y_{T−1}, (steps, batch, points, 2): where each step began; no gradient goes through them.
    """
    rule, begun = state.change, points.detach()
    if rule.how == "set":
        return (target / rule.scale).expand_as(begun).flatten(2)
    return (bounded_correction(target, begun, rule.limit, rule.each) / rule.scale).flatten(2)


def start_of(points: Tensor, how: Literal["median", "mean"], counted: Tensor | None = None) -> Tensor:
    """y_0 of a training set, (points, 2): by coordinate, over the samples in which the point counts.

    Args:
        points: (samples, points, 2) in pixels.
        how: The statistic.
        counted: (samples, points), true where a point is annotated; all if not given. One that never is starts at 0.
    """
    import torch

    if counted is not None:
        points = torch.where(counted[..., None], points, torch.nan)
    found = points.nanmedian(0).values if how == "median" else points.nanmean(0)
    return found.nan_to_num(0.0)
