"""Cuts: points, pixels and masks follow one map; shrinking averages over areas."""

from __future__ import annotations

import numpy as np
import pytest

from lvmc.data.cuts import Cut, around, cut_mask, cut_pixels, cut_points, whole, within
from lvmc.data.sample import UNCOUNTED
from lvmc.data.units import unit_length

RAMP = np.stack(np.mgrid[:40, :60][::-1] * 4, -1).astype(np.uint8)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_whole_cut_is_the_picture(channels: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (7, 9, channels), dtype=np.uint8)
    assert cut_pixels(pixels, whole((7, 9), (7, 9))) is pixels
    assert cut_pixels(pixels, whole((7, 9), (14, 18))).shape == (14, 18, channels)


def test_pixels_are_where_the_map_says() -> None:
    cut = Cut(10.3, 5.2, 30.0, 20.0, (50, 90))
    shown = cut_pixels(RAMP, cut) / 4
    y, x = np.mgrid[:50, :90]
    for across, down in ((0, 0), (44, 20), (89, 49)):
        place = cut.origin @ (x[down, across], y[down, across], 1)
        assert np.abs(shown[down, across] - place).max() < 0.3
    places = np.asarray([[12.0, 9.0], [33.3, 20.0]])
    back = cut_points(places, cut) @ cut.origin[:, :2].T + cut.origin[:, 2]
    assert np.allclose(back, places, atol=1e-5)


def test_shrinking_averages_over_areas() -> None:
    checks = (np.indices((40, 40)).sum(0) % 2 * 255).astype(np.uint8)[:, :, None]
    assert np.abs(cut_pixels(checks, whole((40, 40), (10, 10))).astype(int) - 127).max() <= 12


def test_beyond_the_picture_edges_repeat_and_masks_do_not_count() -> None:
    cut = Cut(-10.0, -10.0, 80.0, 60.0, (60, 80))
    assert np.array_equal(cut_pixels(RAMP, cut), np.pad(RAMP, ((10, 10), (10, 10), (0, 0)), mode="edge"))
    mask = RAMP[:, :, 0] % 5
    assert np.array_equal(cut_mask(mask, cut), np.pad(mask, 10, constant_values=UNCOUNTED))


def test_a_box_keeps_its_middle_and_takes_the_aspect_of_the_input() -> None:
    cut = around((10, 20, 8, 4), 1.5, (30, 20))
    assert (cut.width, cut.height) == (12, 18)
    assert (cut.left + cut.width / 2, cut.top + cut.height / 2) == (14, 22)
    assert cut.scale[0] == pytest.approx(cut.scale[1])


def test_pixels_reach_half_a_pixel_around_their_centres() -> None:
    places = np.asarray([[-0.5, 0], [-0.6, 0], [3.4, 1], [3.5, 1], [0, 1.6]], np.float32)
    assert within(places, (2, 4)).tolist() == [True, False, True, False, False]


@pytest.mark.parametrize(
    ("rule", "visible", "box", "wanted"),
    [
        ((0, 1), (2, 1, 2), None, 5.0),
        ((0, 1), (2, 0, 2), None, None),
        ((0, 2), (2, 2, 2), None, None),
        (2.5, (2, 2, 2), None, 5.0),
        ("box", (2, 2, 2), 9.0, 9.0),
        ("box", (2, 2, 2), None, 4.0),
        (None, (2, 2, 2), None, 4.0),
        (None, (2, 0, 0), None, None),
        ((0, 1), (0, 0, 0), None, 1.0),
    ],
)
def test_units(rule: object, visible: tuple[int, ...], box: float | None, wanted: float | None) -> None:
    points = np.asarray([[1, 1], [4, 5], [1, 1]], np.float32)
    found = unit_length(rule, points, np.asarray(visible, np.uint8), 2.0, box)  # pyright: ignore[reportArgumentType]
    assert found == (None if wanted is None else pytest.approx(wanted))
