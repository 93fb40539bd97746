"""How often the class of a picture is right."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def labels_right(predicted: NDArray[np.int64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """1 or 0 for each sample; nan where it has no label (a negative one). The mean is the accuracy."""
    return np.where(labels >= 0, (predicted == labels).astype(np.float64), np.nan)
