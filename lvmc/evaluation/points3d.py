"""How far points in 3D are off: about a root, and after the best similarity."""

from __future__ import annotations

from warnings import catch_warnings, simplefilter

import numpy as np
from numpy.typing import NDArray

from lvmc.evaluation.points import Floats

ROOTS = ("pelvis", "root", "hips", "mid_hip")
"""What a point is called about which poses are compared."""

Points = NDArray[np.floating]


def root_errors(predicted: Points, points: Points, names: tuple[str, ...]) -> Floats:
    """‖(predicted − its root) − (true − its root)‖, (samples, points); nan where unknown: what MPJPE is the mean of.

    The root is the first point with a name of `ROOTS`, or else the mean of the known points, in samples that do not
    know the former too.

    Args:
        predicted: (samples, points, 3).
        points: The true ones, in the same unit; nan where unknown.
        names: Of the points.
    """
    apart = predicted.astype(np.float64) - points
    known = np.isfinite(apart).all(2)
    count = np.maximum(known.sum(1), 1)[:, None]
    shift = np.where(known[:, :, None], apart, 0.0).sum(1) / count
    root = next((number for number, name in enumerate(names) if name in ROOTS), None)
    if root is not None:
        shift = np.where(known[:, [root]], apart[:, root], shift)
    return np.where(known, np.linalg.norm(apart - shift[:, None], axis=2), np.nan)


def similarity_errors(predicted: Points, points: Points) -> Floats:
    """The same after the rotation, scale and shift of the predicted points that bring them nearest (Procrustes).

    nan where fewer than three points are known. Source: Umeyama, Least-squares estimation of transformation parameters
    between two point patterns (1991).
    """
    found = np.full(predicted.shape[:2], np.nan)
    for row, (said, true) in enumerate(zip(predicted.astype(np.float64), points.astype(np.float64), strict=True)):
        known = np.isfinite(true).all(1)
        if known.sum() >= 3:
            found[row, known] = np.linalg.norm(_brought(said[known], true[known]) - true[known], axis=1)
    return found


def _brought(said: Floats, true: Floats) -> Floats:
    """Points (n, 3) after the similarity that brings them nearest to others; never a mirror image."""
    from scipy.spatial.transform import Rotation  # slow to import, and only this needs it

    offsets, wanted = said - said.mean(0), true - true.mean(0)
    with catch_warnings():
        simplefilter("ignore", UserWarning)  # points on a line may be turned about it: of the best turns any will do
        turned = Rotation.align_vectors(wanted, offsets)[0].apply(offsets)
    spread = (turned**2).sum()
    scale = max((turned * wanted).sum(), 0.0) / spread if spread else 0.0
    return true.mean(0) + scale * turned
