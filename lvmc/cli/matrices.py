"""Matrices and their groups from files."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ENDINGS = ".npy, .npz, .csv and .txt"
ASYMMETRY = 1e-12
"""Largest |a_ij − a_ji| / max |a| that is taken for rounding."""


def read_matrix(file: Path) -> Array:
    """A symmetric matrix (n, n) of finite numbers: .npy, .npz with one array, .csv, or .txt with blanks between.

    Raises:
        ValueError: It is none; says where it is not symmetric, or not finite.
        OSError: The file cannot be read.
    """
    try:
        values = _values(file)
    except (ValueError, EOFError, zipfile.BadZipFile, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: no matrix can be read from it: {error}") from error
    if values.ndim != 2 or values.shape[0] != values.shape[1]:
        raise ValueError(
            f"{file}: the matrix has to be square, and is {'×'.join(map(str, values.shape)) or 'a number'}"
        )
    bad = np.argwhere(~np.isfinite(values))
    if len(bad):
        row, column = map(int, bad[0])
        raise ValueError(
            f"{file}: row {row}, column {column} is {values[row, column]} (counted from 0), not a finite number"
        )
    _check_symmetric(file, values)
    return values


def read_groups(file: Path, size: int) -> list[list[int]]:
    """Groups of indices from JSON, `[[0, 1], [4, 5, 6]]`.

    Raises:
        ValueError: It is no list of lists of indices, each below `size` and in one group only.
        OSError: The file cannot be read.
    """
    try:
        found: object = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{file} is no JSON: {error}") from error
    if not isinstance(found, list):
        raise ValueError(f"{file}: write a list of groups, for example [[0, 1], [4, 5, 6]]")
    groups = cast("list[object]", found)
    faults = [f for number, group in enumerate(groups) for f in _group_faults(number, group, size)]
    if faults:
        raise ValueError(f"{file}: {faults[0]}")
    indices = cast("list[list[int]]", groups)
    owner: dict[int, int] = {}
    for number, group in enumerate(indices):
        for index in group:
            if owner.setdefault(index, number) != number:
                raise ValueError(
                    f"{file}: index {index} is in group {owner[index]} and in group {number}; groups are disjoint"
                )
    return indices


def _values(file: Path) -> Array:
    match file.suffix.lower():
        case ".npy":
            return _numbers(np.load(file, allow_pickle=False))
        case ".npz":
            with np.load(file, allow_pickle=False) as arrays:
                if len(arrays.files) != 1:
                    raise ValueError(f"it holds {len(arrays.files)} arrays ({', '.join(arrays.files[:5])}), not one")
                return _numbers(arrays[arrays.files[0]])
        case ".csv":
            return np.loadtxt(file, delimiter=",", ndmin=2)
        case ".txt":
            return np.loadtxt(file, ndmin=2)
        case ending:
            raise ValueError(f"files that end in '{ending}' are not known; {ENDINGS} are")


def _numbers(values: NDArray[np.generic]) -> Array:
    if values.dtype.kind not in "fiub":
        raise ValueError(f"its numbers are of type {values.dtype}, not real")
    exact = values.astype(np.float64)
    if values.dtype.itemsize >= 8 and not np.array_equal(
        exact.astype(values.dtype), values, equal_nan=exact.dtype == values.dtype
    ):
        raise ValueError(f"its numbers of type {values.dtype} are more than float64 holds")
    return exact


def _check_symmetric(file: Path, values: Array) -> None:
    apart = np.abs(values - values.T)
    if apart.size and apart.max() > ASYMMETRY * np.abs(values).max():
        row, column = (int(each) for each in np.unravel_index(apart.argmax(), apart.shape))
        raise ValueError(
            f"{file}: the matrix is not symmetric: row {row}, column {column} is {values[row, column]:.17g} and "
            f"row {column}, column {row} is {values[column, row]:.17g} (counted from 0); for zᵀAz write (A + Aᵀ)/2"
        )


def _group_faults(number: int, group: object, size: int) -> Iterator[str]:
    if not isinstance(group, list):
        yield f"group {number} is no list of indices"
        return
    for place, index in enumerate(cast("list[object]", group)):
        if isinstance(index, bool) or not isinstance(index, int):
            yield f"group {number} has {json.dumps(index)} at place {place}, not an index"
        elif not 0 <= index < size:
            yield f"group {number} has index {index}; those of the matrix are 0 to {size - 1}"
    whole = [index for index in cast("list[object]", group) if isinstance(index, int)]
    if len(set(whole)) < len(whole):
        yield f"group {number} names an index twice"
