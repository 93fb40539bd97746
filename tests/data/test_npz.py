"""Arrays of an .npz as sets: pixels, points and masks resized alike, and what contradicts itself named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lvmc.data.sample import UNCOUNTED
from lvmc.data.sources import open_data
from lvmc.evaluation.coco import to_file
from lvmc.spec.data import Npz, Occluders
from tests.data.sets import block, real

COUNT, HIGH, WIDE = 12, 10, 14


def arrays() -> dict[str, np.ndarray]:
    """Pictures of one file: seven to train, two to validate, three to test."""
    random = np.random.default_rng(0)
    return {
        "images": random.integers(0, 256, (COUNT, HIGH, WIDE), dtype=np.uint8),
        "keypoints": (random.random((COUNT, 5, 2)) * (WIDE - 1, HIGH - 1)).astype(np.float32),
        "points3d": random.random((COUNT, 5, 3)) * 1000,
        "visible": np.tile(np.asarray([2, 2, 2, 1, 0], np.int64), (COUNT, 1)),
        "masks": random.integers(0, 4, (COUNT, HIGH, WIDE), dtype=np.int32),
        "labels": np.arange(COUNT) % 3,
        "superpixels": random.integers(0, 500, (COUNT, HIGH, WIDE)),
        "split": np.asarray([0] * 7 + [1] * 2 + [2] * 3, np.uint8),
        "mirror": np.asarray([1, 0, 2, 4, 3]),
        "box": np.tile(np.asarray([2.0, 4.0, 10.0, 8.0]), (COUNT, 1)),
        "donor": np.arange(COUNT) % 7,
        "under": np.tile(np.asarray([True, False, True, False, False]), (COUNT, 1)),
    }


def opened(
    folder: Path, changed: dict[str, Any] | None = None, size: tuple[int, int] = (HIGH, WIDE), **keys: Any
) -> Any:
    """The sets of these arrays, some replaced or (None) left out."""
    given = {name: value for name, value in (arrays() | (changed or {})).items() if value is not None}
    np.savez(folder / "few.npz", **given)
    return open_data(Npz(kind="npz", file="few.npz", **keys), block(1, *size), folder)


def test_samples_are_the_rows(tmp_path: Path) -> None:
    given, sets = arrays(), opened(tmp_path)
    assert [len(sets.train), len(sets.validation), len(sets.test)] == [7, 2, 3]
    sample = sets.test[1]
    assert sample.name == "few.npz, row 10"
    assert np.array_equal(sample.image[:, :, 0], given["images"][10])
    assert np.allclose(sample.points[:4], given["keypoints"][10][:4])
    assert (sample.points[4] == 0).all()
    assert np.array_equal(sample.points3d, given["points3d"][10].astype(np.float32))
    assert sample.visible.tolist() == [2, 2, 2, 1, 0]
    assert np.array_equal(sample.mask, given["masks"][10])
    assert np.array_equal(sample.superpixels, given["superpixels"][10])
    assert sample.label == 10 % 3
    assert sample.unit == pytest.approx(np.ptp(given["keypoints"][10][:4], axis=0).max())
    assert np.array_equal(sample.origin, np.eye(2, 3))


def test_chosen_points_with_their_mirror_images_and_unit(tmp_path: Path) -> None:
    sets = opened(tmp_path, points=(1, 0, 2), flip="mirror", unit=[0, 2])
    assert sets.train.about.flip == (1, 0, 2)
    chosen = arrays()["keypoints"][3][[1, 0, 2]]
    assert np.allclose(sets.train[3].points, chosen)
    assert np.allclose(sets.train[3].points3d, arrays()["points3d"][3][[1, 0, 2]])
    assert sets.train[3].unit == pytest.approx(np.hypot(*(chosen[0] - chosen[2])))
    assert opened(tmp_path, points=(1, 0, 2), flip=(1, 0, 2)).train.about.flip == (1, 0, 2)
    assert opened(tmp_path, unit=3.0).train[0].unit == 3


def test_points_count_from_where_the_file_says(tmp_path: Path) -> None:
    """The first pixel's centre is 0 in a sample, whatever it is in the file, and predictions go back."""
    plain, shifted = (opened(tmp_path, size=(20, 28), first_pixel=first).train[3] for first in (0.0, 1.0))
    annotated = plain.visible > 0
    assert np.allclose(shifted.points[annotated], plain.points[annotated] - 2)
    given = arrays()["keypoints"][3][annotated]
    for sample in (plain, shifted):
        assert np.allclose(to_file(sample.points[annotated], sample), given, atol=1e-5)
    with pytest.raises(ValueError, match=r"'data\.first_pixel' says nothing"):
        opened(tmp_path, {"keypoints": None, "visible": None}, first_pixel=1.0)


