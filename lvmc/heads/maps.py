"""The coarse-to-fine readout of FCNs: a filter on each layer read, added while upsampling to the canvas."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import prod

from lvmc.heads.head import Canvas, Desk, Fault, HeadRecord, Read, Reading
from lvmc.ir import Geometry, Init, Size, TensorType, Variable
from lvmc.ir.ops import Add, Correlate, Reshape, Upsample, UpsampleMode
from lvmc.records import Count, shorten


class MapHead(HeadRecord):
    """A head that gives a map of `channels` channels at input size."""

    channels: Count
    upsample: UpsampleMode = "bilinear"

    def reads_whole(self, layer: str) -> bool:
        """A filter slides over any size; a layer read as a map must stay 1×1."""
        return self.reads[layer].map is not None

    def readout_faults(self, readings: Sequence[Reading], canvas: Canvas) -> Iterator[Fault]:
        """Even filters, maps of wide layers, and factors that `fcn` cannot reach."""
        for reading in readings:
            read = self.reads[reading.layer]
            if read.filter[0] % 2 == 0 or read.filter[1] % 2 == 0:
                odd = shorten((read.filter[0] // 2 * 2 + 1, read.filter[1] // 2 * 2 + 1))
                fault = f"the filter on '{reading.layer}' is even, so it would move the map"
                yield Fault(("reads", reading.layer), fault, f"use an odd filter, for example {reading.layer}: {odd}")
            if read.map and reading.size != (1, 1):
                fault = f"'{reading.layer}' is {reading.size[0]}×{reading.size[1]}; only a 1×1 layer is read as a map"
                remedy = f"write {reading.layer}: {shorten(read.filter)}"
                yield Fault(("reads", reading.layer), fault, remedy)
        yield from self._factor_faults(readings, canvas)

    def parameters(self, name: str, readings: Sequence[Reading]) -> Iterator[Variable]:
        """`heads.<name>.<layer>.weight` (channels, C, h, w) and `.bias`; with `map`, channels times its size."""
        for reading in readings:
            read = self.reads[reading.layer]
            channels = self.channels * prod(read.map or (1, 1))
            shape = (channels, reading.channels, *read.filter)
            stem = f"heads.{name}.{reading.layer}"
            yield Variable(f"{stem}.weight", TensorType(shape, batched=False), "parameter", Init("normal", 0.01))
            yield Variable(f"{stem}.bias", TensorType((channels,), batched=False), "parameter", Init("constant", 0.0))

    def equations(self, desk: Desk, readings: Sequence[Reading], canvas: Canvas) -> str:
        """Coarse to fine: y ← upsample(y) + filter(layer), at last upsampled to the canvas."""
        steps = self._coarse_to_fine(readings)
        total, size = "", (0, 0)
        for reading in steps:
            target = Canvas(reading.layer, self._size(reading))
            if total and size != target.size:
                total = self._upsample(desk, total, target, reading.window)
            part = self._part(desk, reading)
            sum_name = f"{desk.tag}_{reading.layer}"
            total = desk.build.add(Add(), total, part, name=sum_name, origin=desk.origin) if total else part
            size = target.size
        return self._upsample(desk, total, canvas, (1, 1)) if size != canvas.size else total

    def _part(self, desk: Desk, reading: Reading) -> str:
        read: Read = self.reads[reading.layer]
        padding = ((read.filter[0] - 1) // 2, (read.filter[1] - 1) // 2)
        weight, bias = (desk.parameter(reading.layer, leaf) for leaf in ("weight", "bias"))
        name = f"{desk.tag}_{reading.layer}_part"
        part = desk.build.add(
            Correlate(Geometry(padding=padding)), reading.value, weight, bias, name=name, origin=desk.origin
        )
        if read.map is None:
            return part
        return desk.build.add(Reshape((self.channels, *read.map)), part, name=name, origin=desk.origin)

    def _upsample(self, desk: Desk, value: str, target: Canvas, window: Size) -> str:
        op = Upsample(self.upsample, target.size, target.plane, window)
        return desk.build.add(op, value, name=f"{desk.tag}_at_{target.plane}", origin=desk.origin)

    def _size(self, reading: Reading) -> Size:
        return self.reads[reading.layer].map or reading.size

    def _coarse_to_fine(self, readings: Sequence[Reading]) -> list[Reading]:
        return sorted(readings, key=lambda reading: prod(self._size(reading)))

    def _factor_faults(self, readings: Sequence[Reading], canvas: Canvas) -> Iterator[Fault]:
        sizes = [self._size(reading) for reading in self._coarse_to_fine(readings)] + [canvas.size]
        for coarse, fine in pairwise(sizes):
            whole = fine[0] % coarse[0] == 0 and fine[1] % coarse[1] == 0
            if self.upsample == "fcn" and not whole:
                fault = f"fcn upsampling needs whole factors, but {coarse[0]}×{coarse[1]} meets {fine[0]}×{fine[1]}"
                yield Fault(("upsample",), fault, "write bilinear, which takes any factor")
