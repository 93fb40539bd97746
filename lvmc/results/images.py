"""Reads a picture (or an array) as the values of an input: its size, its channels, and `normalize`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lvmc.data.pixels import MODES, as_colours, normalized
from lvmc.graph import InputNode

Numbers = NDArray[np.float32]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Given:
    """An input as a model takes it.

    Attributes:
        values: (1, channels, H, W), numbers or a mask; of points (1, points, 2).
        picture: The same as colours to draw on, (H, W, 3) in 0 … 1; None where it is no picture.
        remarks: What was done to the file to make it fit.
    """

    values: NDArray[np.float32 | np.bool_]
    picture: Numbers | None
    remarks: tuple[str, ...]


def read_block(path: Path, block: InputNode, size: Size | None = None) -> Given:
    """A file as the values of a block.

    Args:
        path: A picture; or an .npy array (channels, H, W), whose unsigned whole numbers are pixels and whose
            other numbers are given as they are.
        block: What it is read for.
        size: Height and width to bring a picture to; the block's nominal size if not given.

    Raises:
        ValueError: The file cannot fill the block's channels.
        OSError: There is no such file, or it is no picture.
    """
    if path.suffix.lower() == ".npy":
        return _read_array(path, block)
    return _read_picture(path, block, size or block.size)


def _read_picture(path: Path, block: InputNode, size: Size) -> Given:
    from PIL import Image, ImageOps

    if block.channels not in MODES:
        fault = f"{block.name!r} has {block.channels} channels, which no picture fills"
        raise ValueError(f"{path}: {fault}; give an .npy array of shape ({block.channels}, {size[0]}, {size[1]})")
    with Image.open(path) as opened:
        image = ImageOps.exif_transpose(opened)
        colours = as_colours(image)
    before = (colours.height, colours.width)
    resized = colours.resize((size[1], size[0]), Image.Resampling.BICUBIC) if before != size else colours
    channels = resized.convert(MODES[block.channels])
    pixels = np.asarray(channels, np.float32).reshape(*size, block.channels).transpose(2, 0, 1)
    return Given(
        values=normalized(pixels, block.normalize)[None],
        picture=np.asarray(resized.convert("RGB"), np.float32) / np.float32(255),
        remarks=tuple(_remarks(block, image.mode, before, size)),
    )


def _remarks(block: InputNode, mode: str, before: Size, size: Size) -> list[str]:
    found: list[str] = []
    if before != size:
        found.append(f"resized from {before[0]}×{before[1]} to {size[0]}×{size[1]}")
    if MODES[block.channels] != mode:
        found.append(f"{mode} made {MODES[block.channels]}")
    rule = block.normalize
    if rule is None:
        return [*found, "pixels divided by 255"]
    scaled = f"(pixel / {rule.range:g} − mean)" if rule.mean else f"pixel / {rule.range:g}"
    return [*found, f"normalized: {scaled}" + (" / std" if rule.std else "")]


def _read_array(path: Path, block: InputNode) -> Given:
    array = np.load(path, allow_pickle=False)
    kind, shape = array.dtype.kind, array.shape
    array = array[None] if array.ndim == 2 and block.channels == 1 else array
    array = array[0] if array.ndim == 4 and array.shape[0] == 1 else array
    if array.ndim != 3 or array.shape[0] != block.channels or kind not in "buif":
        wanted = f"({block.channels}, {block.size[0]}, {block.size[1]})"
        raise ValueError(f"{path}: an array {shape} of {array.dtype} does not fill {block.name!r}, which is {wanted}")
    values = np.asarray(array, np.float32)
    if kind == "u":
        remark = "unsigned whole numbers taken as pixels"
        return Given(normalized(values, block.normalize)[None], _as_picture(values / np.float32(255)), (remark,))
    low, high = float(values.min(initial=0)), float(values.max(initial=0))
    shades = np.asarray((values - low) / ((high - low) or 1.0), np.float32)
    return Given(values[None], _as_picture(shades), ("values given as they are",))


def read_numbers(path: Path, name: str, shape: tuple[int, ...]) -> Given:
    """An .npy array of exactly this shape, for example points (points, 2).

    Raises:
        ValueError: It is no array of numbers, or has another shape.
        OSError: There is no such file.
    """
    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as fault:
        raise ValueError(f"{path}: {name!r} is read from an .npy array {shape}, which this is not") from fault
    if array.shape != shape or array.dtype.kind not in "iuf" or not np.isfinite(array).all():
        raise ValueError(f"{path}: an array {array.shape} of {array.dtype} does not fill {name!r}, which is {shape}")
    return Given(np.asarray(array, np.float32)[None], None, ("values given as they are",))


def _as_picture(values: Numbers) -> Numbers | None:
    if values.shape[0] not in (1, 3) or min(values.shape[1:]) < 8:
        return None
    return np.clip(np.broadcast_to(values.transpose(1, 2, 0), (*values.shape[1:], 3)), 0, 1)
