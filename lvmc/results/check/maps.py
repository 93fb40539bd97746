"""The strongest channels of a witness as small pictures, each in one line of text for a page."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from io import BytesIO

import numpy as np
from numpy.typing import NDArray

from lvmc.diagnostics.answers import Check
from lvmc.graph.form import Array
from lvmc.results.check.numbers import percent
from lvmc.results.check.witness import strongest_channels

MOST, LARGEST = 8, 128


@dataclass(frozen=True, slots=True)
class Map:
    """A channel in space: its picture as a data URI, its caption, and what it shows in words."""

    uri: str
    caption: str
    alt: str


def maps(check: Check) -> tuple[Map, ...]:
    """The channels with the largest part of zᵀDz, each on its own scale; channels of a single unit are left out."""
    shown = [each for each in strongest_channels(check, MOST) if each.values.size > 1]
    return tuple(
        Map(picture(each.values), f"{each.layer}, channel {each.channel}: {percent(each.share)}",
            f"Channel {each.channel} of {each.layer}: {_where(each.values)}")
        for each in shown
    )  # fmt: skip


def picture(values: Array) -> str:
    """A plane (height, width) as a PNG in a data URI: dark is 0; signed planes are blue below 0 and red above."""
    from matplotlib import colormaps
    from PIL import Image

    small = _shrunk(values)
    bound = float(np.abs(small).max()) or 1.0
    signed = bool((small < 0).any())
    shades = 0.5 + 0.5 * small / bound if signed else small / bound
    colours: NDArray[np.uint8] = colormaps["RdBu_r" if signed else "magma"](shades, bytes=True)[..., :3]
    held = BytesIO()
    Image.fromarray(np.ascontiguousarray(colours)).save(held, "PNG", optimize=True)
    return f"data:image/png;base64,{b64encode(held.getvalue()).decode('ascii')}"


def _shrunk(values: Array) -> Array:
    """The plane by blocks, each as its strongest unit, so that no side is longer than `LARGEST`."""
    step = -(-max(values.shape) // LARGEST)
    if step == 1:
        return values
    rows, columns = (-(-side // step) for side in values.shape)
    padded = np.zeros((rows * step, columns * step))
    padded[: values.shape[0], : values.shape[1]] = values
    blocks = padded.reshape(rows, step, columns, step).transpose(0, 2, 1, 3).reshape(rows, columns, -1)
    return np.take_along_axis(blocks, np.abs(blocks).argmax(2)[..., None], 2)[..., 0]


def _where(values: Array) -> str:
    active = float((values != 0).mean())
    row, column = np.unravel_index(int(np.abs(values).argmax()), values.shape)
    size = f"{values.shape[0]}×{values.shape[1]}"
    return f"{percent(active)} of its {size} units are active, most at row {row}, column {column}."
