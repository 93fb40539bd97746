"""Numbers regressed from an image: a linear readout with L2 or L1 loss."""

from __future__ import annotations

from typing import Literal

from lvmc.heads.head import Desk
from lvmc.heads.planes import PlaneHead
from lvmc.ir import TensorType
from lvmc.ir.ops import DistanceLoss


class Vector(PlaneHead):
    """A vector of values."""

    kind: Literal["vector"]
    loss: Literal["l2", "l1"] = "l2"

    def target(self, output: TensorType) -> TensorType:
        """(outputs,): the values."""
        return output

    def loss_equation(self, desk: Desk, output: str, target: str) -> str:
        """Mean of squares or of absolute differences, over numbers that are known (not NaN)."""
        op = DistanceLoss(2 if self.loss == "l2" else 1, ignore=False)
        return desk.build.add(op, output, target, name=f"{desk.tag}_loss", origin=desk.origin)
