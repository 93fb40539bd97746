"""The points of one head on one set, evaluated: all together, by joint, and visible and hidden apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lvmc.data.sample import HIDDEN, VISIBLE
from lvmc.evaluation.evaluation import Curve, Evaluation, Table, placed
from lvmc.evaluation.points import (
    Floats,
    Marks,
    Points,
    limbs_right,
    mean,
    mean_offset,
    only,
    pck,
    pck_area,
    pck_curve,
    point_errors,
)
from lvmc.evaluation.predict import Predicted, Truth
from lvmc.evaluation.visibility import PrecisionRecall, average_precision, precision_recall

STEPS = 100
MOST_SHOWN = 200
"""Points of a precision–recall curve that are kept."""


def evaluate_points(
    place: str, said: Predicted, truth: Truth, names: Sequence[str], limbs: Sequence[tuple[int, int]], limit: float
) -> Evaluation:
    """NME, PCK, the area under its curve, the mean offset, refined NME, PCP, and how confidence tells visible points.

    Args:
        place: "<set>/<head>", before the names of metrics.
        said: With points.
        truth: With points and their visibility.
        names: Of the points.
        limbs: Pairs of points.
        limit: In units, within which a point is right; curves reach to twice that.
    """
    assert said.points is not None
    assert truth.points is not None
    assert truth.visible is not None
    visible = truth.visible
    errors = point_errors(said.points, truth.points, visible, truth.units)
    kinds = by_visibility(errors, visible)
    figures: dict[str, float] = {}
    curves: dict[str, Curve] = {}
    for suffix, some in kinds.items():
        figures |= _figures(some, limit, suffix)
        if not np.isnan(some).all():
            curves[f"{place}/pck{suffix}"] = _pck_curve(some, limit)
    offset = mean_offset(said.points, truth.points, visible)
    figures |= {"offset_x": float(offset[0]), "offset_y": float(offset[1])}
    if said.refined is not None:
        refined = point_errors(said.refined, truth.points, visible, truth.units)
        figures["nme_refined"] = mean(refined)
        figures["nme_change"] = figures["nme_refined"] - figures["nme"]
    right = limbs_right(said.points, truth.points, visible, limbs)
    figures["pcp"] = mean(right)
    told = {} if said.confidence is None else _told_apart(said.confidence, visible)
    figures |= {f"{name}_ap": average_precision(curve) for name, curve in told.items()}
    curves |= {f"{place}/precision_recall_{name}": _thinned(curve) for name, curve in told.items()}
    counts = {f"{place}/points{suffix}": int((~np.isnan(some)).sum()) for suffix, some in kinds.items()}
    counts |= {f"{place}/samples": len(errors), f"{place}/limbs": int((~np.isnan(right)).sum())}
    return Evaluation(
        figures=placed(place, figures),
        joints={place: _joints(said.points, truth.points, errors, visible, names, limit)},
        curves=curves,
        counts=counts,
        errors={f"{place}/error": errors, f"{place}/visible": visible.astype(np.float64)},
    )


def by_visibility(errors: Floats, visible: NDArray[np.uint8]) -> dict[str, Floats]:
    """All errors, and those of visible and of hidden points, by what metrics' names end in."""
    return {
        "": errors,
        "_visible": only(errors, visible, VISIBLE),
        "_hidden": only(errors, visible, HIDDEN),
    }


def _figures(errors: Floats, limit: float, suffix: str) -> dict[str, float]:
    return {
        f"nme{suffix}": mean(errors),
        f"pck{suffix}": pck(errors, limit),
        f"auc{suffix}": pck_area(errors, limit),
    }


def _joints(
    predicted: Points, points: Points, errors: Floats, visible: Marks, names: Sequence[str], limit: float
) -> Table:
    table: Table = {}
    for joint, name in enumerate(names):
        row: dict[str, float] = {}
        for suffix, some in by_visibility(errors[:, [joint]], visible[:, [joint]]).items():
            row |= {f"points{suffix}": float((~np.isnan(some)).sum())} | _figures(some, limit, suffix)
        offset = mean_offset(predicted[:, joint], points[:, joint], visible[:, joint])
        row |= {"offset_x": float(offset[0]), "offset_y": float(offset[1])}
        table[name] = {metric: value for metric, value in row.items() if not np.isnan(value)}
    return table


def _pck_curve(errors: Floats, limit: float) -> Curve:
    thresholds = np.linspace(0, 2 * limit, 2 * STEPS + 1)
    return Curve(tuple(thresholds.tolist()), tuple(pck_curve(errors, thresholds).tolist()))


def _told_apart(confidence: NDArray[np.float32], visible: NDArray[np.uint8]) -> dict[str, PrecisionRecall]:
    """Visible points found by high confidence, and hidden ones by low; nothing where there is only one kind."""
    known = visible > 0
    scores, seen = confidence[known], visible[known] == VISIBLE
    if seen.all() or not seen.any():
        return {}
    return {"visible": precision_recall(scores, seen), "hidden": precision_recall(-scores, ~seen)}


def _thinned(curve: PrecisionRecall) -> Curve:
    """Recall and precision at evenly many of the thresholds."""
    count = len(curve.recall)
    kept = np.unique(np.linspace(0, count - 1, min(count, MOST_SHOWN)).round().astype(np.intp))
    return Curve(tuple(curve.recall[kept].tolist()), tuple(curve.precision[kept].tolist()))
