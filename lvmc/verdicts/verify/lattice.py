"""When a vector on a torus speaks for a net at its own size, and at which others."""

from __future__ import annotations

from collections.abc import Mapping

from lvmc.verdicts.records import Array
from lvmc.verdicts.subjects import Coupling, Net
from lvmc.verdicts.verify.verification import BrokenError

Sizes = dict[str, tuple[int, int]]

EVERYWHERE = "at every image size"
WHOLE_PERIODS = "at image sizes whose circular planes hold whole periods of the torus"


def torus_sizes(net: Net, arrays: Mapping[str, Array], grouped: bool) -> Sizes:
    """Rows and columns of a torus of the net's lattice, read off arrays (channels, rows, columns) by layer.

    A position above meets those stride · window apart below, so planes of s·w·m positions below and m above repeat
    alike: tiled, they cover the endless lattice, of which every net with zero padding is a principal block.

    Raises:
        BrokenError: The arrays are no torus of this net, or the net's circular planes are no tiling of it.
    """
    sizes: Sizes = {}
    for layer in net.layers:
        found = arrays.get(layer.name)
        if found is None or found.ndim != 3 or len(found) != layer.channels or not found.size:
            raise BrokenError(f"its array '{layer.name}' is no ({layer.channels}, rows, columns) of a torus")
        sizes[layer.name] = (found.shape[1], found.shape[2])
        for axis in (0, 1):
            if grouped and sizes[layer.name][axis] % layer.group[1 + axis]:
                raise BrokenError(f"its array '{layer.name}' does not hold whole groups")
    for coupling in net.couplings:
        for axis in (0, 1):
            _check(coupling, axis, sizes, net)
    return sizes


def where(net: Net) -> str:
    """At which image sizes what holds on a torus holds."""
    return WHOLE_PERIODS if any(each.circular for each in net.couplings) else EVERYWHERE


def _check(coupling: Coupling, axis: int, sizes: Sizes, net: Net) -> None:
    upper, lower = coupling.upper, coupling.lower
    if coupling.full:
        raise BrokenError(f"'{upper}' reads the whole plane of '{lower}': there is no lattice")
    step = coupling.stride[axis] * coupling.replicate[axis]
    if sizes[lower][axis] != sizes[upper][axis] * step:
        raise BrokenError(f"its '{lower}' is not {step} times as long as its '{upper}': no torus of this net")
    if coupling.circular and _wraps(coupling, axis, net):
        whole, above = net.layer[lower].size[axis], net.layer[upper].size[axis]
        if whole % sizes[lower][axis] or above * step > whole:
            raise BrokenError(f"'{lower}' wraps after {whole} positions, which its torus does not tile")


def _wraps(coupling: Coupling, axis: int, net: Net) -> bool:
    """Whether a filter reaches beyond the plane at the net's own size."""
    above, below = net.layer[coupling.upper].size[axis], net.layer[coupling.lower].size[axis]
    extent = coupling.dilation[axis] * (coupling.taps[axis] - 1) + 1
    reach = (above - 1) * coupling.stride[axis] - coupling.padding[axis] + extent
    return coupling.padding[axis] > 0 or reach > below // coupling.replicate[axis]
