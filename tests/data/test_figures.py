"""Figures: a function of seed, split and number; joints hidden by occluders only; the same scene at every size."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest

from lvmc.data.figures import TEST, TRAIN, VALIDATION, FigureSet, draw_figure, open_figures
from lvmc.data.paint import Box, Capsule, Heap, Texture, canvas, paint
from lvmc.data.pose import FLIP, JOINTS, SKELETON, draw_pose
from lvmc.data.sample import HIDDEN, VISIBLE
from lvmc.spec.data import Figures
from tests.data.sets import block

SET = FigureSet((40, 56), 3, 7, TRAIN, 100, 0.5)
HEAD_CLASS = 1


def digest(figures: FigureSet, numbers: list[int]) -> str:
    return sha256(b"".join(figures[each].image.tobytes() for each in numbers)).hexdigest()


def test_a_figure_is_a_function_of_seed_split_and_number() -> None:
    first, again = SET[3], SET[3]
    assert np.array_equal(first.image, again.image)
    assert np.array_equal(first.points, again.points)
    others = (SET[4], replace(SET, seed=8)[3], replace(SET, split=VALIDATION)[3], replace(SET, split=TEST)[3])
    assert not any(np.array_equal(first.points, other.points) for other in others)


def test_another_process_draws_the_same_in_any_order() -> None:
    script = """
