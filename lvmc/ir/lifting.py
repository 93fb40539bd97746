"""3D poses from 2D points over a discrete set of rotations and a mixture of regularised bases, in numpy.

    R, k, a = argmin τ_k² ‖Y − ΠR(μ_k + a·e_k)‖² + ‖σ_k a‖²,    Ŷ = ΠR(μ_k + a·e_k)

Given R and k this is ridge regression, whose design matrix does not depend on Y. With w_l ≥ 0 as weights of the points
the data term is τ² Σ_l w_l ‖·‖². Source: Lifting from the Deep, supplementary (1), (2), (6), (8).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

LEAST = 1e-12
"""What divides is at least this: sums of weights, and lengths in units of the basis."""


@dataclass(frozen=True)
class Basis:
    """A mixture of K linear models of poses of L points, and R rotations into the view.

    Attributes:
        mean: μ (K, 3, L).
        basis: e (K, J, 3, L).
        sigma: σ (K, J), inverse deviations of the coefficients.
        noise: τ (K,), the inverse deviation of a coordinate about the model.
        rotations: (R, 3, 3); rows are the view's right, down and depth.
    """

    mean: Array
    basis: Array
    sigma: Array
    noise: Array
    rotations: Array


@dataclass(frozen=True)
class Lifted:
    """Poses of B samples: component k (B,), rotation (B,), a (B, J), Ŷ (B, L, 2), R(μ + a·e) (B, L, 3), cost (B,)."""

    component: Array
    rotation: Array
    coefficients: Array
    points2d: Array
    points3d: Array
    cost: Array


def lift(basis: Basis, points: Array, weights: Array | None = None, translate: bool = False) -> Lifted:
    """The best pose of every sample; of equal ones the first by component, then rotation.

    Args:
        basis: The model.
        points: Y (B, L, 2), in units of the basis.
        weights: (B, L), 0 for missing points; all 1 if not given.
        translate: Whether a shift of the picture is fitted too, rather than given as 0.
    """
    batch, count = points.shape[:2]
    weighing = np.ones((batch, count)) if weights is None else np.asarray(weights, np.float64)
    found = Lifted(
        np.zeros((batch,), np.int64), np.zeros((batch,), np.int64), np.zeros((batch, basis.sigma.shape[1])),
        np.zeros((batch, count, 2)), np.zeros((batch, count, 3)), np.zeros((batch,)),
    )  # fmt: skip
    patterns, member = np.unique(weighing, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        _lift_rows(basis, points, pattern, translate, np.flatnonzero(member.ravel() == number), found)
    return found


def _lift_rows(basis: Basis, points: Array, weights: Array, translate: bool, rows: Array, found: Lifted) -> None:
    """Fill in the samples of some rows, whose weights are the same."""
    design, projected = designs(basis, weights, translate)
    inverse = inverses(basis, design, weights)
    twice = np.repeat(weights, 2)
    shift = np.einsum("l,bld->bd", weights, points[rows]) / max(weights.sum(), LEAST) if translate else 0.0
    shift = np.broadcast_to(shift, (len(rows), 2))
    for row, offset in zip(rows, shift, strict=True):
        rest = (points[row] - offset).ravel() - projected
        a = np.einsum("krjm,krm->krj", inverse, rest)
        residual = rest - np.einsum("krmj,krj->krm", design, a)
        cost = (basis.noise[:, None] ** 2) * (residual**2 @ twice) + np.einsum("krj,kj->kr", a**2, basis.sigma**2)
        k, r = np.unravel_index(np.argmin(cost), cost.shape)
        found.component[row], found.rotation[row], found.cost[row] = k, r, cost[k, r]
        found.coefficients[row] = a[k, r]
        found.points2d[row] = (projected[k, r] + design[k, r] @ a[k, r]).reshape(-1, 2) + offset
        pose = basis.mean[k] + np.einsum("j,jxl->xl", a[k, r], basis.basis[k])
        found.points3d[row] = (basis.rotations[r] @ pose).T


def designs(basis: Basis, weights: Array, translate: bool = False) -> tuple[Array, Array]:
    """E (K, R, 2L, J) and p (K, R, 2L), rows in (point, coordinate) order.

    With `translate` from each coordinate its weighted mean over the points is taken away, which is what the best shift
    of the picture does.
    """
    view = basis.rotations[:, :2]
    design = np.einsum("rdx,kjxl->krldj", view, basis.basis)
    projected = np.einsum("rdx,kxl->krld", view, basis.mean)
    if translate:
        share = weights / max(weights.sum(), LEAST)
        design = design - np.einsum("l,krldj->krdj", share, design)[:, :, None]
        projected = projected - np.einsum("l,krld->krd", share, projected)[:, :, None]
    shape = design.shape[:2]
    return design.reshape(*shape, -1, design.shape[-1]), projected.reshape(*shape, -1)


def inverses(basis: Basis, design: Array, weights: Array) -> Array:
    """(EᵀWE + diag(σ/τ)²)⁻¹ EᵀW (K, R, J, 2L): what gives a, eq. (6)."""
    weighed = (design * np.repeat(weights, 2)[:, None]).swapaxes(-1, -2)
    ridge = (basis.sigma / basis.noise[:, None]) ** 2
    gram = weighed @ design
    gram += ridge[:, None, :, None] * np.eye(ridge.shape[1])
    return np.linalg.solve(gram, weighed)


def spread(basis: Basis) -> Array:
    """(L, L): the mean over components and rotations of the products p_l · p_m of the projected means."""
    projected = np.einsum("rdx,kxl->krld", basis.rotations[:, :2], basis.mean)
    return np.einsum("krld,krmd->lm", projected, projected) / (projected.shape[0] * projected.shape[1])


def lift_pixels(basis: Basis, points: Array, weights: Array | None, scale: float | None) -> Array:
    """(B, L, 5): x̂ and ŷ in pixels, then the pose in the view and in units of the basis.

    Args:
        basis: The model.
        points: (B, L, 2), x and y in pixels.
        weights: (B, L).
        scale: Pixels a unit; None: what gives the points the spread about their mean that projected means have.
    """
    weighing = np.ones(points.shape[:2]) if weights is None else weights
    total = np.maximum(weighing.sum(1), LEAST)
    centre = np.einsum("bl,bld->bd", weighing, points) / total[:, None]
    offsets = points - centre[:, None]
    length = np.full(len(points), scale) if scale is not None else _lengths(basis, offsets, weighing, total)
    found = lift(basis, offsets / length[:, None, None], weights, translate=True)
    pixels = centre[:, None] + length[:, None, None] * found.points2d
    return np.concatenate([pixels, found.points3d], axis=2)


def _lengths(basis: Basis, offsets: Array, weights: Array, total: Array) -> Array:
    """Pixels a unit of each sample (B,)."""
    products = spread(basis)
    of_model = weights @ np.diag(products) - np.einsum("bl,lm,bm->b", weights, products, weights) / total
    of_points = np.einsum("bl,bld->b", weights, offsets**2)
    return np.sqrt(np.maximum(of_points, LEAST) / np.maximum(of_model, LEAST))


def soft_peaks(maps: Array, window: int, temperature: float) -> Array:
    """Where maps peak, (B, C, 2) as x, y: the mean of places in a window about the largest value, by softmax.

    Args:
        maps: (B, C, H, W).
        window: Rows and columns, odd; 1 for the place of the largest value itself. Outside the map nothing counts.
        temperature: What values are divided by.
    """
    batch, channels, height, width = maps.shape
    flat = maps.reshape(batch, channels, height * width)
    place = flat.argmax(-1)
    steps = np.arange(window) - window // 2
    rows, columns = (place // width)[..., None] + steps, (place % width)[..., None] + steps
    inside = ((rows >= 0) & (rows < height))[..., :, None] & ((columns >= 0) & (columns < width))[..., None, :]
    near = rows.clip(0, height - 1)[..., :, None] * width + columns.clip(0, width - 1)[..., None, :]
    values = np.take_along_axis(flat, near.reshape(batch, channels, window**2), -1)
    values = np.where(inside, values.reshape(inside.shape), -np.inf) / temperature
    shares = np.exp(values - values.max((-2, -1), keepdims=True))
    shares = shares / shares.sum((-2, -1), keepdims=True)
    x = np.einsum("bcij,bcj->bc", shares, columns)
    return np.stack([x, np.einsum("bcij,bci->bc", shares, rows)], -1)


def beliefs(points: Array, sigma: float, size: tuple[int, int]) -> Array:
    """exp(−‖x − Y‖² / 2σ²) on a plane: (B, L, 2) → (B, L, H, W)."""
    columns, rows = (
        np.exp(-((np.arange(length) - points[..., axis, None]) ** 2) / (2 * sigma**2))
        for axis, length in ((0, size[1]), (1, size[0]))
    )
    return rows[..., :, None] * columns[..., None, :]
