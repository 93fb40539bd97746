"""Raw pixels: what a picture shows as 8-bit colours, and these as the values of an input."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.spec import Normalize

if TYPE_CHECKING:
    from PIL.Image import Image

Pixels = NDArray[np.uint8]

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
"""What a picture is made to fill so many channels."""


def normalized(pixels: NDArray[np.float32], normalize: Normalize | None) -> NDArray[np.float32]:
    """x = (pixel / range − mean) / std by channel; pixels (…, channels, H, W). Without `normalize`: pixel / 255."""
    rule = normalize or Normalize()
    mean, std = (np.asarray(each, np.float32)[:, None, None] for each in (rule.mean or (0.0,), rule.std or (1.0,)))
    return np.asarray((pixels / rule.range - mean) / std, np.float32)


def as_colours(image: Image) -> Image:
    """The image as L or RGB of 8 bits; what is transparent is shown on white."""
    from PIL import Image as PillowImage

    if image.mode.startswith(("I", "F")):
        deep = np.asarray(image, np.float32)
        top = 65535 if image.mode.startswith("I") and deep.max(initial=0) > 255 else 255
        return PillowImage.fromarray(np.clip(deep * (255 / top), 0, 255).astype(np.uint8))
    if "A" in image.getbands() or "transparency" in image.info:
        solid = image.convert("RGBA")
        return PillowImage.alpha_composite(PillowImage.new("RGBA", solid.size, "white"), solid).convert("RGB")
    return image if image.mode == "L" else image.convert("RGB")


def read_pixels(path: Path, channels: int) -> Pixels:
    """A picture as (H, W, channels), turned as its EXIF says.

    Raises:
        ValueError: No picture has so many channels.
        OSError: There is no such file, or it is no picture, or it is cut short.
    """
    from PIL import ImageOps

    if channels not in MODES:
        raise ValueError(f"{path}: no picture fills {channels} channels; give the input 1, 3 or 4, or an .npz")
    with opened_picture(path) as opened:
        shown = as_colours(ImageOps.exif_transpose(opened)).convert(MODES[channels])
    return np.asarray(shown, np.uint8).reshape(shown.height, shown.width, channels)


def picture_size(path: Path) -> tuple[int, int]:
    """Height and width of a picture turned as its EXIF says, where that stands before the pixels; these are not read.

    Raises:
        OSError: There is no such file, or it is no picture.
    """
    from PIL import ExifTags

    with opened_picture(path) as opened:
        known = opened.format != "PNG" or "exif" in opened.info
        turned = known and opened.getexif().get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
        return (opened.width, opened.height) if turned else (opened.height, opened.width)


@contextmanager
def opened_picture(path: Path) -> Generator[Image, None, None]:
    """A picture to read from; all that PIL raises meanwhile is an OSError that begins with the file's name."""
    from PIL import Image

    try:
        with Image.open(path) as opened:
            yield opened
    except FileNotFoundError as fault:
        raise FileNotFoundError(f"{path}: there is no such file") from fault
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as fault:
        raise OSError(f"{path}: no picture can be read: {fault}") from fault


def with_channels(pixels: Pixels, channels: int) -> Pixels:
    """Grey as colours (repeated) or colours as grey (Rec. 601); pixels (H, W, any) → (H, W, channels).

    Raises:
        ValueError: It is neither.
    """
    from PIL import Image

    match pixels.shape[2], channels:
        case (given, wanted) if given == wanted:
            return pixels
        case (1, wanted):
            return np.repeat(pixels, wanted, axis=2)
        case (3, 1):
            return np.asarray(Image.fromarray(pixels).convert("L"))[:, :, None]
        case (given, wanted):
            raise ValueError(f"pictures of {given} channels do not fill an input of {wanted}")
