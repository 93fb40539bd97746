"""Bases learned from poses whose subspace is known, and their files."""

from __future__ import annotations

from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from lvmc.ir.lifting import Array
from lvmc.lifting import basis_of, fit_basis, read_basis, save_basis
from lvmc.lifting.align import aligned, helmert
from lvmc.lifting.rotations import LEVEL, tilted, turns

from .bases import made


def samples(count: int, noise: float, seed: int = 0) -> tuple[Array, Array, Array]:
    """Poses (count, 3, 8) about a mean along 3 orthonormal directions with deviations 3, 2, 1; mean and directions."""
    random = np.random.default_rng(seed)
    across = helmert(8)
    directions = np.linalg.qr(random.normal(size=(21, 3)))[0].T.reshape(3, 3, 7) @ across.T
    mean = 5 * random.normal(size=(3, 7)) @ across.T
    poses = mean + np.einsum("nj,jxl->nxl", random.normal(size=(count, 3)) * [3.0, 2.0, 1.0], directions)
    return poses + noise * random.normal(size=(count, 3, 7)) @ across.T, mean, directions


def test_one_component_is_the_known_subspace() -> None:
    """Principal angles, deviations and noise; the poses' own origins are nothing."""
    poses, mean, directions = samples(4000, 0.1)
    shifted = poses + np.random.default_rng(1).normal(size=(4000, 3, 1))
    basis = fit_basis(shifted, 1, 3, rotations=4, align=False).basis
    cosines = np.linalg.svd(basis.basis[0].reshape(3, -1) @ directions.reshape(3, -1).T, compute_uv=False)
    assert cosines.min() > 0.999
    assert np.abs(1 / basis.sigma[0] - [3, 2, 1]).max() < 0.1
    assert abs(1 / basis.noise[0] - 0.1) < 0.003
    assert np.abs(basis.mean[0] - mean).max() < 0.2
    assert np.allclose(basis.basis[0].reshape(3, -1) @ basis.basis[0].reshape(3, -1).T, np.eye(3))
    assert np.abs(basis.mean.sum(2)).max() < 1e-12
    assert np.array_equal(basis.rotations[0], LEVEL)


def test_components_are_found_apart_and_the_likelihood_rises() -> None:
    one, first, _ = samples(900, 0.1, 2)
    other, second, _ = samples(300, 0.1, 3)
    fit = fit_basis(np.concatenate([one, other]), 2, 3, rotations=4, align=False)
    assert np.allclose(fit.shares, [0.75, 0.25], atol=0.01)
    assert np.abs(fit.basis.mean - [first, second]).max() < 0.6
    assert all(after >= before - 1e-9 for before, after in pairwise(fit.likelihood))


def test_the_likelihood_is_that_of_normal_distributions() -> None:
    """By scipy's density of the whole covariance, in coordinates whose mean point is 0."""
    from scipy.stats import multivariate_normal

    poses, _, _ = samples(300, 0.3)
    fit = fit_basis(poses, 1, 2, rotations=1, align=False)
    across, basis = helmert(8), fit.basis
    directions = (basis.basis[0] @ across).reshape(2, -1)
    rest = 1 / basis.noise[0] ** 2
    covariance = directions.T @ np.diag(1 / basis.sigma[0] ** 2) @ directions + rest * np.eye(21)
    centred = (poses - poses.mean(2, keepdims=True)) @ across
    wanted = multivariate_normal((basis.mean[0] @ across).ravel(), covariance).logpdf(centred.reshape(300, -1)).mean()
    assert np.isclose(fit.likelihood[-1], wanted)


