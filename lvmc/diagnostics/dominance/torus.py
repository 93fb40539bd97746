"""The smallest torus on which a form's couplings say what they are on planes of any size.

Every finite net is a principal block of the net on the infinite lattice: units outside a plane are absent with zero
padding, with 'valid' padding, and where strides round down. On the lattice C₊ repeats with the coarsest layer's pitch,
so v > 0 with C₊v ≤ θDv on a torus of one period, tiled, has it on the lattice, and at every finite size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from math import lcm

import numpy as np

from lvmc.graph.form import Array, Block, Edge, Form
from lvmc.ir import Geometry, Size

MOST_UNITS = 4_000_000
"""Largest torus that is made, where it is larger than the net."""


@dataclass(frozen=True, slots=True)
class Torus:
    """A form on one period of the lattice.

    Attributes:
        form: It, every geometry circular, filters with all their taps; None where couplings do not repeat.
        remark: Why there is none; or at which image sizes the torus speaks for the net (empty: at every size).
    """

    form: Form | None
    remark: str = ""


class _NoTorusError(Exception):
    """The couplings do not repeat; says why."""


def torus_of(form: Form, groups: bool = False) -> Torus:
    """The form on the torus whose period is the least common multiple of its layers' pitches.

    A layer's pitch is the product of strides and replicate windows below it, rows and columns apart, by connected
    component; with `groups` every layer's positions are a multiple of its group's window besides. Polyphase: a layer
    of pitch p keeps period/p positions. A filter wraps as often as it must: taps that meet one position stay apart
    in the filter, so that C₊ may be taken before or after.

    A plane of the net that wraps is covered where it holds whole periods and no more positions read it than strides
    fit into it.
    """
    try:
        sizes = _sizes(form, groups)
        limits = [limit for edge in form.edges for limit in _limits(form, edge, sizes)]
        limits += [
            limit
            for side in form.sides
            for limit in _wraps(form.block[side.layer], side.geometry, _kernel(side.filter), (1, 1), sizes[side.layer])
        ]
    except _NoTorusError as reason:
        return Torus(None, str(reason))
    made = Form(
        form.name,
        tuple(replace(block, size=sizes[block.name]) for block in form.blocks),
        tuple(_wrapped(edge) for edge in form.edges),
        tuple(replace(side, geometry=replace(side.geometry, circular=True)) for side in form.sides),
    )
    if made.units > max(form.units, MOST_UNITS):
        return Torus(None, f"one period of its lattice has {made.units:,} units, more than the net")
    return Torus(made, "; ".join(dict.fromkeys(limits)))


def folded(form: Form) -> Form:
    """The same couplings on a torus, taps that meet the same pair of units added up: the same products, fewer of them.

    Parts such as C₊ have to be taken before, tap by tap.
    """
    return replace(form, edges=tuple(_folded(form, edge) for edge in form.edges))


def _folded(form: Form, edge: Edge) -> Edge:
    """Along each axis with more taps than positions: as many taps as positions, every one the sum of those it meets."""
    lower, geometry, taps = form.block[edge.lower].size, edge.geometry, edge.filter
    (s, d, p) = (list(each) for each in (geometry.stride, geometry.dilation, geometry.padding))
    for axis in (0, 1):
        pooled, above = lower[axis] // edge.replicate[axis], form.block[edge.upper].size[axis]
        if above * s[axis] != pooled:
            continue
        # m taps with padding q make the plane above as large as it is where m − s ≤ 2q < m
        length = pooled + (1 if s[axis] == 1 and pooled % 2 == 0 else 0)
        padding = -((s[axis] - length) // 2)
        if taps.shape[2 + axis] <= length:
            continue
        places = (np.arange(taps.shape[2 + axis]) * d[axis] - p[axis] + padding) % pooled
        sums = np.zeros((*taps.shape[: 2 + axis], length, *taps.shape[3 + axis :]))
        np.add.at(np.moveaxis(sums, 2 + axis, 0), places, np.moveaxis(taps, 2 + axis, 0))
        taps, d[axis], p[axis] = sums, 1, padding
    return replace(edge, filter=taps, geometry=Geometry((s[0], s[1]), (d[0], d[1]), (p[0], p[1]), True))


def tiled(form: Form, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Arrays (channels, rows, columns) of a torus, repeated over the planes of a form."""
    return {block.name: _tiled(arrays[block.name], block.size) for block in form.blocks}


def _tiled(array: Array, size: Size) -> Array:
    rows, columns = (np.arange(size[axis]) % array.shape[1 + axis] for axis in (0, 1))
    return np.ascontiguousarray(array[:, rows][:, :, columns])


def _sizes(form: Form, groups: bool) -> dict[str, Size]:
    rows, columns = (_positions(form, axis, groups) for axis in (0, 1))
    return {block.name: (rows[block.name], columns[block.name]) for block in form.blocks}


