"""`npz`: pictures, keypoints, masks and labels as arrays of one file.

Pictures of another size than the input's are stretched to it, masks take the nearest class, points go along by
x ↦ (x + ½) s − ½. Points that lie beside their picture are not annotated, and told. In the set `covered`, pixels of
the rectangle are those of the donor, points there are hidden, and masks there do not count.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lvmc.data.arrays import TEST, Arrays, faulty_rows, read_arrays
from lvmc.data.cuts import Cut, cut_mask, cut_numbers, cut_pixels, cut_points, whole, within
from lvmc.data.faults import Fault, refused_or_told
from lvmc.data.kept import Kept
from lvmc.data.pixels import with_channels
from lvmc.data.sample import HIDDEN, UNCOUNTED, VISIBLE, About, Sample, SampleSet, Splits
from lvmc.data.shares import Rows, Shares, deal
from lvmc.data.units import unit_length
from lvmc.graph import InputNode
from lvmc.spec.data import Npz


@dataclass(frozen=True, slots=True)
class NpzSet:
    """Some rows of a file, as they are or `covered`."""

    record: Npz
    file: str
    arrays: Arrays
    rows: Rows
    channels: int
    cut: Cut
    covered: bool = False

    @property
    def about(self) -> About:
        """Points have numbers for names."""
        arrays = self.arrays
        points = 0 if arrays.points is None else arrays.points.shape[1]
        return About(tuple(map(str, range(points))), arrays.flip, (), arrays.classes, arrays.signs)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Sample:
        row, arrays = int(self.rows[index]), self.arrays
        box = None if not self.covered or arrays.box is None else _clipped(arrays.box[row], arrays.images.shape[1:3])
        points, visible, unit = _points(self, row)
        superpixels, values = arrays.superpixels, arrays.values
        return Sample(
            name=f"{self.file}, row {row}",
            image=cut_pixels(with_channels(_image(arrays, row, box), self.channels), self.cut),
            points=points,
            points3d=None if arrays.points3d is None else arrays.points3d[row],
            visible=visible,
            mask=_mask(self, row, box),
            label=None if arrays.labels is None else int(arrays.labels[row]),
            unit=unit or 1.0,
            superpixels=None if superpixels is None else cut_numbers(superpixels[row], self.cut, 0).astype(np.int32),
            values=None if values is None else values[row].astype(np.float32),
            origin=self.cut.origin + np.asarray([0, 0, self.record.first_pixel]),
        )


def open_npz(record: Npz, block: InputNode, folder: Path | None = None) -> Splits:
    """The sets of a file at the size of an input.

    Without an array `split`, and where it names none for validation, `validation` is the share of rows for it.

    Raises:
        ValueError: Arrays are missing, do not fit each other or the input, or rows are broken and to be refused.
        OSError: The file cannot be read.
    """
    file = (folder or Path()) / record.file
    arrays = read_arrays(file, record)
    high, wide, given = arrays.images.shape[1:]
    if given not in (1, 3, block.channels) or (given == 3 and block.channels not in (1, 3)):
        fault = f"its pictures have {given} channels, but {block.name!r} has {block.channels}"
        raise ValueError(f"{file}: {fault}; give the input {given} channels")
    cut = whole((high, wide), block.size)
    arrays, remarks = _inside(file, arrays, cut)
    every = NpzSet(record, file.name, arrays, np.arange(len(arrays.images)), block.channels, cut)
    faults = [*faulty_rows(record, arrays), *_without_unit(every)]
    told = refused_or_told(
        [Fault(f"{file}: array {name!r}, row {row}", fault) for row, name, fault in faults], record.broken
    )
    sound = np.ones(len(every), np.bool_)
    sound[[row for row, _, _ in faults]] = False
    return _splits(file, every, np.flatnonzero(sound), (*remarks, *told))


def _splits(file: Path, every: NpzSet, rows: Rows, remarks: tuple[str, ...]) -> Splits:
    shares, more = _dealt(file, every, rows)
    if not len(shares.train):
        raise ValueError(f"{file}: no row is left to train on; array {every.record.split!r} should be 0 for some")

    def some(rows: Rows, covered: bool = False) -> SampleSet | None:
        chosen = replace(every, rows=rows, covered=covered)
        same = every.cut.size == every.arrays.images.shape[1:3] and every.channels == every.arrays.images.shape[3]
        return None if not len(rows) else chosen if same else Kept(chosen)

    covered = some(shares.test, covered=True) if every.arrays.box is not None else None
    return Splits(
        some(shares.train) or every,
        some(shares.validation),
        some(shares.test),
        {} if covered is None else {"covered": covered},
        (*remarks, *more),
    )


def _dealt(file: Path, every: NpzSet, rows: Rows) -> tuple[Shares, tuple[str, ...]]:
    split, share = every.arrays.split, every.record.validation
    if split is None:
        dealt = deal(file, len(rows), share) if len(rows) else Shares(rows, rows, rows)
        return Shares(*(rows[each] for each in dealt)), ()
    train, validation, test = (rows[split[rows] == number] for number in (0, 1, TEST))
    if len(validation) or not len(train) or not round(share * len(train)):
        return Shares(train, validation, test), ()
    dealt = deal(file, len(train), share)
    remark = f"array {every.record.split!r} has no rows for validation: {len(dealt.validation)} for training are taken"
    return Shares(train[dealt.train], train[dealt.validation], test), (f"{file}: {remark}",)


def _inside(file: Path, arrays: Arrays, cut: Cut) -> tuple[Arrays, tuple[str, ...]]:
    """The arrays with points beside their picture not annotated."""
    if arrays.points is None or arrays.visible is None:
        return arrays, ()
    finite: NDArray[np.bool_] = np.all(np.isfinite(arrays.points), axis=2)
    known = np.where(finite[:, :, None], arrays.points, 0)
    beside = finite & (arrays.visible > 0) & ~within(cut_points(known, cut), cut.size)
    if not beside.any():
        return arrays, ()
    remark = f"{file}: {int(beside.sum())} points lie beside their picture and are taken as not annotated"
    return replace(arrays, visible=np.where(beside, 0, arrays.visible)), (remark,)


def _without_unit(every: NpzSet) -> list[tuple[int, str, str]]:
    name = every.record.keypoints
    if every.arrays.points is None:
        return []
    fault = "the unit of errors, 'data.unit', is unknown or 0 here"
    return [(row, name, fault) for row in range(len(every)) if _points(every, row)[2] is None]


def _points(samples: NpzSet, row: int) -> tuple[NDArray[np.float32] | None, NDArray[np.uint8] | None, float | None]:
    """Points and visibilities of a sample, and its unit of errors; None where it has none."""
    arrays = samples.arrays
    if arrays.points is None or arrays.visible is None:
        return None, None, None
    visible = np.asarray(arrays.visible[row], np.uint8)
    points = cut_points(arrays.points[row], samples.cut)
    points[visible == 0] = 0
    unit = unit_length(samples.record.unit, points, visible, samples.cut.zoom)
    if samples.covered and arrays.uncovered is not None:
        visible = np.where((visible == VISIBLE) & ~arrays.uncovered[row], HIDDEN, visible).astype(np.uint8)
    return points, visible, unit


Place = tuple[slice, slice]


def _clipped(box: NDArray[np.float64], size: tuple[int, ...]) -> Place:
    top, bottom = np.clip(box[:2], 0, size[0]).astype(int).tolist()
    left, right = np.clip(box[2:], 0, size[1]).astype(int).tolist()
    return slice(top, bottom), slice(left, right)


def _image(arrays: Arrays, row: int, box: Place | None) -> NDArray[np.uint8]:
    if box is None or arrays.donor is None:
        return arrays.images[row]
    image = arrays.images[row].copy()
    image[box] = arrays.images[int(arrays.donor[row])][box]
    return image


def _mask(samples: NpzSet, row: int, box: Place | None) -> NDArray[np.uint8] | None:
    if samples.arrays.masks is None:
        return None
    mask = samples.arrays.masks[row].astype(np.uint8)
    if box is not None:
        mask[box] = UNCOUNTED
    return cut_mask(mask, samples.cut)
