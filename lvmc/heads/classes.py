"""One class an image: a linear readout with softmax."""

from __future__ import annotations

from typing import Literal

from lvmc.heads.head import Desk
from lvmc.heads.planes import PlaneHead
from lvmc.ir import TensorType
from lvmc.ir.ops import SoftmaxLoss


class Classes(PlaneHead):
    """A logit a class."""

    kind: Literal["classes"]
    loss: Literal["softmax"] = "softmax"

    def target(self, output: TensorType) -> TensorType:
        """(): a whole number, the class; negative or 255 where a sample does not count."""
        return TensorType(())

    def loss_equation(self, desk: Desk, output: str, target: str) -> str:
        """Softmax, mean over the samples that count."""
        return desk.build.add(SoftmaxLoss(), output, target, name=f"{desk.tag}_loss", origin=desk.origin)
