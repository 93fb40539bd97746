"""COCO's annotation files as records: pictures, persons with their points, and regions of classes.

Numbers are COCO's: boxes as x, y, width, height from the picture's corner; points as x, y of the pixel, from 0.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from lvmc.data.faults import Fault
from lvmc.ir import Size
from lvmc.records import nearest, number, pair_of, whole
from lvmc.values import keyed, listed

ALL = "all"
"""In place of a category: all of them, as the classes of masks."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of the file; its size may be unsaid."""

    id: int
    name: str
    size: Size | None


@dataclass(frozen=True, slots=True)
class Category:
    """A kind of thing, and the points that are annotated on it."""

    id: int
    name: str
    points: tuple[str, ...]
    skeleton: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Annotation:
    """A thing in a picture.

    Attributes:
        points: x, y and visibility (0 not annotated, 1 hidden, 2 visible) of each point; empty where none is given.
        region: Polygons, or runs of pixels, as COCO writes them; None where none is given.
        crowd: Many things at once.
    """

    id: int
    picture: int
    category: int
    box: tuple[float, float, float, float]
    points: tuple[tuple[float, float, int], ...]
    region: Any
    crowd: bool


@dataclass(frozen=True, slots=True)
class Annotations:
    """What a file holds that can be used, and what cannot."""

    file: Path
    pictures: Mapping[int, Picture]
    categories: tuple[Category, ...]
    annotations: tuple[Annotation, ...]
    faults: tuple[Fault, ...]

    def chosen(self, name: str) -> Category:
        """The category of this name.

        Raises:
            ValueError: There is none.
        """
        for each in self.categories:
            if each.name == name:
                return each
        known = nearest(name, [*(each.name for each in self.categories), ALL])
        raise ValueError(f"{self.file}: no category is called {name!r}; {known}")


def read_annotations(file: Path) -> Annotations:
    """Everything in a file, each picture and annotation that is inconsistent as a fault.

    Raises:
        ValueError: It is no JSON, or lacks a list that all such files have.
        OSError: There is no such file.
    """
    try:
        content = keyed(json.loads(file.read_text(encoding="utf-8")))
    except ValueError as fault:
        raise ValueError(f"{file}: is no JSON: {fault}") from fault
    lists = {key: listed((content or {}).get(key)) for key in ("images", "annotations", "categories")}
    for key, found in lists.items():
        if found is None:
            raise ValueError(
                f"{file}: has no list {key!r}; COCO's format is {{images: […], annotations: […], categories: […]}}"
            )
    faults: list[Fault] = []
    categories = tuple(_categories(file, lists["categories"] or []))
    pictures = {each.id: each for each in _pictures(file, lists["images"] or [], faults)}
    kinds = {each.id: each for each in categories}
    annotations = tuple(_annotations(file, lists["annotations"] or [], pictures, kinds, faults))
    return Annotations(file, pictures, categories, annotations, tuple(faults))


def _categories(file: Path, entries: list[Any]) -> Iterator[Category]:
    for place, entry in enumerate(entries):
        record = keyed(entry) or {}
        points = listed(record.get("keypoints")) or []
        bones = [listed(each) or [] for each in listed(record.get("skeleton")) or []]
        sound = whole(record.get("id")) and isinstance(record.get("name"), str)
        if not sound or not all(isinstance(each, str) for each in points):
            raise ValueError(f"{file}: category {place} of the list should have an id, a name, and points with names")
        if any(len(bone) != 2 or not all(whole(end) and 1 <= end <= len(points) for end in bone) for bone in bones):
            fault = f"category {record['name']!r} has a skeleton that joins points it has not"
            raise ValueError(f"{file}: {fault}; its points count from 1 to {len(points)}")
        yield Category(record["id"], record["name"], tuple(points), tuple((a - 1, b - 1) for a, b in bones))


def _pictures(file: Path, entries: list[Any], faults: list[Fault]) -> Iterator[Picture]:
    seen: set[int] = set()
    for place, entry in enumerate(entries):
        record = keyed(entry) or {}
        own, name = record.get("id"), record.get("file_name")
        if own is None or not whole(own) or not isinstance(name, str) or not name:
            faults.append(Fault(f"{file}: image {place} of the list", "should have an id and a file_name"))
        elif own in seen:
            faults.append(Fault(f"{file}: image {own}", "is there twice"))
        else:
            seen.add(own)
            yield Picture(own, name, pair_of([record.get("height"), record.get("width")]))


