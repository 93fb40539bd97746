"""Changes of pictures: pixels, masks and points move by the same map, which an independent one in float64 confirms."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from lvmc.data.augment import (
    Changes,
    affine,
    change_images,
    change_masks,
    change_points,
    draw_changes,
    warp_planes,
)
from lvmc.data.sample import HIDDEN, UNCOUNTED, VISIBLE
from lvmc.spec.train import Augment

SIZE = (20, 28)
FULL = Augment(rotate=40.0, scale=0.4, shift=0.2, occlude=0.5, saturation=0.3)
NONE = Augment(flip=0.0, rotate=0.0, scale=0.0, shift=0.0, brightness=0.0, contrast=0.0)
ROWS = np.arange(12)


def changes(augment: Augment = FULL, rows: np.ndarray = ROWS, epoch: int = 2) -> Changes:
    return draw_changes(augment, 3, epoch, rows, SIZE, 50)


def inverse(matrix: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Where each pixel of a warped picture comes from, x and y (H, W)."""
    whole = np.linalg.inv(np.vstack([matrix, [0, 0, 1]]))
    y, x = np.mgrid[: size[0], : size[1]]
    return tuple(whole[row, 0] * x + whole[row, 1] * y + whole[row, 2] for row in (0, 1))


def bilinear(plane: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The warp of one plane in float64, its edge repeated."""
    high, wide = plane.shape
    x, y = inverse(matrix, plane.shape)
    x, y = x.clip(0, wide - 1), y.clip(0, high - 1)
    left, top = np.minimum(np.floor(x), wide - 2).astype(int), np.minimum(np.floor(y), high - 2).astype(int)
    u, v = x - left, y - top
    upper = plane[top, left] * (1 - u) + plane[top, left + 1] * u
    lower = plane[top + 1, left] * (1 - u) + plane[top + 1, left + 1] * u
    return upper * (1 - v) + lower * v


def test_warped_pictures_are_those_of_float64() -> None:
    planes = np.random.default_rng(0).random((12, 3, *SIZE))
    drawn = changes()
    found = warp_planes(torch.from_numpy(planes).float(), drawn, "bilinear").numpy()
    wanted = [[bilinear(plane, matrix) for plane in each] for each, matrix in zip(planes, drawn.warp, strict=True)]
    assert np.abs(found - wanted).max() < 1e-4


def test_warped_masks_take_the_nearest_pixel() -> None:
    masks = np.random.default_rng(0).integers(0, 5, (12, *SIZE)).astype(np.uint8)
    drawn = changes(FULL.model_copy(update={"occlude": 0.0}))
    found = change_masks(masks, drawn)
    for mask, matrix, warped in zip(masks, drawn.warp, found, strict=True):
        x, y = inverse(matrix, SIZE)
        x, y = x.clip(0, SIZE[1] - 1), y.clip(0, SIZE[0] - 1)
        sure = (np.abs(x % 1 - 0.5) > 1e-3) & (np.abs(y % 1 - 0.5) > 1e-3)
        wanted = mask[np.rint(y).astype(int), np.rint(x).astype(int)]
        assert np.array_equal(warped[sure], wanted[sure])
        assert sure.mean() > 0.9


def test_a_bright_dot_moves_with_its_point() -> None:
    """The centroid of a blob in the warped picture is its point, to 0.03 of a pixel."""
    size = (48, 64)
    y, x = np.mgrid[: size[0], : size[1]]
    points = np.random.default_rng(1).uniform((24, 18), (40, 30), (12, 1, 2))
    blobs = np.exp(-((x - points[:, :, 0, None]) ** 2 + (y - points[:, :, 1, None]) ** 2) / 8)
    mild = Augment(rotate=40.0, scale=0.3, shift=0.05)
    drawn = draw_changes(mild, 0, 0, ROWS, size, 12)
    assert drawn.mirrored.any()
    warped = warp_planes(torch.from_numpy(blobs[:, None]).float(), drawn, "bilinear").numpy()[:, 0]
    moved, _ = change_points(points.astype(np.float32), np.full((12, 1), VISIBLE, np.uint8), drawn, (0,), size)
    mass = warped.sum((1, 2))
    centroids = np.stack([(warped * x).sum((1, 2)) / mass, (warped * y).sum((1, 2)) / mass], 1)
    assert np.abs(centroids - moved[:, 0]).max() < 0.03


def test_a_mirrored_picture_is_numpys() -> None:
    picture = np.random.default_rng(0).random((1, 3, *SIZE)).astype(np.float32)
    drawn = changes(NONE.model_copy(update={"flip": 1.0}), np.arange(1))
    found = warp_planes(torch.from_numpy(picture), drawn, "bilinear").numpy()
    assert np.abs(found - picture[..., ::-1]).max() < 1e-5
    points = np.asarray([[[1, 2], [5, 7]]], np.float32)
    moved, seen = change_points(points, np.asarray([[2, 1]], np.uint8), drawn, (1, 0), SIZE)
    assert np.allclose(moved, [[[27 - 5, 7], [27 - 1, 2]]])
    assert seen.tolist() == [[1, 2]]


def test_quarter_turns_are_exact() -> None:
    square = np.random.default_rng(0).random((1, 1, 9, 9)).astype(np.float32)
    still = changes(NONE, np.arange(1))
    turn = affine(np.asarray([np.pi / 2]), np.ones(1), np.zeros(1, bool), np.zeros((1, 2)), (9, 9))
    drawn = Changes(turn, *(getattr(still, name) for name in Changes.__slots__[1:]))
    found = warp_planes(torch.from_numpy(square), drawn, "bilinear").numpy()
    assert np.abs(found[0, 0] - np.rot90(square[0, 0], -1)).max() < 1e-5


def test_nothing_changes_without_augmentation() -> None:
    pictures = torch.rand((12, 3, *SIZE), generator=torch.Generator().manual_seed(0))
    drawn = changes(NONE)
    assert torch.equal(change_images(pictures, torch.empty(0), drawn), pictures)
    points = np.random.default_rng(0).random((12, 4, 2)).astype(np.float32)
    moved, seen = change_points(points, np.full((12, 4), 1, np.uint8), drawn, None, SIZE)
    assert np.array_equal(moved, points)
    assert (seen == 1).all()
    assert (drawn.zoom == 1).all()


def test_colours_are_stretched_about_the_mean_and_shifted() -> None:
    pictures = np.random.default_rng(0).uniform(0.4, 0.6, (12, 3, *SIZE)).astype(np.float32)
    drawn = changes(NONE.model_copy(update={"brightness": 0.1, "contrast": 0.2}))
    found = change_images(torch.from_numpy(pictures), torch.empty(0), drawn).numpy()
    means = pictures.mean((1, 2, 3), keepdims=True)
    factor, shift = (each[:, None, None, None] for each in (drawn.contrast, drawn.brightness))
    assert np.abs(found - (factor * (pictures - means) + means + shift)).max() < 1e-5
    assert np.ptp(drawn.contrast) > 0.1


def test_saturation_is_about_grey() -> None:
    pictures = np.random.default_rng(0).uniform(0.3, 0.7, (12, 3, *SIZE)).astype(np.float32)
    drawn = changes(NONE.model_copy(update={"saturation": 0.3}))
    found = change_images(torch.from_numpy(pictures), torch.empty(0), drawn).numpy()
    grey = np.tensordot([0.299, 0.587, 0.114], pictures, (0, 1))[:, None]
    factor = drawn.saturation[:, None, None, None]
    assert np.abs(found - (grey + factor * (pictures - grey))).max() < 1e-4


def test_occluders_cover_pixels_hide_points_and_discount_masks() -> None:
    drawn = changes(NONE.model_copy(update={"occlude": 1.0}))
    black, white = torch.zeros((12, 1, *SIZE)), torch.ones((12, 1, *SIZE))
    covered = change_images(black, white, drawn).numpy()[:, 0] == 1
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    every = np.broadcast_to(np.stack([x, y], -1).reshape(1, -1, 2), (12, x.size, 2)).astype(np.float32)
    _, seen = change_points(every, np.full(every.shape[:2], VISIBLE, np.uint8), drawn, None, SIZE)
    assert np.array_equal(seen.reshape(covered.shape) == HIDDEN, covered)
    assert np.array_equal(change_masks(np.ones((12, *SIZE), np.uint8), drawn) == UNCOUNTED, covered)
    lengths = covered.any(2).sum(1) / SIZE[0], covered.any(1).sum(1) / SIZE[1]
    assert all((each > 0.15).all() and (each < 0.65).all() for each in lengths)
    assert (drawn.donor != ROWS).all()


def test_points_that_leave_are_not_annotated() -> None:
    drawn = changes(Augment(flip=0.0, rotate=0.0, scale=0.0, shift=1.0))
    points = np.full((12, 1, 2), 3, np.float32)
    moved, seen = change_points(points, np.full((12, 1), VISIBLE, np.uint8), drawn, None, SIZE)
    places = points[:, 0] + drawn.warp[:, :, 2]
    gone = (places < -0.5).any(1) | (places >= (SIZE[1] - 0.5, SIZE[0] - 0.5)).any(1)
    assert gone.any()
    assert not gone.all()
    assert np.array_equal(seen[:, 0] == 0, gone)
    assert (moved[gone] == 0).all()
    assert np.allclose(moved[~gone, 0], places[~gone], atol=1e-4)


def test_draws_keep_within_what_is_said() -> None:
    drawn = draw_changes(FULL, 0, 0, np.arange(400), SIZE, 400)
    assert drawn.zoom.max() <= 1.4
    assert drawn.zoom.min() >= 1 / 1.4
    angles = np.degrees(np.arctan2(drawn.warp[:, 1, 1], -drawn.warp[:, 0, 1])) - 90
    assert np.abs(angles).max() <= 40
    assert np.abs(angles).max() > 35
    assert 0.4 < drawn.mirrored.mean() < 0.6
    assert 0.4 < (drawn.donor >= 0).mean() < 0.6


def test_changes_are_a_function_of_seed_epoch_and_sample() -> None:
    whole, part = changes(), changes(rows=ROWS[5:6])
    assert np.array_equal(whole.warp[5], part.warp[0])
    assert not np.array_equal(whole.warp, changes(epoch=3).warp)


@pytest.mark.parametrize("mirrored", [False, True])
def test_zoom_is_the_scale_of_the_map(mirrored: bool) -> None:
    matrix = affine(np.asarray([0.3]), np.asarray([1.7]), np.asarray([mirrored]), np.zeros((1, 2)), SIZE)[0]
    assert np.linalg.det(matrix[:, :2]) == pytest.approx(-(1.7**2) if mirrored else 1.7**2)
