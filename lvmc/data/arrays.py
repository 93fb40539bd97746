"""The arrays of an .npz file that a record names, their shapes in order, rows that contradict each other found."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from lvmc.data.sample import HIDDEN, UNCOUNTED, VISIBLE
from lvmc.data.shares import Rows
from lvmc.records import nearest
from lvmc.spec.data import Npz

MOST_SUPERPIXELS = 2**24
TEST = 2


@dataclass(frozen=True, slots=True)
class Arrays:
    """What a file says of n pictures, keypoints already those that were chosen.

    Attributes:
        images: (n, h, w, channels) uint8.
        points: (n, P, 2) float64, pixel centres at whole numbers.
        points3d: (n, P, 3), as in `Sample`.
        visible: (n, P), as in `Sample`.
        flip: Mirror images of the P points.
        split: (n,) 0 train, 1 validation, 2 test.
        box: (n, 4) float64, first row, end, first column, end of what is covered, in pixels.
        donor: (n,) the picture that covers.
        uncovered: (n, P) what stays visible.
        values: (n, D) float64; their signs in mirrored pictures are `signs`.
    """

    images: NDArray[np.uint8]
    points: NDArray[np.float64] | None = None
    points3d: NDArray[np.floating] | None = None
    visible: NDArray[np.integer] | None = None
    flip: tuple[int, ...] | None = None
    masks: NDArray[np.integer] | None = None
    labels: NDArray[np.integer] | None = None
    superpixels: NDArray[np.integer] | None = None
    split: NDArray[np.integer] | None = None
    classes: tuple[str, ...] = ()
    box: NDArray[np.float64] | None = None
    donor: NDArray[np.integer] | None = None
    uncovered: NDArray[np.bool_] | None = None
    values: NDArray[np.float64] | None = None
    signs: tuple[int, ...] | None = None


class _Reader(Protocol):
    """Gives an array by name, of a kind of numbers and a shape (-1: any extent); None where it may be missing."""

    def __call__(self, name: str, kinds: str, shape: tuple[int, ...], *, needed: bool) -> NDArray[Any] | None: ...


def read_arrays(file: Path, record: Npz) -> Arrays:
    """The arrays of a file.

    Arrays under their default names may be missing; those that the record names may not.

    Raises:
        ValueError: An array is missing, or has not the shape or the kind of numbers it should.
        OSError: There is no such file, or it is no .npz.
    """
    try:
        opened: Any = np.load(file, allow_pickle=False)
    except (BadZipFile, EOFError, ValueError) as fault:
        raise OSError(f"{file}: no arrays can be read; write it with np.savez_compressed(file, images=…)") from fault
    if isinstance(opened, np.ndarray):
        raise OSError(f"{file}: holds one array without a name; write it with np.savez_compressed(file, images=…)")
    with opened:
        return _arrays(file, record, opened)


def _arrays(file: Path, record: Npz, opened: Any) -> Arrays:
    read = _reader(file, opened)
    images = _images(file, record, read)
    count, high, wide = images.shape[:3]

    def named(field: str, kinds: str, *shape: int) -> NDArray[Any] | None:
        return read(getattr(record, field), kinds, (count, *shape), needed=field in record.model_fields_set)

    keypoints = named("keypoints", "iuf", -1, 2)
    values = _values(record, count, read)
    arrays = Arrays(
        images,
        masks=named("masks", "iub", high, wide),
        labels=named("labels", "iub"),
        superpixels=named("superpixels", "iub", high, wide),
        split=named("split", "iub"),
        classes=_classes(opened),
        values=values,
        signs=_signs(file, record, values),
    )
    if keypoints is None:
        return _without_points(file, record, arrays)
    points = keypoints.shape[1]
    known = named("visible", "iub", points), named("points3d", "iuf", points, 3)
    return _with_points(file, record, arrays, keypoints, known, read)


def _reader(file: Path, opened: Any) -> _Reader:
    names: list[str] = list(opened.files)

    def read(name: str, kinds: str, shape: tuple[int, ...], *, needed: bool) -> NDArray[Any] | None:
        if name not in names:
            if needed:
                raise ValueError(f"{file}: has no array {name!r}; {nearest(name, names)}")
            return None
        try:
            array: NDArray[Any] = opened[name]
        except (ValueError, OSError, EOFError, BadZipFile, zlib.error) as fault:
            raise ValueError(f"{file}: array {name!r} cannot be read: {fault}") from fault
        fits = len(array.shape) == len(shape) and all(w in (-1, e) for e, w in zip(array.shape, shape, strict=True))
        if not fits or array.dtype.kind not in kinds:
            wanted = "(" + ", ".join("any" if each == -1 else str(each) for each in shape) + ",)"[len(shape) > 1 :]
            meant = "whole numbers" if "f" not in kinds else "numbers"
            fault = f"array {name!r} is {array.shape} of {array.dtype}"
            raise ValueError(f"{file}: {fault}; it should hold {meant}, {wanted}")
        return array

    return read


def _images(file: Path, record: Npz, read: _Reader) -> NDArray[np.uint8]:
    try:
        found = read(record.images, "u", (-1, -1, -1), needed=True)
    except ValueError:
        found = read(record.images, "u", (-1, -1, -1, -1), needed=True)
    assert found is not None
    if found.dtype != np.uint8 or not found.size:
        fault = f"array {record.images!r} is {found.shape} of {found.dtype}"
        raise ValueError(f"{file}: {fault}; pictures are uint8, 0 … 255, and there should be some")
    return found if found.ndim == 4 else found[:, :, :, None]


def _values(record: Npz, rows: int, read: _Reader) -> NDArray[np.float64] | None:
    """(n, D), whether the file has (n,) or (n, D)."""
    if record.values is None:
        return None
    try:
        found = read(record.values, "iuf", (rows,), needed=True)
    except ValueError:
        found = read(record.values, "iuf", (rows, -1), needed=True)
    assert found is not None
    return np.asarray(found, np.float64).reshape(rows, -1)


def _signs(file: Path, record: Npz, values: NDArray[np.float64] | None) -> tuple[int, ...] | None:
    if record.signs is None or values is None:
        return None
    if len(record.signs) != values.shape[1]:
        fault = f"'data.signs' has {len(record.signs)} entries for the {values.shape[1]} columns of {record.values!r}"
        raise ValueError(f"{file}: {fault}; write one a column")
    return record.signs


def _classes(opened: Any) -> tuple[str, ...]:
    """Names of the classes of masks, where the file has an array `classes` of texts."""
    found = opened["classes"] if "classes" in opened.files else np.zeros(0)
    return tuple(map(str, found)) if found.ndim == 1 and found.dtype.kind == "U" else ()


def _without_points(file: Path, record: Npz, arrays: Arrays) -> Arrays:
    for field in ("points", "first_pixel", "flip", "unit", "points3d"):
        if field in record.model_fields_set and getattr(record, field) is not None:
            raise ValueError(f"{file}: has no array {record.keypoints!r}, so 'data.{field}' says nothing; leave it out")
    return arrays


def _with_points(
    file: Path,
    record: Npz,
    arrays: Arrays,
    keypoints: NDArray[Any],
    known: tuple[NDArray[Any] | None, NDArray[Any] | None],
    read: _Reader,
) -> Arrays:
    count, (visible, points3d) = keypoints.shape[1], known
    chosen = _chosen(file, record, count)
    flags = np.full(keypoints.shape[:2], VISIBLE, np.int64) if visible is None else visible
    flags = np.where(flags, VISIBLE, HIDDEN) if flags.dtype.kind == "b" else flags
    box, donor, uncovered = _occluders(record, len(keypoints), count, read)
    return replace(
        arrays,
        points=np.asarray(keypoints[:, chosen], np.float64) - record.first_pixel,
        points3d=None if points3d is None else np.asarray(points3d[:, chosen], np.float32),
        visible=flags[:, chosen],
        flip=_flip(file, record, chosen, count, read),
        box=box,
        donor=donor,
        uncovered=None if uncovered is None else np.asarray(uncovered[:, chosen], np.bool_),
    )


def _chosen(file: Path, record: Npz, count: int) -> list[int]:
    chosen = list(range(count)) if record.points is None else list(record.points)
    if len(set(chosen)) < len(chosen) or max(chosen, default=count) >= count:
        raise ValueError(f"{file}: 'data.points' should list some of its {count} keypoints, each once, from 0")
    if isinstance(record.unit, tuple) and max(record.unit) >= len(chosen):
        fault = f"'data.unit' names point {max(record.unit)} of {len(chosen)}"
        raise ValueError(f"{file}: {fault}; the points that are chosen count from 0")
    return chosen


def _flip(file: Path, record: Npz, chosen: list[int], count: int, read: _Reader) -> tuple[int, ...] | None:
    if record.flip is None:
        return None
    if isinstance(record.flip, str):
        array = read(record.flip, "iu", (count,), needed=True)
        images: list[int] = [] if array is None else array.tolist()
        place = {number: own for own, number in enumerate(chosen)}
        lost = [each for each in chosen if images[each] not in place]
        if lost:
            fault = f"the mirror image of keypoint {lost[0]}, {images[lost[0]]}, is not among 'data.points'"
            raise ValueError(f"{file}: {fault}; choose it too")
        mirror = tuple(place[images[each]] for each in chosen)
    else:
        mirror = tuple(record.flip)
    points = list(range(len(chosen)))
    if sorted(mirror) != points or [mirror[each] for each in mirror] != points:
        fault = f"'data.flip' {list(mirror)} does not pair {len(chosen)} points"
        raise ValueError(f"{file}: {fault}; name the mirror image of each of the chosen points, from 0")
    return mirror


def _occluders(
    record: Npz, rows: int, points: int, read: _Reader
) -> tuple[NDArray[np.float64], NDArray[Any], NDArray[Any]] | tuple[None, None, None]:
    names = record.occluders
    if names is None:
        return None, None, None
    box = read(names.box, "iuf", (rows, 4), needed=True)
    donor = read(names.donor, "iu", (rows,), needed=True)
    uncovered = read(names.visible, "iub", (rows, points), needed=True)
    assert box is not None
    assert donor is not None
    assert uncovered is not None
    x, y, wide, high = np.asarray(box, np.float64).T * names.scale
    # A pixel i, whose centre is i + ½ from the edge, is covered where first ≤ i + ½ < first + length.
    edges = np.stack([y, y + high, x, x + wide], 1)
    return np.ceil(edges - 0.5), donor, uncovered


def faulty_rows(record: Npz, arrays: Arrays) -> Iterator[tuple[int, str, str]]:
    """Each row that cannot be used, with its array and what is wrong."""
    yield from _outside(record.split, arrays.split, 0, TEST, "should be 0 (train), 1 (validation) or 2 (test)")
    yield from _outside(record.masks, arrays.masks, 0, UNCOUNTED, "has classes beyond 0 … 254 (255 does not count)")
    yield from _outside(record.labels, arrays.labels, 0, 2**31, "should be a class from 0")
    yield from _outside(record.superpixels, arrays.superpixels, 0, MOST_SUPERPIXELS - 1, "should be numbers from 0")
    yield from _outside(record.visible, arrays.visible, 0, VISIBLE, "should be 0, 1 (hidden) or 2 (visible)")
    if arrays.points is not None and arrays.visible is not None:
        lost = ~np.isfinite(arrays.points).all(2) & (arrays.visible > 0)
        for row in np.flatnonzero(lost.any(1)).tolist():
            yield row, record.keypoints, f"point {int(lost[row].argmax())} of those chosen is not a number"
    if arrays.points3d is not None:
        for row in np.flatnonzero(np.isinf(arrays.points3d).any((1, 2))).tolist():
            yield row, record.points3d, "has a point at infinity; write nan where a point is unknown"
    if arrays.values is not None:
        for row in np.flatnonzero(~np.isfinite(arrays.values).all(1)).tolist():
            yield row, str(record.values), "holds what is no number"
    yield from _faulty_occluders(record, arrays)


def _outside(
    name: str, array: NDArray[np.integer] | None, least: int, most: int, fault: str
) -> Iterator[tuple[int, str, str]]:
    if array is None or not array.size:
        return
    flat = array.reshape(len(array), -1)
    for row in np.flatnonzero((flat.min(1) < least) | (flat.max(1) > most)).tolist():
        found = flat[row][(flat[row] < least) | (flat[row] > most)][0]
        yield row, name, f"{fault}, not {int(found)}"


def _faulty_occluders(record: Npz, arrays: Arrays) -> Iterator[tuple[int, str, str]]:
    names = record.occluders
    if names is None or arrays.box is None or arrays.donor is None:
        return
    count = len(arrays.images)
    for row in _tested(arrays).tolist():
        if not 0 <= int(arrays.donor[row]) < count:
            yield row, names.donor, f"there is no picture {int(arrays.donor[row])} of {count}"
        top, bottom, left, right = arrays.box[row]
        if not (np.isfinite(arrays.box[row]).all() and top < bottom and left < right):
            yield row, names.box, "should be x, y, width, height of a rectangle"


def _tested(arrays: Arrays) -> Rows:
    return np.flatnonzero(arrays.split == TEST) if arrays.split is not None else np.zeros(0, np.int64)
