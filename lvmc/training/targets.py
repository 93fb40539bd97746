"""What each head is trained towards, as tensors that the emitted `losses` take, and how many entries of it count."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvmc.data.batches import Batch
from lvmc.data.pointvectors import numbers_of, vector_of_points
from lvmc.data.sample import HIDDEN, UNCOUNTED, VISIBLE
from lvmc.graph import EnergyGraph, HeadNode
from lvmc.heads.classes import Classes
from lvmc.heads.density import Density
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.lift import POINTS2D, Lift
from lvmc.heads.segmentation import Segmentation
from lvmc.heads.vector import Vector
from lvmc.spec.train import Target, Train
from lvmc.training.blobs import discs, gaussians

if TYPE_CHECKING:
    from torch import Tensor


def targets_of(graph: EnergyGraph, train: Train, batch: Batch, widest: float | None = None) -> dict[str, Tensor]:
    """Targets of every head, on the device of the batch; with `at: each` one target for the predictions of all passes.

    With outer feedback they are those of all steps; heads that move points have none here (`feedback`).

    Heatmaps: (B, points, H, W) float32: discs of radius `radius` × `evaluate.pck` × unit, or of `pixels` (logistic), or
    Gaussians with that σ (l2); −1 where a map does not count. Segmentations: (B, H, W) uint8, 255 where a pixel does
    not count. Classes: (B,) int64. Vectors and densities: (B, D) values, where the data has any, else (B, 2 · points),
    coordinates from the centre in half sizes, of vectors NaN for points that are not annotated. Lifting heads, where
    `on` names them: `<head>.points2d` (B, points, 2) in pixels, NaN for points that are not annotated, and
    `<head>.points3d` (B, points, 3) as the samples have them.

    Args:
        graph: Whose heads.
        train: Its `targets` and `evaluate.pck`.
        batch: Checked by `check_batch`.
        widest: The largest unit of the batch, where reading it back from a GPU is to be spared.
    """
    moves = graph.feedback.corrections if graph.feedback else {}
    plain = [head for head in graph.heads if not head.source and head.name not in moves]
    targets = {head.name: _target(head, train, batch, widest) for head in plain}
    for head in graph.heads:
        if isinstance(head.record, Lift):
            targets |= {f"{head.name}.{part}": _lifted(head.name, part, batch) for part in head.record.on}
    return targets


def counts_of(graph: EnergyGraph, train: Train, batch: Batch) -> Tensor:
    """How many entries of each head's targets count, (heads,) float32, without stacked predictions.

    Of a lifting head that learns points in 2D and in 3D it is those in 2D.
    The loss of a head over micro-batches and processes r is Σ_r n_r loss_r / Σ_r n_r, as of one large batch.
    """
    import torch

    return torch.stack([_count(head, train, batch).float() for head in graph.heads])


def _target(head: HeadNode, train: Train, batch: Batch, widest: float | None) -> Tensor:
    match head.record:
        case Heatmap() as record:
            return _maps(record, _rule(head, train), train, batch, widest)
        case Segmentation() if batch.masks is not None:
            return batch.masks
        case Classes() if batch.labels is not None:
            return batch.labels
        case Vector() if batch.values is None:
            return vector_of_points(known_points(batch, head.name), (batch.images.shape[2], batch.images.shape[3]))
        case Vector() | Density() if (numbers := numbers_of(batch, train.columns(head.name))) is not None:
            return numbers
        case _:
            raise ValueError(f"nothing in the data says what head {head.name!r} should be")


def _lifted(head: str, part: str, batch: Batch) -> Tensor:
    """Points (B, points, 2 or 3), NaN where they are not known."""
    if part == POINTS2D:
        return known_points(batch, head)
    if batch.points3d is None:
        raise ValueError(f"nothing in the data says what head {head!r} should be")
    return batch.points3d


def known_points(batch: Batch, head: str) -> Tensor:
    """(B, points, 2) in pixels, NaN where a point is not annotated; raises ValueError without points for a head."""
    import torch

    if batch.points is None or batch.visible is None:
        raise ValueError(f"nothing in the data says what head {head!r} should be")
    return torch.where(batch.visible[..., None] > 0, batch.points, torch.nan)


def _count(head: HeadNode, train: Train, batch: Batch) -> Tensor:
    import torch

    height, width = batch.images.shape[2:]
    match head.record:
        case Heatmap() if batch.visible is not None:
            ignored = _ignored(_rule(head, train), batch.visible)
            counted = batch.units.new_tensor(batch.visible.numel()) if ignored is None else (~ignored).sum()
            return counted * (height * width)
        case Lift(on=on) if POINTS2D not in on and batch.points3d is not None:
            return (~batch.points3d.isnan().any(2)).sum()
        case Lift() if batch.visible is not None:
            return (batch.visible > 0).sum()
        case Vector() if batch.visible is not None and batch.values is None:
            return (batch.visible > 0).sum()
        case Segmentation() if batch.masks is not None:
            return (batch.masks != UNCOUNTED).sum()
        case Classes() if batch.labels is not None:
            return ((batch.labels >= 0) & (batch.labels != UNCOUNTED)).sum()
        case _:
            return torch.tensor(len(batch.images), device=batch.images.device)


def _maps(record: Heatmap, rule: Target, train: Train, batch: Batch, widest: float | None) -> Tensor:
    """Discs or Gaussians around the points that count as such, −1 where a whole map does not count."""
    import torch

    points, visible = batch.points, batch.visible
    assert points is not None
    assert visible is not None
    size = (batch.images.shape[2], batch.images.shape[3])
    factor = rule.radius * train.evaluate.pck
    radius = torch.full_like(batch.units, rule.pixels) if rule.pixels else batch.units * factor
    shown = visible >= (HIDDEN if rule.hidden == "point" else VISIBLE)
    radius = torch.where(shown, radius[:, None], -1.0)
    if record.loss == "logistic":
        maps = discs(points, radius, size, rule.pixels or factor * (widest or float(batch.units.max())))
    else:
        maps = gaussians(points, radius, size)
    ignored = _ignored(rule, visible)
    return maps if ignored is None else maps.masked_fill_(ignored[:, :, None, None], -1.0)


def _ignored(rule: Target, visible: Tensor) -> Tensor | None:
    """(B, points) whose maps do not count; None where all do by rule."""
    match rule.unannotated == "ignore", rule.hidden == "ignore":
        case True, True:
            return visible < VISIBLE
        case True, False:
            return visible == 0
        case False, True:
            return visible == HIDDEN
        case _:
            return None


def _rule(head: HeadNode, train: Train) -> Target:
    return train.targets.get(head.name, Target())
