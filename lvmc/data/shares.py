"""Numbers dealt out to training, validation and test, the same way each time."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.int64]

_STREAM = 0x736861


class Shares(NamedTuple):
    """Which numbers are for what, ascending."""

    train: Rows
    validation: Rows
    test: Rows


def deal(source: Path, count: int, validation: float, test: float = 0.0) -> Shares:
    """0 … count − 1 dealt by shares, shuffled by `count` alone.

    Raises:
        ValueError: Nothing is left to train on.
    """
    order = np.random.default_rng((_STREAM, count)).permutation(count)
    first, second = round(validation * count), round(test * count)
    if first + second >= count:
        fault = f"of {count} pictures, validation {validation:g} and test {test:g} leave none to train on"
        raise ValueError(f"{source}: {fault}; make them smaller")
    return Shares(np.sort(order[first + second :]), np.sort(order[:first]), np.sort(order[first : first + second]))