def test_other_sizes_move_points_with_pixels(tmp_path: Path) -> None:
    """A bright blob stays on its point when the picture is stretched, and the mask keeps its halves."""
    y, x = np.mgrid[:HIGH, :WIDE]
    place = np.asarray([6.3, 4.8])
    blob = np.exp(-((x - place[0]) ** 2 + (y - place[1]) ** 2) / 3) * 255
    halves = np.tile((x >= WIDE // 2).astype(np.uint8), (COUNT, 1, 1))
    points = np.tile(place, (COUNT, 5, 1))
    changed = {"images": np.tile(blob, (COUNT, 1, 1)).astype(np.uint8), "masks": halves, "keypoints": points}
    sets = opened(tmp_path, changed, (25, 28), unit=2.0)
    sample = sets.train[0]
    y, x = np.mgrid[:25, :28]
    mass = sample.image[:, :, 0].astype(float)
    centroid = np.asarray([(mass * x).sum(), (mass * y).sum()]) / mass.sum()
    assert np.abs(centroid - sample.points[0]).max() < 0.1
    assert np.allclose(sample.points[0], (place + 0.5) * (2, 2.5) - 0.5)
    assert np.allclose(sample.origin @ [*sample.points[0], 1], place)
    assert np.array_equal(sample.mask, np.tile(x >= 14, (1, 1)))
    assert sample.unit == pytest.approx(2 * np.sqrt(5))


def test_covered_pictures_show_the_donor(tmp_path: Path) -> None:
    """The rectangle is in half pixels: x 1 … 6, y 2 … 6."""
    names = Occluders(box="box", donor="donor", visible="under", scale=0.5)
    given, sets = arrays(), opened(tmp_path, occluders=names)
    bare, covered = sets.test[2], sets.covered["covered"][2]
    wanted = given["images"][11].copy()
    wanted[2:6, 1:6] = given["images"][11 % 7][2:6, 1:6]
    assert np.array_equal(covered.image[:, :, 0], wanted)
    assert covered.visible.tolist() == [2, 1, 2, 1, 0]
    assert (covered.mask[2:6, 1:6] == UNCOUNTED).all()
    assert (covered.mask == UNCOUNTED).sum() == 20
    assert covered.unit == bare.unit
    assert bare.visible.tolist() == [2, 2, 2, 1, 0]


def test_without_split_rows_are_dealt(tmp_path: Path) -> None:
    sets = opened(tmp_path, {"split": None}, validation=0.25)
    names = [
        {sample.name for sample in map(part.__getitem__, range(len(part)))} for part in (sets.train, sets.validation)
    ]
    assert [len(each) for each in names] == [9, 3]
    assert not names[0] & names[1]
    assert sets.test is None
    again = opened(tmp_path, {"split": None}, validation=0.25)
    assert again.validation[0].name == sets.validation[0].name


def test_validation_is_taken_from_training_and_told(tmp_path: Path) -> None:
    sets = opened(tmp_path, {"split": np.asarray([0] * 8 + [2] * 4)}, validation=0.25)
    assert [len(sets.train), len(sets.validation), len(sets.test)] == [6, 2, 4]
    assert "2 for training are taken" in sets.remarks[0]


def test_grey_fills_colours_and_colours_grey(tmp_path: Path) -> None:
    np.savez(tmp_path / "grey.npz", images=arrays()["images"])
    np.savez(tmp_path / "colours.npz", images=np.random.default_rng(1).integers(0, 256, (4, 9, 9, 3), dtype=np.uint8))
    grey = open_data(Npz(kind="npz", file="grey.npz"), block(3, HIGH, WIDE), tmp_path).train[0].image
    assert grey.shape == (HIGH, WIDE, 3)
    assert (grey[:, :, 0] == grey[:, :, 2]).all()
    assert open_data(Npz(kind="npz", file="colours.npz"), block(1, 9, 9), tmp_path).train[0].image.shape == (9, 9, 1)
    with pytest.raises(ValueError, match=r"pictures have 3 channels, but 'image' has 2"):
        open_data(Npz(kind="npz", file="colours.npz"), block(2, 9, 9), tmp_path)


def test_points_beside_the_picture_are_not_annotated_and_told(tmp_path: Path) -> None:
    points = arrays()["keypoints"]
    points[2, 1] = (-3, 4)
    sets = opened(tmp_path, {"keypoints": points})
    assert sets.train[2].visible.tolist() == [2, 0, 2, 1, 0]
    assert "1 points lie beside their picture" in sets.remarks[0]


def broken(name: str, row: int, value: Any, column: int | None = None) -> dict[str, np.ndarray]:
    changed = arrays()[name].astype(np.float32 if name in ("keypoints", "points3d") else np.int64)
    changed[(row,) if column is None else (row, column)] = value
    return {name: changed}


NAMES = {"box": "box", "donor": "donor", "visible": "under"}
ROWS = [
    (broken("keypoints", 4, np.nan, 1), "array 'keypoints', row 4: point 1 of those chosen is not a number"),
    (broken("visible", 3, 7, 2), "array 'visible', row 3: should be 0, 1 .hidden. or 2 .visible., not 7"),
    (broken("visible", 3, -1, 2), "array 'visible', row 3: .*, not -1"),
    (broken("masks", 5, 256, 0), "array 'masks', row 5: has classes beyond"),
    (broken("labels", 1, -2), "array 'labels', row 1: should be a class from 0, not -2"),
    (broken("split", 6, 3), "array 'split', row 6: should be 0 .train."),
    (broken("donor", 10, 12), "array 'donor', row 10: there is no picture 12 of 12"),
    (broken("box", 9, 0, 2), "array 'box', row 9: should be x, y, width, height"),
    (broken("superpixels", 2, -1), "array 'superpixels', row 2: should be numbers from 0, not -1"),
    (broken("keypoints", 2, 5), "array 'keypoints', row 2: the unit of errors"),
    (broken("points3d", 2, np.inf, 1), "array 'points3d', row 2: has a point at infinity; write nan"),
]


@pytest.mark.parametrize(("changed", "fault"), ROWS)
def test_broken_rows_are_refused_or_skipped_by_name(tmp_path: Path, changed: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=rf"few\.npz: {fault}(.|\n)*broken: skip"):
        opened(tmp_path, changed, occluders=Occluders(**NAMES))
    sets = opened(tmp_path, changed, occluders=Occluders(**NAMES), broken="skip")
    assert len(sets.train) + len(sets.validation) + len(sets.test) == COUNT - 1
    assert len(sets.remarks) == 1
    assert sets.remarks[0].endswith("; skipped")


WHOLE: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"images": None}, {}, "has no array 'images'; .*known here: keypoints"),
    ({}, {"keypoints": "keypoint"}, "has no array 'keypoint'; did you mean 'keypoints'"),
    ({"images": np.zeros((COUNT, HIGH, WIDE), np.uint16)}, {}, "pictures are uint8"),
    ({"keypoints": np.zeros((COUNT, 5, 3))}, {}, r"array 'keypoints' is \(12, 5, 3\).*numbers, \(12, any, 2\)"),
    ({"visible": np.zeros((COUNT, 4), int)}, {}, r"array 'visible' is \(12, 4\).*whole numbers, \(12, 5\)"),
    ({"masks": np.zeros((COUNT, HIGH, 3), int)}, {}, r"array 'masks' .*\(12, 10, 14\)"),
    ({"labels": np.zeros(COUNT)}, {}, r"array 'labels' .*whole numbers, \(12,\)"),
    ({"split": np.zeros(3, int)}, {}, "array 'split'"),
    ({"labels": np.asarray(["a"] * COUNT, object)}, {}, "array 'labels' cannot be read"),
    ({}, {"points": (0, 5)}, "should list some of its 5 keypoints"),
    ({}, {"points": (0, 0)}, "each once"),
    ({}, {"points": (0, 2), "flip": "mirror"}, "the mirror image of keypoint 0, 1, is not among 'data.points'"),
    ({}, {"points": (0, 2), "flip": (1, 0, 2)}, "does not pair 2 points"),
    ({}, {"flip": (1, 2, 0, 3, 4)}, "does not pair 5 points"),
    ({}, {"points": (0, 1), "unit": [0, 2]}, "'data.unit' names point 2 of 2"),
    ({"keypoints": None}, {"unit": 3.0}, "'data.unit' says nothing"),
    ({"keypoints": None}, {"points3d": "points3d"}, "'data.points3d' says nothing"),
    ({"points3d": np.zeros((COUNT, 4, 3))}, {}, r"array 'points3d' is \(12, 4, 3\).*numbers, \(12, 5, 3\)"),
    (
        {},
        {"occluders": Occluders(box="boxes", donor="donor", visible="under")},
        "has no array 'boxes'; did you mean 'box'",
    ),
    ({"split": np.full(COUNT, 2)}, {}, "no row is left to train on"),
]


