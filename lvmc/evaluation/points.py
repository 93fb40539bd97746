"""How far points are off: errors in units, shares of right points, curves, and limbs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Points = NDArray[np.float32]
Marks = NDArray[np.uint8]


def point_errors(predicted: Points, points: Points, visible: Marks, units: NDArray[np.float32]) -> Floats:
    """‖predicted − true‖ / unit, (samples, points); nan where a point is not annotated.

    Args:
        predicted: (samples, points, 2) in pixels.
        points: The true ones.
        visible: (samples, points); 0: not annotated.
        units: (samples,) lengths in pixels.
    """
    distance = np.linalg.norm(predicted.astype(np.float64) - points, axis=2)
    return np.where(visible > 0, distance / units.astype(np.float64)[:, None], np.nan)


def mean_offset(predicted: Points, points: Points, visible: Marks) -> Floats:
    """Mean of predicted − true over annotated points, (2,) in pixels; nan if there is none.

    What is left over many points of a net that was trained on mirrored pictures is an offset of the annotations.
    """
    away = (predicted.astype(np.float64) - points)[visible > 0]
    return away.mean(0) if len(away) else np.full(2, np.nan)


def only(errors: Floats, visible: Marks, mark: int) -> Floats:
    """The errors of points so marked; nan elsewhere."""
    return np.where(visible == mark, errors, np.nan)


def mean(values: Floats) -> float:
    """Mean over what is not nan: of errors, the NME. nan if there is nothing."""
    counted = values[~np.isnan(values)]
    return float(counted.mean()) if counted.size else float("nan")


def pck(errors: Floats, threshold: float) -> float:
    """Share of annotated points whose error is at most the threshold (PCKh, if the unit is the head's size)."""
    return float(pck_curve(errors, np.array([threshold]))[0])


def pck_curve(errors: Floats, thresholds: Floats) -> Floats:
    """PCK at each threshold."""
    counted = np.sort(errors[~np.isnan(errors)])
    return np.searchsorted(counted, thresholds, side="right") / (counted.size or np.nan)


def pck_area(errors: Floats, limit: float) -> float:
    """Area under the PCK curve from 0 to the limit, as a share of the largest: mean of max(0, 1 − error/limit)."""
    return mean(np.where(np.isnan(errors), np.nan, np.maximum(0, 1 - errors / limit)))


def limbs_right(predicted: Points, points: Points, visible: Marks, skeleton: Sequence[tuple[int, int]]) -> Floats:
    """Which limbs are right, strictly: both ends within half the limb's true length of where they belong.

    Returns:
        (samples, limbs): 1 or 0, nan where an end is not annotated; the mean is the PCP (Ferrari et al. 2008, strict).
    """
    first, second = np.array(skeleton, np.intp).reshape(-1, 2).T
    true = points.astype(np.float64)
    distance = np.linalg.norm(predicted - true, axis=2)
    half = np.linalg.norm(true[:, first] - true[:, second], axis=2) / 2
    right = (distance[:, first] <= half) & (distance[:, second] <= half)
    return np.where((visible[:, first] > 0) & (visible[:, second] > 0), right.astype(np.float64), np.nan)
