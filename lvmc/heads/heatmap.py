"""Heatmaps of keypoints: one map a point, logits per pixel (Hu & Ramanan §3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from lvmc.heads.head import Canvas, Desk, Fault, Reading
from lvmc.heads.maps import MapHead
from lvmc.ir import TensorType
from lvmc.ir.ops import DistanceLoss, LogisticLoss
from lvmc.records import Record, shown, whole, wrong
from lvmc.values import listed

_LIMBS = "for example [[0, 1], [1, 2]]"


def _indices(value: Any) -> tuple[int, ...]:
    several = listed(value)
    if several is None or not all(whole(each) and each >= 0 for each in several):
        raise wrong(f"should be a list of point numbers from 0, not {shown(value)}", "for example [1, 0, 2]")
    return tuple(several)


def _names(value: Any) -> tuple[str, ...]:
    several = listed(value)
    if several is None or not all(isinstance(each, str) for each in several):
        raise wrong(f"should be a list of names, not {shown(value)}", "for example [left_eye, right_eye]")
    return tuple(several)


def _bones(value: Any) -> tuple[tuple[int, int], ...]:
    several = listed(value)
    if several is None:
        raise wrong(f"should be a list of pairs of point numbers, not {shown(value)}", _LIMBS)
    bones = [_indices(each) for each in several]
    if any(len(bone) != 2 for bone in bones):
        raise wrong("a limb joins two points", _LIMBS)
    return tuple((bone[0], bone[1]) for bone in bones)


def _lists(bones: tuple[tuple[int, int], ...]) -> list[list[int]]:
    return [list(bone) for bone in bones]


_INDEX_LIST: dict[str, Any] = {"type": "array", "items": {"type": "integer", "minimum": 0}}
Indices = Annotated[tuple[int, ...], BeforeValidator(_indices), PlainSerializer(list), WithJsonSchema(_INDEX_LIST)]
Names = Annotated[
    tuple[str, ...],
    BeforeValidator(_names),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
]
Bones = Annotated[
    tuple[tuple[int, int], ...],
    BeforeValidator(_bones),
    PlainSerializer(_lists),
    WithJsonSchema({"type": "array", "items": _INDEX_LIST}),
]


class Points(Record):
    """What the points are: their names, their mirror images, and the limbs between them."""

    names: Names | None = None
    flip: Indices | None = None
    skeleton: Bones | None = None


class Heatmap(MapHead):
    """One logit map a keypoint at input size."""

    kind: Literal["heatmap"]
    points: Points | None = None
    loss: Literal["logistic", "l2"] = "logistic"

    def faults(self, readings: Sequence[Reading], canvas: Canvas) -> Iterator[Fault]:
        """Those of the readout, and points that are not `channels` many."""
        yield from self.readout_faults(readings, canvas)
        points = self.points or Points()
        for key, values in (("names", points.names), ("flip", points.flip)):
            if values is not None and len(values) != self.channels:
                fault = f"'{key}' has {len(values)} entries for {self.channels} channels"
                yield Fault(("points", key), fault, "write one entry a channel")
        if points.flip is not None and sorted(points.flip) != list(range(len(points.flip))):
            fault = f"'flip' is not a permutation of 0 to {len(points.flip) - 1}"
            yield Fault(("points", "flip"), fault, "name the mirror image of each point, every point once")
        for bone in points.skeleton or ():
            if max(bone) >= self.channels:
                fault = f"the skeleton joins point {max(bone)}, which does not exist"
                yield Fault(("points", "skeleton"), fault, f"points count from 0 to {self.channels - 1}")

    def target(self, output: TensorType) -> TensorType:
        """(channels, H, W): 1 near the point, 0 elsewhere, negative where a pixel does not count."""
        return output

    def loss_equation(self, desk: Desk, output: str, target: str) -> str:
        """Mean over the pixels that count."""
        op = LogisticLoss() if self.loss == "logistic" else DistanceLoss(2, ignore=True)
        return desk.build.add(op, output, target, name=f"{desk.tag}_loss", origin=desk.origin)
