"""A mixture of probabilistic principal components of 3D poses, by expectation and maximisation.

x | k ~ N(μ_k, W_k W_kᵀ + s_k² I). Given the shares r of samples, the best μ, W and s are those of the weighted
covariance: with its eigenvalues λ and eigenvectors u, s² is the mean of λ_{J+1} …, and component j has the deviation
√(λ_j − s²) along u_j. In the words of a basis e_j = u_j, σ_j = 1/√(λ_j − s²), τ = 1/s. Source: Tipping & Bishop,
Mixtures of probabilistic principal component analysers (1999), appendix C.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lvmc.ir.lifting import Array, Basis
from lvmc.lifting.align import aligned, helmert
from lvmc.lifting.rotations import LEVEL, turns

LEAST = 1e-3
"""The least s, and the least deviation of a coefficient, in deviations of a coordinate of all poses."""

STEPS, RISE = 200, 1e-6
"""At most so many steps, and the rise of the log-likelihood a pose below which they end."""


@dataclass(frozen=True)
class Fit:
    """A fitted basis; shares of the components (K,), largest first; the log-likelihood a pose after each step."""

    basis: Basis
    shares: Array
    likelihood: tuple[float, ...]


@dataclass(frozen=True)
class _Model:
    """Shares (K,), means (K, D), directions (K, J, D), variances along them (K, J) and elsewhere (K,)."""

    shares: Array
    means: Array
    directions: Array
    along: Array
    rest: Array


def fit_basis(
    poses: Array,
    components: int = 3,
    dimensions: int = 25,
    rotations: int = 100,
    camera: Array | None = None,
    align: bool = True,
    seed: int = 0,
) -> Fit:
    """Learn a basis; the mean over its points is 0, and so are those of its means.

    Args:
        poses: (N, 3, L), the third coordinate upright; any origin.
        components: K.
        dimensions: J, less than 3 (L − 1).
        rotations: How many views, turned about the upright axis.
        camera: (3, 3), the first view; a level one if not given.
        align: Whether poses are first turned about the upright axis to meet their mean.
        seed: Of the first shares.

    Raises:
        ValueError: Too few poses, or more dimensions than they can have.
    """
    poses = np.asarray(poses, np.float64)
    _check(poses, components, dimensions, rotations)
    centred = poses - poses.mean(2, keepdims=True)
    centred = aligned(centred) if align else centred
    across = helmert(poses.shape[2])
    samples = (centred @ across).reshape(len(poses), -1)
    model, likelihood = _fitted(samples, components, dimensions, seed)
    order = np.argsort(-model.shares, kind="stable")
    shape = (-1, 3, poses.shape[2] - 1)
    basis = Basis(
        mean=model.means[order].reshape(shape) @ across.T,
        basis=(model.directions[order].reshape(shape) @ across.T).reshape(components, dimensions, 3, -1),
        sigma=1 / np.sqrt(model.along[order]),
        noise=1 / np.sqrt(model.rest[order]),
        rotations=turns(LEVEL if camera is None else camera, rotations),
    )
    return Fit(basis, model.shares[order], likelihood)


def _check(poses: Array, components: int, dimensions: int, rotations: int) -> None:
    if poses.ndim != 3 or poses.shape[1] != 3 or poses.shape[2] < 2:
        raise ValueError(f"poses are (poses, 3, points), not {poses.shape}")
    if not np.isfinite(poses).all():
        raise ValueError("poses have values that are no numbers; leave poses with unknown points out")
    room = 3 * (poses.shape[2] - 1)
    if not 1 <= dimensions < room:
        raise ValueError(f"dimensions: 1 to {room - 1} for {poses.shape[2]} points, not {dimensions}")
    if components < 1 or rotations < 1:
        raise ValueError("components and rotations: 1 at least")
    if len(poses) < components * (dimensions + 1):
        raise ValueError(
            f"{len(poses)} poses are too few for {components} components of {dimensions} dimensions; "
            f"{components * (dimensions + 1)} at least, or fewer components or dimensions"
        )


def _fitted(samples: Array, components: int, dimensions: int, seed: int) -> tuple[_Model, tuple[float, ...]]:
    """Expectation and maximisation in turn, until the log-likelihood a pose hardly rises."""
    from scipy.cluster.vq import kmeans2  # slow to import, and only fitting needs it

    _, labels = kmeans2(samples, components, minit="++", rng=np.random.default_rng(seed))
    shares = np.eye(components)[labels]
    likelihood: list[float] = []
    model = _maximised(samples, shares, dimensions)
    for _ in range(STEPS):
        shares, reached = _expected(samples, model)
        likelihood.append(reached)
        if len(likelihood) > 1 and likelihood[-1] - likelihood[-2] < RISE:
            break
        model = _maximised(samples, shares, dimensions)
    return model, tuple(likelihood)


def _maximised(samples: Array, shares: Array, dimensions: int) -> _Model:
    """The best model for given shares of the samples (N, K)."""
    least = LEAST**2 * samples.var(0).mean()
    count = shares.sum(0)
    means = (shares.T @ samples) / np.maximum(count, 1e-9)[:, None]
    found = [_principal(samples - mean, share, dimensions, least) for mean, share in zip(means, shares.T, strict=True)]
    directions, along, rest = (np.stack(each) for each in zip(*found, strict=True))
    return _Model(count / len(samples), means, directions, along, rest)


def _principal(offsets: Array, share: Array, dimensions: int, least: float) -> tuple[Array, Array, Array]:
    """Directions (J, D), signed so that their largest entry is positive; variances along them and elsewhere."""
    covariance = (offsets * share[:, None]).T @ offsets / max(share.sum(), 1e-9)
    values, vectors = np.linalg.eigh(covariance)
    values, vectors = values[::-1], vectors[:, ::-1].T
    rest = max(float(values[dimensions:].mean()), least)
    directions = vectors[:dimensions]
    largest = np.take_along_axis(directions, np.abs(directions).argmax(1)[:, None], 1)
    return directions * np.sign(largest), np.maximum(values[:dimensions] - rest, least), np.asarray(rest)


def _expected(samples: Array, model: _Model) -> tuple[Array, float]:
    """Shares of the samples (N, K), and the log-likelihood a sample."""
    from scipy.special import logsumexp  # slow to import, and only fitting needs it

    joint = np.stack([_log_density(samples, model, k) for k in range(len(model.means))], 1)
    joint += np.log(np.maximum(model.shares, 1e-300))
    total = logsumexp(joint, axis=1)
    return np.exp(joint - total[:, None]), float(total.mean())


def _log_density(samples: Array, model: _Model, k: int) -> Array:
    """log N(x; μ_k, C_k) by the eigenvalues of C_k: along_j + rest, and rest elsewhere."""
    offsets = samples - model.means[k]
    inside = offsets @ model.directions[k].T
    whole, rest = model.along[k] + model.rest[k], model.rest[k]
    distance = (inside**2 / whole).sum(1) + ((offsets**2).sum(1) - (inside**2).sum(1)) / rest
    volume = np.log(whole).sum() + (samples.shape[1] - len(whole)) * np.log(rest)
    return -0.5 * (distance + volume + samples.shape[1] * np.log(2 * np.pi))
