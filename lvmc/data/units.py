"""The length that point errors of a sample are measured in."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvmc.spec.data import Unit


def unit_length(
    rule: Unit | None, points: NDArray[np.float32], visible: NDArray[np.uint8], zoom: float, box: float | None = None
) -> float | None:
    """The unit in pixels of the sample.

    Two numbers: the distance of these points. A number: so many pixels of the file. `box`, or nothing said: the longer
    side of `box` (pixels of the sample), or of the box around the annotated points where that is None.

    Args:
        rule: What the data say of their unit.
        points: (P, 2) in pixels of the sample.
        visible: (P,) 0 where a point is not annotated.
        zoom: Pixels of the sample a pixel of the file.
        box: The longer side of an annotated box.

    Returns:
        The length; 1 where no point is annotated; None where it cannot be told, or is 0.
    """
    known = visible > 0
    if not known.any():
        return 1.0
    match rule:
        case (first, second):
            length = float(np.hypot(*(points[first] - points[second]))) if known[first] and known[second] else 0.0
        case float():
            length = rule * zoom
        case _:
            length = float(np.ptp(points[known], axis=0).max()) if box is None else box
    return length or None
