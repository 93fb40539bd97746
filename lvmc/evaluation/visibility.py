"""Whether a heatmap's confidence tells which points are visible: precision and recall over all thresholds."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class PrecisionRecall(NamedTuple):
    """One value for each distinct score, from the highest threshold down."""

    precision: Floats
    recall: Floats
    thresholds: Floats


def precision_recall(scores: NDArray[np.floating], positive: NDArray[np.bool_]) -> PrecisionRecall:
    """Of those with a score ≥ threshold, how many are positive; and how many of the positive these are.

    Args:
        scores: (n,).
        positive: (n,); at least one is.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order].astype(np.float64)
    ends = np.append(np.flatnonzero(np.diff(ordered)), len(ordered) - 1)
    hits = np.cumsum(positive[order])[ends]
    return PrecisionRecall(hits / (ends + 1.0), hits / float(positive.sum()), ordered[ends])


def average_precision(curve: PrecisionRecall) -> float:
    """Σ (Rᵢ − Rᵢ₋₁) Pᵢ."""
    return float((np.diff(curve.recall, prepend=0.0) * curve.precision).sum())
