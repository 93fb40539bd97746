"""Predictions on COCO data scored by COCO's own measure, against the annotation file they were read from."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lvmc.data.sample import SampleSet
from lvmc.evaluation.coco import category_of, coco_results, oks_scores
from lvmc.evaluation.evaluation import Evaluation, placed
from lvmc.evaluation.predict import Predicted
from lvmc.spec.data import Coco, CocoFiles


def annotations_of(data: Coco, split: str) -> dict[str, Any]:
    """What the annotation file of a split holds; that of training, of which a split may be a share."""
    files = {"validation": data.validation, "test": data.test}.get(split)
    return json.loads(Path(files.annotations if isinstance(files, CocoFiles) else data.annotations).read_bytes())


def oks_of(data: Coco, split: str, predicted: Mapping[str, Predicted], samples: SampleSet) -> tuple[Evaluation, int]:
    """OKS scores "<split>/<head>/oks_ap" … of heads with points, and the number of the category."""
    annotations = annotations_of(data, split)
    category = category_of(annotations, data.category)
    figures: dict[str, float] = {}
    for head, said in predicted.items():
        if said.points is not None:
            results = coco_results(said.points, said.confidence, samples, category)
            figures |= placed(f"{split}/{head}", oks_scores(annotations, results))
    return Evaluation(figures=figures), category
