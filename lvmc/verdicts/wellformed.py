"""Whether a matrix or a net is one that a proof can speak of."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np

from lvmc.verdicts.subjects import MOST_UNITS, Coupling, Layer, Matrix, Net, Subject


def fault_of(subject: Subject) -> str:
    """The first thing that is wrong with a subject; empty where nothing is."""
    faults = _matrix(subject) if isinstance(subject, Matrix) else _net(subject)
    return next(faults, "")


def _matrix(subject: Matrix) -> Iterator[str]:
    values, size = subject.values, len(subject.values)
    if values.shape != (size, size):
        yield f"the matrix is of shape {values.shape}, not square"
        return
    if not np.isfinite(values).all():
        yield "the matrix has entries that are not finite"
    elif not np.array_equal(values, values.T):
        yield "the matrix is not symmetric"
    seen = [index for group in subject.groups for index in group]
    if len(set(seen)) < len(seen):
        yield "an index is in two groups"
    if any(not 0 <= index < size for index in seen):
        yield f"a group holds an index beyond 0 … {size - 1}"


def _net(net: Net) -> Iterator[str]:
    if len(net.layer) < len(net.layers) or not net.layers:
        yield "two layers are of one name" if net.layers else "it has no layers"
    for layer in net.layers:
        yield from _layer(layer)
    if net.units > MOST_UNITS:
        yield f"it has {net.units:,} units, more than {MOST_UNITS:,}"
    for coupling in net.couplings:
        yield from _coupling(net, coupling)
    lateral = [coupling.lateral for coupling in net.couplings]
    if lateral != sorted(lateral):
        yield "a lateral coupling comes before one between layers"


def _layer(layer: Layer) -> Iterator[str]:
    if min(layer.shape) < 1:
        yield f"layer '{layer.name}' is of shape {layer.shape}"
    elif layer.diagonal.shape != (layer.channels,):
        yield f"layer '{layer.name}' has {layer.diagonal.size} diagonal entries for {layer.channels} channels"
    elif not (np.isfinite(layer.diagonal) & (layer.diagonal > 0)).all():
        yield f"layer '{layer.name}' has a diagonal that is not above 0"
    elif min(layer.group) < 1 or any(size % of for size, of in zip(layer.shape, layer.group, strict=True)):
        yield f"the groups {layer.group} of layer '{layer.name}' do not divide {layer.shape}"


def _coupling(net: Net, coupling: Coupling) -> Iterator[str]:
    said = f"the coupling '{coupling.weight}'"
    if not {coupling.upper, coupling.lower} <= set(net.layer):
        yield f"{said} is of a layer that is not there"
        return
    upper, lower = net.layer[coupling.upper], net.layer[coupling.lower]
    if coupling.filter.ndim != 4 or coupling.filter.shape[:2] != (upper.channels, lower.channels):
        yield f"{said} has a filter of shape {coupling.filter.shape}"
    elif not coupling.filter.size or not np.isfinite(coupling.filter).all():
        yield f"{said} has weights that are not finite, or none"
    elif min(*coupling.stride, *coupling.dilation, *coupling.replicate) < 1 or min(coupling.padding) < 0:
        yield f"{said} has a stride, dilation, window or padding that is not one"
    elif any(size % window for size, window in zip(lower.size, coupling.replicate, strict=True)):
        yield f"the windows of {said} do not divide '{lower.name}'"
    elif coupling.lateral and not _symmetric(coupling):
        yield f"{said} within '{upper.name}' is not symmetric"


def _symmetric(coupling: Coupling) -> bool:
    """L[c, c', t] = L[c', c, −t] about the middle tap, which the padding puts at a unit's own place."""
    reach = tuple(2 * pad - dilation * (taps - 1) for pad, dilation, taps in _axes(coupling))
    plain = prod((*coupling.stride, *coupling.replicate)) == 1
    flipped = coupling.filter.swapaxes(0, 1)[:, :, ::-1, ::-1]
    return plain and reach == (0, 0) and np.array_equal(coupling.filter, flipped)


def _axes(coupling: Coupling) -> Iterator[tuple[int, int, int]]:
    return zip(coupling.padding, coupling.dilation, coupling.taps, strict=True)