def _annotations(
    file: Path,
    entries: list[Any],
    pictures: Mapping[int, Picture],
    categories: Mapping[int, Category],
    faults: list[Fault],
) -> Iterator[Annotation]:
    seen: set[int] = set()
    for place, entry in enumerate(entries):
        record = keyed(entry) or {}
        own = record.get("id")
        where = f"{file}: annotation {own}" if whole(own) else f"{file}: annotation {place} of the list"
        fault = "has no id" if not whole(own) else "is there twice" if own in seen else ""
        fault = fault or _fault(record, pictures, categories)
        if fault:
            faults.append(Fault(where, fault))
            continue
        own = record["id"]
        seen.add(own)
        x, y, wide, high = map(float, record["bbox"])
        flat = listed(record.get("keypoints")) or []
        yield Annotation(
            own,
            record["image_id"],
            record["category_id"],
            (x, y, wide, high),
            tuple(zip(flat[0::3], flat[1::3], flat[2::3], strict=True)),
            record.get("segmentation") or None,
            bool(record.get("iscrowd")),
        )


def _fault(record: dict[str, Any], pictures: Mapping[int, Picture], categories: Mapping[int, Category]) -> str:
    """What is inconsistent in an annotation; empty if nothing is."""
    if record.get("image_id") not in pictures:
        return f"is of image {record.get('image_id')}, which is not in the list of images or is broken"
    if record.get("category_id") not in categories:
        return f"is of category {record.get('category_id')}, which is not in the list of categories"
    size = pictures[record["image_id"]].size
    return (
        _box_fault(listed(record.get("bbox")), size)
        or _points_fault(record, categories[record["category_id"]])
        or _region_fault(record.get("segmentation"), size)
    )


def _box_fault(box: list[Any] | None, size: Size | None) -> str:
    if box is None or len(box) != 4 or not all(map(number, box)) or min(box[2:]) <= 0:
        return "has no bbox x, y, width, height of some extent"
    x, y, wide, high = box
    if x + wide <= 0 or y + high <= 0 or (size is not None and (x >= size[1] or y >= size[0])):
        return "has a bbox beside its picture"
    return ""


def _points_fault(record: dict[str, Any], category: Category) -> str:
    flat = listed(record.get("keypoints")) or []
    if not flat:
        return ""
    if len(flat) != 3 * len(category.points):
        return f"has {len(flat)} numbers in 'keypoints', not 3 for each of the {len(category.points)} points"
    flags = flat[2::3]
    if any(not whole(flag) or flag not in (0, 1, 2) for flag in flags):
        return "has a visibility that is not 0, 1 (hidden) or 2 (visible)"
    places = zip(flat[0::3], flat[1::3], flags, strict=True)
    if any(not (number(x) and number(y) and isfinite(x) and isfinite(y)) for x, y, _ in places):
        return "has a point that is not a number"
    said, found = record.get("num_keypoints"), sum(flag > 0 for flag in flags)
    return f"says num_keypoints {said}, but annotates {found}" if said not in (None, found) else ""


def _region_fault(region: Any, size: Size | None) -> str:
    if not region:
        return ""
    if (runs := keyed(region)) is not None:
        given, extent = runs.get("counts"), listed(runs.get("size"))
        if extent is None or (size is not None and tuple(extent) != size):
            return f"has a run-length mask of size {extent}, not its picture's"
        counts = listed(given)
        if counts is None:
            return "" if isinstance(given, str) else "has a run-length mask without counts"
        sound = all(whole(each) and each >= 0 for each in counts) and sum(counts) == extent[0] * extent[1]
        return "" if sound else "has a run-length mask whose counts do not add up to its picture"
    polygons = [listed(each) or [] for each in listed(region) or [None]]
    if any(len(each) < 6 or len(each) % 2 or not all(map(number, each)) for each in polygons):
        return "has a polygon that is not at least three points x, y"
    return ""
