"""Pixel classes: one logit map a class (Hu & Ramanan, CLVM §3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from lvmc.heads.head import Canvas, Desk, Fault, Reading
from lvmc.heads.heatmap import Names
from lvmc.heads.maps import MapHead
from lvmc.ir import TensorType
from lvmc.ir.ops import SoftmaxLoss


class Segmentation(MapHead):
    """One logit map a class at input size."""

    kind: Literal["segmentation"]
    classes: Names | None = None
    loss: Literal["softmax"] = "softmax"

    def faults(self, readings: Sequence[Reading], canvas: Canvas) -> Iterator[Fault]:
        """Those of the readout, and class names that are not `channels` many."""
        yield from self.readout_faults(readings, canvas)
        if self.classes is not None and len(self.classes) != self.channels:
            fault = f"{len(self.classes)} class names for {self.channels} channels"
            yield Fault(("classes",), fault, f"name {self.channels} classes, or write channels: {len(self.classes)}")

    def target(self, output: TensorType) -> TensorType:
        """(H, W): whole numbers, the class of each pixel; negative or 255 where a pixel does not count."""
        return TensorType(output.shape[1:])

    def loss_equation(self, desk: Desk, output: str, target: str) -> str:
        """Softmax per pixel, mean over the pixels that count."""
        return desk.build.add(SoftmaxLoss(), output, target, name=f"{desk.tag}_loss", origin=desk.origin)
