"""`masks`: a folder of pictures, and one of indexed PNG masks of the same names; 255 does not count.

Pictures are stretched to the input, and masks take the class of the nearest pixel.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lvmc.data.cuts import cut_mask, cut_pixels, whole
from lvmc.data.faults import Fault, refused_or_told
from lvmc.data.kept import Kept
from lvmc.data.pixels import opened_picture, picture_size, read_pixels
from lvmc.data.sample import UNCOUNTED, About, Sample, SampleSet, Splits
from lvmc.data.shares import Rows, Shares, deal
from lvmc.graph import InputNode
from lvmc.records import nearest
from lvmc.spec.data import Masks

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff"}


@dataclass(frozen=True, slots=True)
class MaskSet:
    """Pictures by their names below a folder, with masks below another."""

    images: Path
    masks: Path
    names: tuple[str, ...]
    block: InputNode

    @property
    def about(self) -> About:
        """Nothing: an indexed PNG does not name its classes."""
        return About()

    def __len__(self) -> int:
        return len(self.names)

    def __getitem__(self, index: int) -> Sample:
        name = self.names[index]
        pixels = read_pixels(self.images / name, self.block.channels)
        cut = whole((pixels.shape[0], pixels.shape[1]), self.block.size)
        mask = read_mask(mask_of(self.masks, name))
        if mask.shape != pixels.shape[:2]:
            raise ValueError(f"{self.images / name}: is {pixels.shape[:2]}, but its mask is {mask.shape}")
        return Sample(name, cut_pixels(pixels, cut), mask=cut_mask(mask, cut), origin=cut.origin)


def mask_of(folder: Path, name: str) -> Path:
    """The file of a picture's mask."""
    return (folder / name).with_suffix(".png")


def read_mask(file: Path) -> NDArray[np.uint8]:
    """(H, W) classes: the indices of a PNG with a palette, or the values of a grey one.

    Raises:
        ValueError: It has colours instead, or numbers beyond 255.
        OSError: There is no such file, or it is no picture.
    """
    with opened_picture(file) as opened:
        mode, values = opened.mode, np.asarray(opened)
    if values.ndim != 2 or values.min(initial=0) < 0 or values.max(initial=0) > UNCOUNTED:
        raise ValueError(
            f"{file}: is {mode}, not indices or grey of 8 bits; write the class of each pixel as its value"
        )
    return values.astype(np.uint8)


def open_masks(record: Masks, block: InputNode, folder: Path | None = None) -> Splits:
    """The sets of two folders at the size of an input.

    Heads of all files are read to compare their sizes; with `broken: skip` all of them, to leave out what is cut short.

    Raises:
        ValueError: Pictures and masks do not belong together and are to be refused; a list names what is not there;
            nothing is left to train on.
        OSError: There is no such folder or list.
    """
    base = folder or Path()
    images, masks = base / record.images, base / record.masks
    for each in (images, masks):
        if not each.is_dir():
            raise OSError(f"{each}: is no folder")
    names: list[str] = sorted(
        each.relative_to(images).as_posix() for each in images.rglob("*") if each.suffix.lower() in SUFFIXES
    )
    faults = dict(_faults(images, masks, names, record, block.channels))
    lonely = _lonely(masks, names)
    remarks = refused_or_told([Fault(*each) for each in (*faults.values(), *lonely)], record.broken)
    sound = [name for name in names if name not in faults]
    if not sound:
        raise ValueError("\n".join((f"{images}: there are no pictures with masks", *remarks)))
    shares = _dealt(record, base, sound, set(names))

    def some(rows: Rows) -> SampleSet | None:
        chosen = tuple(sound[int(row)] for row in rows)
        return Kept(MaskSet(images, masks, chosen, block)) if chosen else None

    train = some(shares.train)
    if train is None:
        raise ValueError(f"{images}: validation and test leave no picture to train on")
    return Splits(train, some(shares.validation), some(shares.test), {}, remarks)


def _faults(
    images: Path, masks: Path, names: Sequence[str], record: Masks, channels: int
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Names of pictures that cannot be used, with the file and what is wrong."""
    first: dict[Path, str] = {}
    for name in names:
        file, mask = images / name, mask_of(masks, name)
        if mask in first:
            yield name, (str(file), f"has the same mask as {first[mask]}")
            continue
        first[mask] = name
        try:
            sizes = picture_size(file), picture_size(mask)
            if record.broken == "skip":
                read_pixels(file, channels)
                read_mask(mask)
        except (OSError, ValueError) as fault:
            yield name, (str(file), f"cannot be used with its mask: {fault}")
            continue
        if sizes[0] != sizes[1]:
            said = " but ".join(f"{high} × {wide}" for high, wide in sizes)
            yield name, (str(mask), f"picture and mask differ in size: {said}")


def _lonely(masks: Path, names: Sequence[str]) -> Iterator[tuple[str, str]]:
    wanted = {mask_of(masks, name) for name in names}
    for file in sorted(masks.rglob("*.png")):
        if file not in wanted:
            yield str(file), "is the mask of no picture"


def _dealt(record: Masks, base: Path, sound: Sequence[str], names: set[str]) -> Shares:
    """Rows of `sound` by lists where these are given, the others by shares."""
    place = {name: row for row, name in enumerate(sound)}
    listed = {
        split: [place[name] for name in _listed(base / given, names) if name in place]
        for split, given in (("validation", record.validation), ("test", record.test))
        if isinstance(given, str)
    }
    taken = [row for rows in listed.values() for row in rows]
    if len(set(taken)) < len(taken):
        raise ValueError(f"{sound[max(taken, key=taken.count)]} is listed twice, for validation or test")
    rest = np.asarray([row for row in range(len(sound)) if row not in set(taken)], np.int64)
    shares = [each if isinstance(each, float) else 0.0 for each in (record.validation, record.test)]
    dealt = Shares(*(rest[rows] for rows in deal(base / record.images, len(rest), *shares)))
    given = {split: np.sort(np.asarray(rows, np.int64)) for split, rows in listed.items()}
    return dealt._replace(**given)


def _listed(file: Path, names: set[str]) -> Iterator[str]:
    """The pictures that a file names, a line each, with or without what follows the dot."""
    plain = {str(Path(name).with_suffix("").as_posix()): name for name in sorted(names)}
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        said = line.strip()
        if not said:
            continue
        if said not in names and said not in plain:
            raise ValueError(f"{file}:{number}: there is no picture {said!r}; {nearest(said, sorted(names))}")
        yield said if said in names else plain[said]