@pytest.mark.skipif(find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_one_component_is_scikit_learn_s() -> None:
    from sklearn.decomposition import PCA

    poses, _, _ = samples(500, 0.2)
    basis = fit_basis(poses, 1, 3, rotations=1, align=False).basis
    theirs = PCA(3).fit((poses @ helmert(8)).reshape(500, -1))
    ours = (basis.basis[0] @ helmert(8)).reshape(3, -1)
    assert np.allclose(np.abs(ours @ theirs.components_.T), np.eye(3), atol=1e-9)
    assert np.isclose(1 / basis.noise[0] ** 2, theirs.noise_variance_ * 499 / 500)


def test_alignment_undoes_turns() -> None:
    poses, _, _ = samples(50, 0.0)
    turned = np.stack([turn @ pose for turn, pose in zip(turns(np.eye(3), 50), poses, strict=True)])
    one, other = aligned(poses), aligned(turned)
    between = np.angle((one[0, 0] - 1j * one[0, 1]) @ (other[0, 0] + 1j * other[0, 1]))
    back = turns(np.eye(3), 1)[0]
    c, s = np.cos(between), np.sin(between)
    back[:2, :2] = [[c, s], [-s, c]]
    assert np.allclose(back @ other, one, atol=1e-6)


def test_a_file_holds_a_basis(tmp_path: Path) -> None:
    basis = made()
    file = tmp_path / "basis.npz"
    save_basis(basis, file)
    found = read_basis(file)
    assert all(
        np.array_equal(one, other) for one, other in zip(vars(basis).values(), vars(found).values(), strict=True)
    )
    assert np.allclose(basis_of(file, 12).rotations, basis.rotations)
    before = file.read_bytes()
    save_basis(made(seed=1), file)
    assert not np.array_equal(read_basis(file).mean, basis.mean)
    save_basis(basis, file)
    assert file.read_bytes() == before
    with np.load(file) as arrays:
        plain = dict(arrays) | {"sigma": basis.sigma}
    np.savez(file, **plain)
    assert np.array_equal(read_basis(file).noise, np.ones(2))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"mu": np.ones((2, 4, 9))}, r"mu is \(components, 3, points\), not \(2, 4, 9\)"),
        ({"e": np.ones((2, 5, 3, 8))}, r"e is \(2, dimensions, 3, 9\)"),
        ({"sigma": np.ones((2, 4))}, r"sigma is \(2, 5\), or a column more"),
        ({"sigma": np.zeros((2, 5))}, "above 0"),
        ({"R_set": np.ones((4, 3, 3))}, "no rotations"),
        ({"R_set": np.ones((4, 3))}, r"R_set is \(rotations, 3, 3\)"),
        ({"R_set": None}, "has no R_set"),
        ({"mu": np.full((2, 3, 9), np.nan)}, "finite"),
    ],
)
def test_what_is_no_basis_is_said(changed: dict[str, Array | None], said: str, tmp_path: Path) -> None:
    basis, file = made(), tmp_path / "basis.npz"
    arrays = {"mu": basis.mean, "e": basis.basis, "sigma": basis.sigma, "R_set": basis.rotations} | changed
    np.savez(file, **{name: value for name, value in arrays.items() if value is not None})
    with pytest.raises(ValueError, match=said):
        read_basis(file)


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "text.npz").write_text("no archive", encoding="utf-8")
    with pytest.raises(ValueError, match=r"text\.npz is no \.npz file"):
        read_basis(tmp_path / "text.npz")
    with pytest.raises(FileNotFoundError, match="fit-basis"):
        read_basis(tmp_path / "none.npz")


@pytest.mark.parametrize(
    ("poses", "components", "dimensions", "said"),
    [
        (np.zeros((9, 2, 4)), 1, 1, r"poses are \(poses, 3, points\)"),
        (np.zeros((9, 3, 4)), 1, 9, "1 to 8 for 4 points"),
        (np.zeros((9, 3, 4)), 2, 5, "too few"),
        (np.full((9, 3, 4), np.nan), 1, 1, "no numbers"),
    ],
)
def test_poses_that_give_no_basis(poses: Array, components: int, dimensions: int, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        fit_basis(poses, components, dimensions)


def test_a_tilted_camera_looks_down() -> None:
    """What is nearer is lower in the picture."""
    assert (tilted(20.0) @ [1.0, 0.0, 0.0])[1] > 0
    assert np.allclose(tilted(20.0) @ tilted(20.0).T, np.eye(3))
    assert np.isclose(np.linalg.det(tilted(20.0)), np.linalg.det(LEVEL))
