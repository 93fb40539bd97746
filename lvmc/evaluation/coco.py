"""Predicted points in COCO's results format, and COCO's own score of them (OKS average precision)."""

# faster-coco-eval has no types:
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from lvmc.data.sample import Sample, SampleSet
from lvmc.evaluation.points import Points

Document = Mapping[str, Any]

PERSON = 17
"""Points of COCO's person, for which it gives the spreads σ that OKS measures errors in."""

SPREAD = 0.1
"""σ of each point of anything else."""


def coco_results(
    points: Points, confidence: NDArray[np.float32] | None, samples: SampleSet, category: int = 1
) -> list[dict[str, Any]]:
    """One record a sample, in pixels of the file that it was cut from.

    Args:
        points: (samples, points, 2) in pixels of the sample.
        confidence: (samples, points), which becomes the third number of each point, and on average the score; 1
            without.
        samples: Say how to map back (`origin`), and the picture's number (`image_id`, else that of the sample from 1).
        category: The category's number.
    """
    found: list[dict[str, Any]] = []
    for index, each in enumerate(points):
        sample = samples[index]
        sure = np.ones(len(each)) if confidence is None else confidence[index].astype(np.float64)
        rows = np.column_stack([to_file(each, sample), sure])
        found.append({
            "image_id": index + 1 if sample.image_id is None else sample.image_id,
            "category_id": category,
            "keypoints": [round(float(value), 3) for value in rows.ravel()],
            "score": round(float(sure.mean()), 6),
        })  # fmt: skip
    return found


def to_file(points: Points, sample: Sample) -> NDArray[np.float64]:
    """Points (points, 2) of a sample in pixels of its file."""
    plain = points.astype(np.float64)
    if sample.origin is None:
        return plain
    return plain @ sample.origin[:, :2].T + sample.origin[:, 2]


def category_of(annotations: Document, name: str) -> int:
    """The number of a category of an annotation file. Raises ValueError if there is none of that name."""
    for each in annotations.get("categories", ()):
        if each["name"] == name:
            return int(each["id"])
    raise ValueError(f"the annotations have no category {name!r}")


def oks_scores(annotations: Document, results: Sequence[Document]) -> dict[str, float]:
    """Average precision and recall over OKS .50, .55, … .95, by faster-coco-eval, on the pictures of the results.

    Args:
        annotations: What a COCO keypoint annotation file holds.
        results: As `coco_results` gives them.

    Returns:
        oks_ap, oks_ap50, oks_ap75 and oks_ar; what COCO leaves undefined is left out.
    """
    from faster_coco_eval import COCO, COCOeval_faster

    if not results:
        return {}
    count = len(results[0]["keypoints"]) // 3
    with redirect_stdout(StringIO()):
        truth = COCO(_filled(annotations))
        judge = COCOeval_faster(
            truth, truth.loadRes([dict(each) for each in results]), "keypoints", print_function=_silent,
            kpt_oks_sigmas=None if count == PERSON else [SPREAD] * count,
        )  # fmt: skip
        judge.params.imgIds = sorted({int(each["image_id"]) for each in results})
        judge.params.catIds = sorted({int(each["category_id"]) for each in results})
        judge.run()
    stats = cast("Sequence[float]", judge.stats)
    values = {"oks_ap": stats[0], "oks_ap50": stats[1], "oks_ap75": stats[2], "oks_ar": stats[5]}
    return {name: float(value) for name, value in values.items() if value >= 0}


def _filled(annotations: Document) -> dict[str, Any]:
    """The annotations with what the judge needs and files of small tools leave out."""
    counted = ({"iscrowd": 0, **each} for each in annotations.get("annotations", ()))
    records = [{"num_keypoints": int((np.array(each["keypoints"])[2::3] > 0).sum()), **each} for each in counted]
    return {"info": {}, **annotations, "annotations": records}


def _silent(*text: object) -> None: ...
