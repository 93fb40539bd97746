"""The linear readout of whole planes, or of their means: a vector an image."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

from lvmc.heads.head import Canvas, Desk, Fault, HeadRecord, Read, Reading
from lvmc.ir import Geometry, Init, TensorType, Variable
from lvmc.ir.ops import Add, Correlate, MeanPlane, Reshape
from lvmc.records import Count

Pool = Literal["mean"] | None


class PlaneHead(HeadRecord):
    """A head that gives a vector of `outputs` numbers, summed over the layers read."""

    outputs: Count
    pool: Pool = None

    def reads_whole(self, layer: str) -> bool:
        """The filter is the plane, unless its mean is read."""
        return self.pool is None

    def faults(self, readings: Sequence[Reading], canvas: Canvas) -> Iterator[Fault]:
        """Filter sizes, which belong to maps."""
        yield from filter_faults(self.reads, readings)

    def parameters(self, name: str, readings: Sequence[Reading]) -> Iterator[Variable]:
        """`heads.<name>.<layer>.weight` (outputs, C, H, W), or (outputs, C, 1, 1) with `pool: mean`, and `.bias`."""
        yield from plane_parameters(name, readings, self.outputs, self.pool)

    def equations(self, desk: Desk, readings: Sequence[Reading], canvas: Canvas) -> str:
        """Σ over layers of V_l z_l + c_l."""
        return plane_equations(desk, readings, self.outputs, self.pool)


def filter_faults(reads: dict[str, Read], readings: Sequence[Reading]) -> Iterator[Fault]:
    """Filter sizes where whole planes are read."""
    for reading in readings:
        if reads[reading.layer] != Read():
            fault = f"this head reads the whole plane of '{reading.layer}', so a filter size means nothing"
            yield Fault(("reads", reading.layer), fault, "write a layer, or a list of layers")


def plane_parameters(
    name: str, readings: Sequence[Reading], outputs: int, pool: Pool, scale: float = 0.01
) -> Iterator[Variable]:
    """`heads.<name>.<layer>.weight` (outputs, C, H, W), or (outputs, C, 1, 1) pooled, and `.bias` of every layer."""
    for reading in readings:
        size = (1, 1) if pool else reading.size
        stem, shape = f"heads.{name}.{reading.layer}", (outputs, reading.channels, *size)
        yield Variable(f"{stem}.weight", TensorType(shape, batched=False), "parameter", Init("normal", scale))
        yield Variable(f"{stem}.bias", TensorType((outputs,), batched=False), "parameter", Init("constant", 0.0))


def plane_equations(desk: Desk, readings: Sequence[Reading], outputs: int, pool: Pool) -> str:
    """Σ over layers of V_l z_l + c_l, (outputs,)."""
    parts = [_part(desk, reading, pool) for reading in readings]
    name = f"{desk.tag}_sum"
    total = desk.build.add(Add(), *parts, name=name, origin=desk.origin) if len(parts) > 1 else parts[0]
    return desk.build.add(Reshape((outputs,)), total, name=f"{desk.tag}_vector", origin=desk.origin)


def _part(desk: Desk, reading: Reading, pool: Pool) -> str:
    value = reading.value
    name = f"{desk.tag}_{reading.layer}_part"
    if pool:
        value = desk.build.add(MeanPlane(), value, name=f"{desk.tag}_{reading.layer}_mean", origin=desk.origin)
    weight, bias = (desk.parameter(reading.layer, leaf) for leaf in ("weight", "bias"))
    return desk.build.add(Correlate(Geometry()), value, weight, bias, name=name, origin=desk.origin)
