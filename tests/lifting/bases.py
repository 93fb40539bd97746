"""Bases that tests make themselves, the real one where it is at hand, and poses drawn from them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lvmc.ir.lifting import Array, Basis
from lvmc.lifting import read_basis
from lvmc.lifting.rotations import LEVEL, turns

REAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "lifting" / "params.npz"
"""The parameters of a real model, beside the checkout where there are any."""


def made(components: int = 2, dimensions: int = 5, points: int = 9, rotations: int = 12, seed: int = 0) -> Basis:
    """Orthonormal directions about random means, the mean over points not 0."""
    random = np.random.default_rng(seed)
    flat = random.normal(size=(components, dimensions, 3 * points))
    directions = np.stack([np.linalg.qr(each.T)[0].T for each in flat])
    return Basis(
        mean=2 * random.normal(size=(components, 3, points)),
        basis=directions.reshape(components, dimensions, 3, points),
        sigma=random.uniform(0.3, 3.0, (components, dimensions)),
        noise=random.uniform(2.0, 6.0, components),
        rotations=turns(LEVEL, rotations),
    )


def real() -> Basis:
    """The parameters of a real lifting model."""
    if not REAL.is_file():
        pytest.skip(f"{REAL} is not here")
    return read_basis(REAL)


def basis_named(name: str) -> Basis:
    return real() if name == "real" else made()


def drawn(basis: Basis, count: int, seed: int = 1) -> Array:
    """(count, L, 2): projections of drawn poses, with noise."""
    random = np.random.default_rng(seed)
    k, r = random.integers(len(basis.mean), size=count), random.integers(len(basis.rotations), size=count)
    a = random.normal(size=(count, basis.sigma.shape[1])) / basis.sigma[k]
    poses = basis.mean[k] + np.einsum("nj,njxl->nxl", a, basis.basis[k])
    seen = np.einsum("ndx,nxl->nld", basis.rotations[r, :2], poses)
    return seen + random.normal(size=seen.shape) / basis.noise[k][:, None, None]
