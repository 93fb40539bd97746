"""A basis as a `.npz` file: `mu` (K, 3, L), `e` (K, J, 3, L), `sigma` (K, J) or (K, J + 1), `R_set` (R, 3, 3).

`sigma` holds inverse deviations; its column J, if it has one, is τ, which multiplies the residual in the picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from zipfile import BadZipFile

import numpy as np
from numpy.lib.npyio import NpzFile
from numpy.typing import NDArray

from lvmc.ir.lifting import Array, Basis
from lvmc.lifting.rotations import turns

NAMES = ("mu", "e", "sigma", "R_set")
_HINT = "`lvmc fit-basis POSES.npz -o BASIS.npz` writes one"


def read_basis(path: Path) -> Basis:
    """The basis of a file.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: It is no basis: a name is missing, or arrays do not fit each other; says which.
    """
    if not path.is_file():
        raise FileNotFoundError(f"there is no file {path.name}; {_HINT}")
    state = path.stat()
    return _read(path, state.st_mtime_ns, state.st_size)


def basis_of(path: Path, rotations: int | None) -> Basis:
    """The basis of a file with its own rotations, or with so many about the upright axis. Raises as `read_basis`."""
    basis = read_basis(path)
    return basis if rotations is None else turned(basis, rotations)


def turned(basis: Basis, rotations: int) -> Basis:
    """The basis seen from so many sides: its first rotation after turns about the upright (third) axis."""
    return Basis(basis.mean, basis.basis, basis.sigma, basis.noise, turns(basis.rotations[0], rotations))


def save_basis(basis: Basis, path: Path) -> None:
    """Write a basis as `read_basis` reads it; the same basis gives the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sigma = np.concatenate([basis.sigma, basis.noise[:, None]], axis=1)
    with path.open("wb") as file:
        np.savez(file, mu=basis.mean, e=basis.basis, sigma=sigma, R_set=basis.rotations)


@lru_cache(maxsize=8)
def _read(path: Path, changed: int, size: int) -> Basis:
    """As the file was when it had that time of change and that size."""
    try:
        file = np.load(path, allow_pickle=False)
    except (BadZipFile, EOFError, ValueError) as error:
        raise ValueError(f"{path.name} is no .npz file; {_HINT}") from error
    if not isinstance(file, NpzFile):
        raise ValueError(f"{path.name} is no .npz file; {_HINT}")
    with file:
        mean, basis, sigma, rotations = _arrays(path.name, cast("Mapping[str, NDArray[Any]]", file))
    _check(path.name, mean, basis, sigma, rotations)
    dimensions = basis.shape[1]
    noise = sigma[:, dimensions] if sigma.shape[1] > dimensions else np.ones(len(mean))
    return Basis(mean, basis, sigma[:, :dimensions], noise, rotations)


def _arrays(name: str, file: Mapping[str, NDArray[Any]]) -> list[Array]:
    """The four arrays, as numbers."""
    missing = [each for each in NAMES if each not in file]
    if missing:
        raise ValueError(f"{name} has no {', '.join(missing)}: a basis has {', '.join(NAMES)}; {_HINT}")
    try:
        return [np.asarray(file[each], np.float64) for each in NAMES]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} holds what is no array of numbers; {_HINT}") from error


def _check(name: str, mean: Array, basis: Array, sigma: Array, rotations: Array) -> None:
    """Raise ValueError unless the arrays are a basis."""
    if mean.ndim != 3 or mean.shape[1] != 3 or 0 in mean.shape:
        raise ValueError(f"{name}: mu is (components, 3, points), not {mean.shape}")
    components, _, points = mean.shape
    if basis.ndim != 4 or basis.shape[0] != components or basis.shape[2:] != (3, points) or basis.shape[1] == 0:
        raise ValueError(f"{name}: e is ({components}, dimensions, 3, {points}), not {basis.shape}")
    dimensions = basis.shape[1]
    if sigma.shape not in ((components, dimensions), (components, dimensions + 1)):
        raise ValueError(f"{name}: sigma is ({components}, {dimensions}), or a column more, not {sigma.shape}")
    if rotations.ndim != 3 or rotations.shape[1:] != (3, 3) or not len(rotations):
        raise ValueError(f"{name}: R_set is (rotations, 3, 3), not {rotations.shape}")
    if not all(np.isfinite(each).all() for each in (mean, basis, sigma, rotations)) or (sigma <= 0).any():
        raise ValueError(f"{name}: all values are finite, and those of sigma above 0")
    if np.abs(rotations @ rotations.swapaxes(1, 2) - np.eye(3)).max() > 1e-6:
        raise ValueError(f"{name}: R_set holds matrices that are no rotations")