@pytest.mark.parametrize(("changed", "keys", "fault"), WHOLE)
@pytest.mark.parametrize("how", ["refuse", "skip"])
def test_wrong_arrays_are_always_refused(
    tmp_path: Path, changed: dict[str, Any], keys: dict[str, Any], fault: str, how: str
) -> None:
    with pytest.raises(ValueError, match=rf"few\.npz: (.*){fault}"):
        opened(tmp_path, changed, broken=how, **keys)


def test_files_that_are_none_are_named(tmp_path: Path) -> None:
    record = Npz(kind="npz", file="none.npz")
    with pytest.raises(OSError, match=r"none\.npz"):
        open_data(record, block(1, 8, 8), tmp_path)
    np.savez(tmp_path / "whole.npz", **arrays())
    (tmp_path / "none.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:400])
    with pytest.raises(OSError, match=r"none\.npz: no arrays can be read"):
        open_data(record, block(1, 8, 8), tmp_path)
    (tmp_path / "none.npz").write_text("pictures")
    with pytest.raises(OSError, match=r"none\.npz: no arrays can be read"):
        open_data(record, block(1, 8, 8), tmp_path)


def test_real_faces() -> None:
    file = real("faces64_gray.npz")
    record = Npz(
        kind="npz",
        file=file.name,
        points=(36, 39, 42, 45, 30, 48, 54, 8, 17, 26),
        flip="flip_perm",
        unit=[0, 3],
        occluders=Occluders(box="occ_box128", donor="occ_donor", visible="visible_under_occ", scale=0.5),
    )
    sets = open_data(record, block(1, 64, 64), file.parent)
    assert sets.validation is not None
    assert sets.test is not None
    covered = sets.covered["covered"]
    assert [len(each) for each in (sets.train, sets.validation, sets.test, covered)] == [2964, 631, 637, 637]
    assert sets.remarks == ()
    assert sets.train.about.flip == (3, 2, 1, 0, 4, 6, 5, 7, 9, 8)
    for number in range(0, 637, 7):
        bare, behind = sets.test[number], covered[number]
        assert bare.points is not None
        changed = np.any(bare.image != behind.image, axis=2)
        hidden = np.rint(bare.points[behind.visible == 1]).astype(int)
        assert bare.unit == pytest.approx(np.hypot(*(bare.points[0] - bare.points[3])))
        rows, columns = np.nonzero(changed)
        if len(hidden):
            assert (hidden.min(0) >= (columns.min() - 1, rows.min() - 1)).all()
            assert (hidden.max(0) <= (columns.max() + 1, rows.max() + 1)).all()


def test_real_masks() -> None:
    file = real("fasseg128_rgb.npz")
    sets = open_data(Npz(kind="npz", file=file.name), block(3, 64, 64), file.parent)
    assert sets.validation is not None
    assert sets.test is not None
    assert [len(sets.train), len(sets.validation), len(sets.test)] == [182, 20, 142]
    assert sets.train.about.classes == ("background", "skin", "hair", "eyes", "nose", "mouth")
    sample = sets.train[5]
    assert sample.image.shape == (64, 64, 3)
    assert sample.mask is not None
    assert sample.mask.shape == (64, 64)
    assert sample.mask.max() <= 5
    full = open_data(Npz(kind="npz", file=file.name), block(3, 128, 128), file.parent).train[5]
    assert full.mask is not None
    shares = [np.bincount(mask.ravel(), minlength=6) / mask.size for mask in (sample.mask, full.mask)]
    assert np.abs(shares[0] - shares[1]).max() < 0.01


def test_a_set_is_read_alike_by_copies(tmp_path: Path) -> None:
    sets = opened(tmp_path, size=(20, 20))
    assert np.array_equal(replace(sets.train[1]).image, opened(tmp_path, size=(20, 20)).train[1].image)


@pytest.mark.parametrize("shape", [(COUNT,), (COUNT, 1), (COUNT, 3)])
def test_values_are_the_rows_of_an_array(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """(n,) is (n, 1); the sample keeps them where its picture is stretched, and so does a kept one."""
    given = np.random.default_rng(5).normal(size=shape)
    signs = (-1,) * (shape[1] if len(shape) == 2 else 1)
    for size in ((HIGH, WIDE), (20, 20)):
        sets = opened(tmp_path, {"ages": given}, size, values="ages", signs=signs)
        assert sets.train.about.signs == signs
        for _ in range(2):
            found = sets.test[1].values
            assert found.dtype == np.float32
            assert np.array_equal(found, given.reshape(COUNT, -1)[10].astype(np.float32))
    assert opened(tmp_path, {"ages": given}).test[1].values is None


def test_wrong_values_are_refused_by_file_and_row(tmp_path: Path) -> None:
    ages = np.arange(float(COUNT))
    for changed, keys, fault in (
        ({}, {"values": "ages"}, "has no array 'ages'"),
        (
            {"ages": ages[:5]},
            {"values": "ages"},
            r"array 'ages' is \(5,\) of float64; it should hold numbers, \(12, any",
        ),
        ({"ages": ages.astype(str)}, {"values": "ages"}, "array 'ages' is .*; it should hold numbers"),
        ({"ages": ages}, {"values": "ages", "signs": (1, 1)}, "'data.signs' has 2 entries for the 1 columns of 'ages'"),
        (
            {"ages": np.where(ages == 4, np.inf, ages)},
            {"values": "ages"},
            "array 'ages', row 4: holds what is no number",
        ),
    ):
        with pytest.raises(ValueError, match=rf"few\.npz: {fault}"):
            opened(tmp_path, changed, **keys)
