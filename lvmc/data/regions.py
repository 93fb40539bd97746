"""Annotated regions (polygons, run lengths) as a map of classes."""

# faster-coco-eval's masks are not annotated.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from lvmc.data.annotations import Annotation
from lvmc.data.sample import UNCOUNTED
from lvmc.ir import Size
from lvmc.values import keyed


def class_map(regions: Iterable[Annotation], size: Size, classes: Mapping[int, int]) -> NDArray[np.uint8]:
    """(H, W): the class of each pixel; small boxes over large ones, and over crowds, which do not count.

    Raises:
        ValueError: The run lengths of a region cannot be read; the message names the annotation.
    """
    found = np.zeros(size, np.uint8)
    for each in sorted(regions, key=_rank):
        found[region_of(each, size)] = UNCOUNTED if each.crowd else classes[each.category]
    return found


def _rank(annotation: Annotation) -> tuple[bool, float, int]:
    return not annotation.crowd, -annotation.box[2] * annotation.box[3], annotation.id


def region_of(annotation: Annotation, size: Size) -> NDArray[np.bool_]:
    """(H, W): which pixels belong to the region of an annotation."""
    from faster_coco_eval.core import mask

    region = annotation.region
    runs = keyed(region)
    try:
        if runs is None:
            parts = [mask.frPyObjects([list(map(float, each))], *size)[0] for each in region]
            return np.asarray(mask.decode(mask.merge(parts)), np.bool_)
        counts = runs["counts"]
        if isinstance(counts, str):
            return np.asarray(mask.decode({"size": list(size), "counts": counts.encode()}), np.bool_)
        return np.asarray(mask.decode(mask.frPyObjects({"size": list(size), "counts": counts}, *size)), np.bool_)
    except (ValueError, RuntimeError, TypeError) as fault:
        raise ValueError(f"annotation {annotation.id}: its region cannot be read: {fault}") from fault
