"""Rotation, component, a, Ŷ and dŶ/dY against brute force: `numpy.linalg.lstsq` for every rotation and component."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pytest

from lvmc.ir.lifting import Array, Basis, designs, inverses, lift

from .bases import basis_named, drawn


class Best(NamedTuple):
    component: int
    rotation: int
    a: Array
    points2d: Array
    change: Array


class Candidate(NamedTuple):
    component: int
    rotation: int
    system: Array
    design: Array
    middle: Array


def candidates(basis: Basis, weights: Array, translate: bool) -> Iterator[Candidate]:
    """Every candidate as least squares [√w(Y − p − t); 0] ≈ [√wE 1; σ/τ 0] a, with the shift t as two unknowns."""
    root = np.sqrt(np.repeat(weights, 2))[:, None]
    for k, r in np.ndindex(len(basis.mean), len(basis.rotations)):
        design = np.stack([(basis.rotations[r] @ each)[:2].T.ravel() for each in basis.basis[k]], 1)
        dimensions = design.shape[1]
        if translate:
            design = np.hstack([design, np.tile(np.eye(2), (len(weights), 1))])
        ridge = np.zeros((dimensions, design.shape[1]))
        ridge[:, :dimensions] = np.diag(basis.sigma[k] / basis.noise[k])
        middle = (basis.rotations[r] @ basis.mean[k])[:2].T.ravel()
        yield Candidate(k, r, np.vstack([root * design, ridge]), design, middle)


def brute(basis: Basis, points: Array, weights: Array, translate: bool) -> list[Best]:
    """The best of all candidates for each of some points with the same weights."""
    root, dimensions = np.sqrt(np.repeat(weights, 2)), basis.sigma.shape[1]
    best, least = [None] * len(points), np.full(len(points), np.inf)
    for each in candidates(basis, weights, translate):
        wanted = np.hstack(
            [root * (points.reshape(len(points), -1) - each.middle), np.zeros((len(points), dimensions))]
        )
        solution = np.linalg.lstsq(each.system, wanted.T, rcond=None)[0]
        cost = basis.noise[each.component] ** 2 * np.sum((each.system @ solution - wanted.T) ** 2, 0)
        for row in np.flatnonzero(cost < least):
            best[row], least[row] = (each, solution[:, row]), cost[row]
    return [_best(each, a, root, dimensions) for each, a in best]


def _best(each: Candidate, a: Array, root: Array, dimensions: int) -> Best:
    change = each.design @ (np.linalg.pinv(each.system)[:, : len(root)] * root)
    flat = (each.middle + each.design @ a).reshape(-1, 2)
    return Best(each.component, each.rotation, a[:dimensions], flat, change)


def agree(basis: Basis, points: Array, weights: Array, translate: bool) -> None:
    """`weights` (L,) of all points, or (B, L)."""
    given = np.broadcast_to(weights, points.shape[:2])
    found = lift(basis, points, given, translate)
    rows = [(points, given[0])] if weights.ndim == 1 else zip(points[:, None], given, strict=True)
    best = [one for some, weight in rows for one in brute(basis, some, weight, translate)]
    for row, wanted in enumerate(best):
        assert (found.component[row], found.rotation[row]) == (wanted.component, wanted.rotation)
        assert np.abs(found.coefficients[row] - wanted.a).max() <= 1e-10 * (1 + np.abs(wanted.a).max())
        assert np.abs(found.points2d[row] - wanted.points2d).max() <= 1e-10 * (1 + np.abs(points).max())
        assert np.abs(response(basis, wanted, given[row], translate) - wanted.change).max() <= 1e-10


def response(basis: Basis, best: Best, weights: Array, translate: bool) -> Array:
    """dŶ/dY = E Eᵗ at the chosen rotation (8); with a shift, that of the weighted mean too."""
    design, _ = designs(basis, weights, translate)
    inverse = inverses(basis, design, weights)[best.component, best.rotation]
    centred = design[best.component, best.rotation] @ inverse
    if not translate:
        return centred
    mean = np.kron(np.tile(weights / weights.sum(), (len(weights), 1)), np.eye(2))
    return centred @ (np.eye(2 * len(weights)) - mean) + mean


@pytest.mark.parametrize(("name", "count"), [("made", 100), ("real", 100)])
def test_the_best_pose_is_that_of_brute_force(name: str, count: int) -> None:
    basis = basis_named(name)
    points = drawn(basis, count)
    agree(basis, points, np.ones(points.shape[1]), False)


@pytest.mark.parametrize(("name", "count"), [("made", 40), ("real", 4)])
def test_missing_points_count_for_nothing(name: str, count: int) -> None:
    """Weights of 0, and between, with and without a shift; what a missing point says changes nothing."""
    basis = basis_named(name)
    random, points = np.random.default_rng(3), drawn(basis, count)
    weights = np.where(random.random(points.shape[:2]) < 0.3, 0.0, random.uniform(0.2, 1.0, points.shape[:2]))
    for translate in (False, True):
        agree(basis, points, weights, translate)
    moved = np.where(weights[..., None] > 0, points, 100.0)
    one, other = lift(basis, points, weights, True), lift(basis, moved, weights, True)
    assert np.abs(one.points3d - other.points3d).max() <= 1e-9 * (1 + np.abs(one.points3d).max())


def test_the_shift_and_equal_weights_are_those_of_centred_points() -> None:
    basis = basis_named("made")
    middle = basis.mean.mean(2, keepdims=True)
    centred = replace(basis, mean=basis.mean - middle, basis=basis.basis - basis.basis.mean(3, keepdims=True))
    points = drawn(basis, 20)
    one = lift(basis, points, translate=True)
    other = lift(centred, points - points.mean(1, keepdims=True))
    assert np.array_equal(one.rotation, other.rotation)
    assert np.allclose(one.coefficients, other.coefficients, atol=1e-12)
    assert np.allclose(one.points2d, other.points2d + points.mean(1, keepdims=True), atol=1e-12)


def test_eq_8_of_the_real_model_without_noise() -> None:
    """dŶ/dY = E (EᵀE + diag(σ²))⁻¹ Eᵀ as its notes give it."""
    basis = replace(basis_named("real"), noise=np.ones(3))
    found = lift(basis, drawn(basis, 5))
    design, _ = designs(basis, np.ones(17))
    for k, r in zip(found.component, found.rotation, strict=True):
        e = design[k, r]
        wanted = e @ np.linalg.inv(e.T @ e + np.diag(basis.sigma[k] ** 2)) @ e.T
        assert np.abs(e @ inverses(basis, design, np.ones(17))[k, r] - wanted).max() < 1e-10


def test_no_point_at_all_gives_the_first_mean() -> None:
    basis = basis_named("made")
    found = lift(basis, drawn(basis, 2), np.zeros((2, 9)), True)
    assert not found.component.any()
    assert not found.rotation.any()
    assert np.array_equal(found.points3d[0], (basis.rotations[0] @ basis.mean[0]).T)
