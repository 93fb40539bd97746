"""`coco`: a sample a person of a category that has points; a sample a picture, with masks only, of others.

A person's box, `enlarge` times as large and widened to the aspect of the input, is cut out and brought to size by one
map; beyond the picture its edge is repeated. A picture without points is stretched to the input. Masks have class 1
where the category is, or with `category: all` one class a category, in the order of the file; 0 elsewhere, and 255
where many are annotated as one crowd. `unit: box` is the longer side of the box, before it is enlarged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lvmc.data.annotations import ALL, Annotation, Annotations, Category, read_annotations
from lvmc.data.cuts import Cut, around, cut_mask, cut_pixels, cut_points, whole, within
from lvmc.data.faults import Fault, refused_or_told
from lvmc.data.kept import Kept
from lvmc.data.mirror import mirror_of
from lvmc.data.pixels import picture_size, read_pixels
from lvmc.data.regions import class_map
from lvmc.data.sample import About, Sample, SampleSet, Splits
from lvmc.data.shares import Rows, deal
from lvmc.data.units import unit_length
from lvmc.graph import InputNode
from lvmc.ir import Size
from lvmc.spec.data import Coco, CocoFiles


@dataclass(frozen=True, slots=True)
class Shown:
    """What a sample shows: a picture, or in it the person of an annotation."""

    picture: int
    person: Annotation | None = None


@dataclass(frozen=True, slots=True)
class CocoSet:
    """Samples of one annotation file and its folder of pictures.

    `classes` gives the class of each category that masks show; without any, samples have no masks.
    """

    record: Coco
    folder: Path
    annotations: Annotations
    sizes: dict[int, Size]
    shown: tuple[Shown, ...]
    block: InputNode
    known: About
    classes: dict[int, int]
    regions: dict[int, tuple[Annotation, ...]]

    @property
    def about(self) -> About:
        """Names of points and classes as the file has them."""
        return self.known

    def __len__(self) -> int:
        return len(self.shown)

    def __getitem__(self, index: int) -> Sample:
        shown = self.shown[index]
        picture = self.annotations.pictures[shown.picture]
        size, person = self.sizes[shown.picture], shown.person
        cut = (
            whole(size, self.block.size) if person is None else around(person.box, self.record.enlarge, self.block.size)
        )
        points, visible = (None, None) if person is None else points_in(person, cut, size)
        unit = None if points is None or visible is None else _unit(self.record, person, points, visible, cut)
        regions = self.regions.get(shown.picture, ())
        pixels = read_pixels(self.folder / picture.name, self.block.channels)
        if pixels.shape[:2] != size:
            raise OSError(f"{self.folder / picture.name}: is {pixels.shape[:2]} now, but was {size} when it was opened")
        return Sample(
            name=picture.name if person is None else f"{picture.name}, annotation {person.id}",
            image=cut_pixels(pixels, cut),
            points=points,
            visible=visible,
            mask=cut_mask(class_map(regions, size, self.classes), cut) if self.classes else None,
            unit=unit or 1.0,
            origin=cut.origin,
            image_id=picture.id,
        )


def points_in(person: Annotation, cut: Cut, size: Size) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """Points (P, 2) in pixels of the sample and visibilities (P,); none beside the picture or the cut is annotated."""
    given = np.asarray(person.points, np.float64).reshape(-1, 3)
    places = cut_points(given[:, :2], cut)
    inside = within(places, cut.size) & within(given[:, :2].astype(np.float32), size)
    visible = np.where(inside, given[:, 2], 0).astype(np.uint8)
    return np.where((visible > 0)[:, None], places, np.float32(0)), visible


def open_coco(record: Coco, block: InputNode, folder: Path | None = None) -> Splits:
    """The sets of annotation files at the size of an input.

    Every picture's head is read to compare its size; with `broken: skip` all of it, to leave out what is cut short.

    Raises:
        ValueError: Files do not have COCO's format, or records are broken and to be refused; nothing is left to
            train on.
        OSError: There is no such file.
    """
    base = folder or Path()
    main, remarks = _opened(record, CocoFiles(images=record.images, annotations=record.annotations), block, base)
    further: dict[str, SampleSet | None] = {}
    for name, files in (("validation", record.validation), ("test", record.test)):
        if isinstance(files, CocoFiles):
            found, more = _opened(record, files, block, base)
            further[name], remarks = _kept(found), (*remarks, *more)
    shares = [each if isinstance(each, float) else 0.0 for each in (record.validation, record.test)]
    pictures = np.unique([each.picture for each in main.shown])
    dealt = deal(main.annotations.file, len(pictures), *shares)
    train, *others = (_of(main, pictures[rows]) for rows in dealt)
    for name, part in zip(("validation", "test"), others, strict=True):
        further.setdefault(name, _kept(part) if len(part) else None)
    return Splits(Kept(train), further["validation"], further["test"], {}, remarks)


def _kept(samples: CocoSet) -> SampleSet:
    return Kept(samples)


def _of(samples: CocoSet, pictures: Rows) -> CocoSet:
    wanted = set(pictures.tolist())
    return replace(samples, shown=tuple(each for each in samples.shown if each.picture in wanted))


def _opened(record: Coco, files: CocoFiles, block: InputNode, base: Path) -> tuple[CocoSet, tuple[str, ...]]:
    """The samples of an annotation file, and remarks on what was left out."""
    folder, given = base / files.images, read_annotations(base / files.annotations)
    if not folder.is_dir():
        raise OSError(f"{folder}: is no folder of pictures")
    category = None if record.category == ALL else given.chosen(record.category)
    sizes, faults = _sizes(given, folder, record, block.channels)
    told = refused_or_told([*given.faults, *faults], record.broken)
    usable = [each for each in given.annotations if each.picture in sizes]
    asked = given.categories if category is None else (category,)
    regions = [each for each in usable if each.region and each.category in {kind.id for kind in asked}]
    classes = {each.id: number for number, each in enumerate(asked, 1)} if regions else {}
    if len(classes) > 254:
        raise ValueError(f"{given.file}: masks have at most 254 classes; name one category of {len(classes)}")
    known = _about(category, classes, asked)
    left: Counter[str] = Counter()
    shown = tuple(_shown(record, category, usable, sizes, block.size, left))
    remarks = tuple(f"{given.file}: {count} {words}" for words, count in left.items())
    if not shown:
        raise ValueError("\n".join((f"{given.file}: no sample is left", *told, *remarks)))
    found = CocoSet(record, folder, given, sizes, shown, block, known, classes, _by_picture(regions))
    return found, (*told, *remarks)


def _about(category: Category | None, classes: dict[int, int], asked: tuple[Category, ...]) -> About:
    names = ("background", *(each.name for each in asked)) if classes else ()
    if category is None or not category.points:
        return About(classes=names)
    return About(category.points, mirror_of(category.points), category.skeleton, names)


def _by_picture(regions: list[Annotation]) -> dict[int, tuple[Annotation, ...]]:
    found: dict[int, list[Annotation]] = {}
    for each in regions:
        found.setdefault(each.picture, []).append(each)
    return {picture: tuple(several) for picture, several in found.items()}


def _sizes(given: Annotations, folder: Path, record: Coco, channels: int) -> tuple[dict[int, Size], list[Fault]]:
    """Sizes of the pictures that can be used, and what is wrong with the others."""
    sizes: dict[int, Size] = {}
    faults: list[Fault] = []
    for picture in given.pictures.values():
        file = folder / picture.name
        try:
            size = picture_size(file)
            if record.broken == "skip":
                read_pixels(file, channels)
        except OSError as fault:
            faults.append(Fault(str(file), str(fault).removeprefix(f"{file}: ")))
            continue
        if picture.size in (None, size):
            sizes[picture.id] = size
            continue
        said = " × ".join(map(str, picture.size or ()))
        faults.append(Fault(str(file), f"is {size[0]} × {size[1]} (rows × columns), but {given.file} says {said}"))
    return sizes, faults


def _shown(
    record: Coco,
    category: Category | None,
    usable: list[Annotation],
    sizes: dict[int, Size],
    size: Size,
    left: Counter[str],
) -> Iterator[Shown]:
    if category is None or not category.points:
        yield from (Shown(each) for each in sorted(sizes))
        return
    if isinstance(record.unit, tuple) and max(record.unit) >= len(category.points):
        raise ValueError(f"'data.unit' names point {max(record.unit)} of {len(category.points)}; they count from 0")
    for each in usable:
        if each.category != category.id:
            continue
        if why := _why_left(record, each, sizes[each.picture], size, left):
            left[why] += 1
        else:
            yield Shown(each.picture, each)


def _why_left(record: Coco, person: Annotation, picture: Size, size: Size, left: Counter[str]) -> str:
    """Why an annotation is no sample; empty if it is one. Points beside the picture or the cut are counted."""
    if person.crowd:
        return "crowds are no samples"
    if not person.points:
        return "annotations without points are no samples"
    cut = around(person.box, record.enlarge, size)
    points, visible = points_in(person, cut, picture)
    annotated = int((visible > 0).sum())
    if beside := sum(flag > 0 for _, _, flag in person.points) - annotated:
        left["points lie beside their picture or box and are taken as not annotated"] += beside
    if annotated < record.least_points:
        return f"annotations have fewer than {record.least_points} points and are no samples"
    if _unit(record, person, points, visible, cut) is None:
        return "annotations lack a point that 'data.unit' needs and are no samples"
    return ""


def _unit(
    record: Coco, person: Annotation | None, points: NDArray[np.float32], visible: NDArray[np.uint8], cut: Cut
) -> float | None:
    box = None if person is None else max(person.box[2:]) * cut.zoom
    return unit_length(record.unit, points, visible, cut.zoom, box)