def _positions(form: Form, axis: int, groups: bool) -> dict[str, int]:
    """Positions of every layer in one period along an axis."""
    positions = dict[str, int]()
    for pitch in _pitches(form, axis):
        windows = {name: _window(form.block[name], axis) if groups else 1 for name in pitch}
        # the least period of which every pitch × window is a divisor, in units of 1/denominator
        whole = lcm(*(each.denominator for each in pitch.values()))
        period = lcm(*(int(pitch[name] * whole) * windows[name] for name in pitch))
        positions |= {name: period // int(pitch[name] * whole) for name in pitch}
    return positions


def _window(block: Block, axis: int) -> int:
    return block.group.window[axis] if block.group else 1


def _pitches(form: Form, axis: int) -> list[dict[str, Fraction]]:
    """Each connected component's pitches, relative to one of its layers."""
    components, left = list[dict[str, Fraction]](), [block.name for block in form.blocks]
    while left:
        pitch, grown = {left[0]: Fraction(1)}, True
        while grown:
            grown = False
            for edge in form.edges:
                grown |= _spread(pitch, edge, axis)
        components.append(pitch)
        left = [name for name in left if name not in pitch]
    return components


def _spread(pitch: dict[str, Fraction], edge: Edge, axis: int) -> bool:
    """Carries pitches over a coupling; says whether a layer is new."""
    if edge.full and {edge.upper, edge.lower} & set(pitch):
        raise _NoTorusError(f"'{edge.upper}' reads the whole plane of '{edge.lower}' (filter: full)")
    step = edge.replicate[axis] * edge.geometry.stride[axis]
    if edge.upper in pitch and edge.lower in pitch:
        if pitch[edge.upper] != pitch[edge.lower] * step:
            raise _NoTorusError(f"the strides below '{edge.upper}' disagree between its paths")
        return False
    if edge.lower in pitch:
        pitch[edge.upper] = pitch[edge.lower] * step
    elif edge.upper in pitch:
        pitch[edge.lower] = pitch[edge.upper] / step
    return edge.lower in pitch


def _limits(form: Form, edge: Edge, sizes: dict[str, Size]) -> list[str]:
    return _wraps(form.block[edge.lower], edge.geometry, _kernel(edge.filter), edge.replicate, sizes[edge.lower])


def _wraps(block: Block, geometry: Geometry, kernel: Size, replicate: Size, period: Size) -> list[str]:
    """At which sizes the lattice speaks for a plane that wraps."""
    if not geometry.circular:
        return []
    limits, pooled = list[str](), (block.size[0] // replicate[0], block.size[1] // replicate[1])
    above = geometry.size_above(pooled, kernel)
    for axis, side in ((0, "rows"), (1, "columns")):
        stride, padding = geometry.stride[axis], geometry.padding[axis]
        reach = (above[axis] - 1) * stride - padding + geometry.extent(kernel)[axis]
        if padding == 0 and reach <= pooled[axis]:
            continue
        if above[axis] * stride > pooled[axis] and pooled[axis] % stride == 0:
            raise _NoTorusError(f"'{block.name}' wraps, and is read by more {side} than its strides fit into")
        if block.size[axis] % period[axis]:
            raise _NoTorusError(f"'{block.name}' wraps after {block.size[axis]} {side}, no multiple of {period[axis]}")
        if period[axis] > 1:
            limits.append(f"at image sizes that give '{block.name}' a multiple of {period[axis]} {side}")
    return limits


def _wrapped(edge: Edge) -> Edge:
    """The coupling on the torus: zero taps are added so that a plane of s·m positions below has m above."""
    filled = _filled(edge.filter, edge.geometry)
    if filled is None:
        geometry = replace(edge.geometry, dilation=(1, 1))
        filled = _filled(_dilated(edge.filter, edge.geometry.dilation), geometry)
        assert filled is not None  # zero taps one by one fill any extent
    return replace(edge, filter=filled[0], geometry=filled[1])


def _filled(taps: Array, geometry: Geometry) -> tuple[Array, Geometry] | None:
    """Zero taps in front or behind until e − s ≤ 2p < e on both axes (e: extent, p: padding); None where none fit."""
    widths, padding = [(0, 0), (0, 0)], list[int]()
    for axis in (0, 1):
        e, p = geometry.extent(_kernel(taps))[axis], geometry.padding[axis]
        s, d = geometry.stride[axis], geometry.dilation[axis]
        front = max(0, -((2 * p - e + s) // d))
        behind = max(0, -((e - 2 * p - 1) // d))
        if not e + (front + behind) * d - s <= 2 * (p + front * d) < e + (front + behind) * d:
            return None
        widths.append((front, behind))
        padding.append(p + front * d)
    return np.pad(taps, widths), replace(geometry, padding=(padding[0], padding[1]), circular=True)


def _dilated(taps: Array, dilation: Size) -> Array:
    (rows, columns), (down, across) = _kernel(taps), dilation
    out = np.zeros((*taps.shape[:2], down * (rows - 1) + 1, across * (columns - 1) + 1))
    out[:, :, ::down, ::across] = taps
    return out


def _kernel(taps: Array) -> Size:
    return (taps.shape[2], taps.shape[3])