from lvmc.data.figures import FigureSet
from tests.data.test_figures import digest
print(digest(FigureSet((40, 56), 3, 7, 0, 100, 0.5), [5, 2, 9]))
"""
    run = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert run.stdout.strip() == digest(SET, [5, 2, 9])


@pytest.mark.parametrize("size", [(40, 56), (56, 40), (96, 96)])
@pytest.mark.parametrize("channels", [1, 3])
def test_samples_keep_the_contract(size: tuple[int, int], channels: int) -> None:
    figures = replace(SET, size=size, channels=channels)
    for each in (figures[number] for number in range(12)):
        assert each.points is not None
        assert each.visible is not None
        assert each.mask is not None
        assert each.image.shape == (*size, channels)
        assert each.image.dtype == np.uint8
        assert each.points.shape == (16, 2)
        assert each.points.dtype == np.float32
        assert ((each.points > -0.5) & (each.points < (size[1] - 0.5, size[0] - 0.5))).all()
        assert set(np.unique(each.visible)) <= {HIDDEN, VISIBLE}
        assert each.mask.shape == size
        assert each.mask.max() <= 4
        assert 1 < each.unit < max(size) / 4


def test_grey_figures_are_the_coloured_ones() -> None:
    """But for the noise, of at most 10 of 255 a pixel in each."""
    grey, coloured = (draw_figure(replace(SET, channels=channels), 11).image.astype(float) for channels in (1, 3))
    apart = coloured @ [0.299, 0.587, 0.114] - grey[:, :, 0]
    assert abs(apart.mean()) < 1
    assert apart.std() < 13


def test_a_larger_picture_shows_the_same_figure() -> None:
    small, large = replace(SET, size=(48, 48))[2], replace(SET, size=(96, 96))[2]
    assert small.points is not None
    assert large.points is not None
    assert np.allclose((large.points + 0.5) / 2, small.points + 0.5, atol=1e-4)
    assert large.unit == pytest.approx(2 * small.unit)


def test_covered_pictures_show_the_test_figures_with_hidden_joints() -> None:
    bare, covered = (replace(SET, split=TEST, covered=share) for share in (0.0, 1.0))
    for number in range(30):
        without, behind = bare[number], covered[number]
        assert np.array_equal(without.points, behind.points)
        assert without.visible is not None
        assert behind.visible is not None
        assert (without.visible == VISIBLE).all()
        assert (behind.visible == HIDDEN).any()


def test_what_hides_a_joint_is_background() -> None:
    for number in range(30):
        sample = replace(SET, size=(56, 56), covered=1.0)[number]
        assert sample.points is not None
        assert sample.mask is not None
        for x, y in np.rint(sample.points[sample.visible == HIDDEN]).astype(int).clip(0, 55):
            assert (sample.mask[max(0, y - 1) : y + 2, max(0, x - 1) : x + 2] == 0).any()


def test_visible_joints_lie_on_the_person() -> None:
    for number in range(30):
        sample = replace(SET, size=(96, 96), covered=0.0)[number]
        assert sample.points is not None
        assert sample.mask is not None
        ends = np.rint(np.delete(sample.points, 9, 0)).astype(int)
        assert (sample.mask[ends[:, 1], ends[:, 0]] > 0).mean() > 0.9


def test_the_unit_is_the_head() -> None:
    """0.6 × the diagonal of the head's box: heads of upright figures are that long and wide, to a pixel's edge."""
    found = []
    for number in range(60):
        sample = replace(SET, size=(128, 128), covered=0.0)[number]
        assert sample.points is not None
        assert sample.mask is not None
        neck, head = sample.points[8], sample.points[9]
        if abs(neck[0] - head[0]) < 0.1 * abs(neck[1] - head[1]) and neck[1] > head[1]:
            rows, columns = np.nonzero(sample.mask[: int(neck[1])] == HEAD_CLASS)
            found.append(0.6 * np.hypot(np.ptp(rows) + 1, np.ptp(columns) + 1) / sample.unit)
    assert len(found) >= 5
    assert np.median(found) == pytest.approx(1, abs=0.12)


def test_the_share_of_occluders_is_kept() -> None:
    hidden = [(SET[number].visible == HIDDEN).any() for number in range(100)]
    assert 0.35 < np.mean(hidden) < 0.65


def test_left_and_right_follow_from_how_the_body_is_turned() -> None:
    """From the front the left shoulder is on the right of the picture; seen from behind on the left."""
    for number in range(40):
        pose = draw_pose(np.random.default_rng(number), (64, 64))
        across = pose.joints[13, 0] - pose.joints[12, 0]
        toward = float(np.cross(pose.points[13] - pose.points[12], pose.points[7] - pose.points[6])[2])
        facing = pose.ahead[2]
        if abs(facing) > 0.8:
            assert np.sign(toward) == np.sign(-facing)
        if facing > 0.9 and abs(pose.joints[7, 0] - pose.joints[6, 0]) < 4:
            assert across > 0


def test_limbs_are_as_long_as_bodies_allow() -> None:
    for number in range(40):
        pose = draw_pose(np.random.default_rng(number), (64, 64))
        lengths = np.linalg.norm(pose.points[[b for _, b in SKELETON]] - pose.points[[a for a, _ in SKELETON]], axis=1)
        assert lengths.max() < 0.4 * pose.height
        left, right = ([JOINTS.index(f"{side}_{name}") for name in ("hip", "knee", "ankle")] for side in "lr")
        for a, b in ((0, 1), (1, 2)):
            spans = [np.linalg.norm(pose.points[side[a]] - pose.points[side[b]]) for side in (left, right)]
            assert spans[0] == pytest.approx(spans[1])


def test_points_and_their_mirror_images_have_the_names_of_both_sides() -> None:
    for name, other in zip(JOINTS, (JOINTS[number] for number in FLIP), strict=True):
        assert {name[:2], other[:2]} in ({"l_", "r_"}, {name[:2]})
        assert name[2:] == other[2:] or name == other


def test_a_capsule_is_all_points_near_a_segment() -> None:
    random = np.random.default_rng(1)
    start, end = np.asarray([3.0, 9.0]), np.asarray([14.0, 4.0])
    places = random.random((200, 2)) * 20
    field = Capsule((3.0, 9.0), (14.0, 4.0), 2.5, 2.5).field(places[:, 0], places[:, 1])
    on = start + np.linspace(0, 1, 20001)[:, None] * (end - start)
    nearest = np.asarray([np.min(np.hypot(*(on - place).T)) for place in places])
    assert np.allclose(field.distance, nearest - 2.5, atol=1e-3)


def test_paint_covers_the_area_of_a_shape() -> None:
    """Soft edges keep the area: ∫ opacity is that of the shape, to the accuracy of one-pixel edges."""
    on = canvas(np.zeros((3, 60, 60), np.float32))
    white = Texture(np.full(3, 255, np.float32), np.zeros(3, np.float32))
    shape = Heap((Capsule((20.3, 30.1), (40.7, 30.1), 6, 6), Box((20.3, 30.1), (3, 3), 0.4)))
    paint(on, shape, white, 3)
    assert on.colours[0].sum() / 255 == pytest.approx(20.4 * 12 + np.pi * 36, rel=0.01)
    assert (on.classes == 3).sum() == pytest.approx(20.4 * 12 + np.pi * 36, rel=0.02)


def test_open_figures_counts_and_refuses() -> None:
    record = Figures(kind="figures", count=5, validation=3, test=2)
    sets = open_figures(record, block(3, 32, 32))
    assert [len(each) for each in (sets.train, sets.validation or (), sets.test or ())] == [5, 3, 2]
    assert [len(each) for each in sets.covered.values()] == [2]
    with pytest.raises(ValueError, match="1 or 3 channels, but 'image' has 2"):
        open_figures(record, block(2, 32, 32))
    with pytest.raises(ValueError, match="16×16 at least"):
        open_figures(record, block(3, 8, 32))
    with pytest.raises(IndexError):
        sets.train[5]
