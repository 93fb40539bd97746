"""COCO files as sets: persons cut out with their points and regions, and what contradicts itself named."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lvmc.data.mirror import mirror_of
from lvmc.data.sample import UNCOUNTED, Splits
from lvmc.data.sources import open_data
from lvmc.spec.data import Coco, CocoFiles
from tests.data.sets import block

Content = dict[str, Any]
POINTS = ["nose", "left_eye", "right_eye"]
SIZE = (60, 80)


def person(number: int, image: int, box: list[float], *points: float, **more: Any) -> Content:
    """An annotation with points x, y, v."""
    annotated = sum(flag > 0 for flag in points[2::3])
    return {
        "id": number,
        "image_id": image,
        "category_id": 1,
        "bbox": box,
        "keypoints": list(points),
        "num_keypoints": annotated,
        "iscrowd": 0,
    } | more


def content() -> Content:
    """Three pictures; one person in the first and last, two in the second."""
    triangle = [20, 10, 40, 10, 40, 40, 20, 40]
    return {
        "images": [{"id": 10 + n, "file_name": f"{n}.png", "height": SIZE[0], "width": SIZE[1]} for n in range(3)],
        "categories": [
            {"id": 1, "name": "person", "keypoints": POINTS, "skeleton": [[1, 2], [1, 3]]},
            {"id": 7, "name": "kite"},
        ],
        "annotations": [
            person(100, 10, [20, 10, 20, 30], 30, 20, 2, 25, 15, 1, 0, 0, 0, segmentation=[triangle]),
            person(101, 11, [5, 5, 30, 40], 12, 14, 2, 14, 16, 2, 10, 16, 2),
            person(102, 11, [60, 30, 18, 28], 70, 40, 2, 72, 42, 2, 68, 42, 2),
            person(103, 12, [0, 0, 80, 60], 40, 30, 2, 50, 30, 2, 30, 30, 2),
            {"id": 104, "image_id": 12, "category_id": 7, "bbox": [10, 0, 20, 60], "segmentation": runs(10, 30)},
        ],
    }


def runs(left: int, right: int) -> Content:
    """The columns from left to right, column by column as COCO counts."""
    high, wide = SIZE
    return {"size": [high, wide], "counts": [left * high, (right - left) * high, (wide - right) * high]}


def write(folder: Path, written: Content, name: str = "all.json") -> None:
    (folder / "pictures").mkdir(exist_ok=True)
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    for number in range(3):
        pixels = np.stack([x * 3, y * 4, np.full_like(x, 60 * number)], -1).astype(np.uint8)
        Image.fromarray(pixels).save(folder / "pictures" / f"{number}.png")
    (folder / name).write_text(json.dumps(written))


def opened(
    folder: Path, changed: Callable[[Content], Any] | None = None, size: tuple[int, int] = (32, 24), **keys: Any
) -> Splits:
    """The sets of this file after a change to it."""
    written = content()
    if changed is not None:
        changed(written)
    write(folder, written)
    return reopened(folder, size, **keys)


def reopened(folder: Path, size: tuple[int, int] = (32, 24), **keys: Any) -> Splits:
    record = Coco(kind="coco", images="pictures", annotations="all.json", **{"validation": 0.0} | keys)
    return open_data(record, block(3, *size), folder)


def test_a_sample_a_person(tmp_path: Path) -> None:
    sets = opened(tmp_path)
    assert len(sets.train) == 4
    about = sets.train.about
    assert about.points == tuple(POINTS)
    assert about.flip == (0, 2, 1)
    assert about.skeleton == ((0, 1), (0, 2))
    sample = sets.train[0]
    assert sample.name == "0.png, annotation 100"
    assert sample.image_id == 10
    assert sample.image.shape == (32, 24, 3)
    assert sample.visible is not None
    assert sample.visible.tolist() == [2, 1, 0]


def test_points_pixels_and_origin_agree(tmp_path: Path) -> None:
    """The pictures' red is 3 x and their green 4 y, so that pixels of a sample say where they are from."""
    sets = opened(tmp_path, size=(64, 48))
    for sample, given in zip(map(sets.train.__getitem__, range(3)), content()["annotations"], strict=False):
        assert sample.points is not None
        assert sample.visible is not None
        assert sample.origin is not None
        points = np.asarray(given["keypoints"], float).reshape(-1, 3)
        for place, (x, y, seen), visible in zip(sample.points, points, sample.visible, strict=True):
            if not seen:
                assert visible == 0
                assert (place == 0).all()
                continue
            assert visible == seen
            assert np.allclose(sample.origin @ [*place, 1], (x, y), atol=1e-4)
            column, row = np.rint(place).astype(int)
            shown = sample.image[row, column, :2] / (3, 4)
            assert np.abs(shown - sample.origin[:, :2] @ (column, row) - sample.origin[:, 2]).max() < 1


def test_boxes_are_enlarged_to_the_aspect_of_the_input(tmp_path: Path) -> None:
    """Box 20 × 30 at the aspect 24:32 is 22.5 × 30, × 1.25 is 28.125 × 37.5, about the same middle."""
    sample = opened(tmp_path).train[0]
    assert sample.origin is not None
    corners = [sample.origin @ (x, y, 1) + 0.5 for x, y in ((-0.5, -0.5), (23.5, 31.5))]
    assert np.allclose(np.subtract(corners[1], corners[0]), (28.125, 37.5))
    assert np.allclose(np.mean(corners, 0), (30, 25))
    assert sample.unit == pytest.approx(30 * 32 / 37.5)


def test_units(tmp_path: Path) -> None:
    assert opened(tmp_path, unit=3.0).train[0].unit == pytest.approx(3 * 32 / 37.5)
    sets = opened(tmp_path, unit=[1, 2])
    assert len(sets.train) == 3
    assert any("lack a point that 'data.unit' needs" in each for each in sets.remarks)
    with pytest.raises(ValueError, match=r"'data\.unit' names point 3 of 3"):
        opened(tmp_path, unit=[1, 3])


def test_the_edge_is_repeated_beyond_the_picture(tmp_path: Path) -> None:
    sample = opened(tmp_path, size=(40, 40)).train[3]
    assert sample.points is not None
    assert (sample.image[:5] == sample.image[5]).all()
    assert sample.mask is not None
    assert (sample.mask[:5] == UNCOUNTED).all()
    assert (sample.mask[15:25] != UNCOUNTED).any()


def test_regions_are_masks(tmp_path: Path) -> None:
    sets = opened(tmp_path, size=(64, 48))
    sample = sets.train[0]
    assert sets.train.about.classes == ("background", "person")
    assert sample.mask is not None
    assert sample.origin is not None
    y, x = np.mgrid[:64, :48]
    places = np.einsum("ij,jhw->ihw", sample.origin[:, :2], np.stack([x, y])) + sample.origin[:, 2, None, None] + 0.5
    inside = (places[0] > 20) & (places[0] < 40) & (places[1] > 10) & (places[1] < 40)
    assert ((sample.mask == 1) != inside).mean() < 0.02


def test_all_categories_are_classes_of_whole_pictures(tmp_path: Path) -> None:
    sets = opened(tmp_path, size=SIZE, category="all")
    assert len(sets.train) == 3
    assert sets.train.about.classes == ("background", "person", "kite")
    first, last = sets.train[0], sets.train[2]
    assert first.points is None
    assert first.mask is not None
    assert last.mask is not None
    assert np.unique(first.mask[12:38, 22:38]) == [1]
    assert (last.mask[:, 10:30] == 2).all()
    assert (np.delete(last.mask, np.s_[10:30], 1) == 0).all()
    kites = opened(tmp_path, size=SIZE, category="kite")
    assert kites.train.about.classes == ("background", "kite")
    assert np.array_equal(kites.train[2].mask, last.mask // 2)


def test_compressed_runs_are_read_and_crowds_do_not_count(tmp_path: Path) -> None:
    from faster_coco_eval.core import mask

    packed = mask.frPyObjects(runs(10, 30), *SIZE)
    compressed = {"size": list(SIZE), "counts": packed["counts"].decode()}

    def change(written: Content) -> None:
        written["annotations"][4] |= {"segmentation": compressed, "iscrowd": 1}

    sample = opened(tmp_path, change, SIZE, category="all").train[2]
    assert sample.mask is not None
    assert (sample.mask[:, 10:30] == UNCOUNTED).all()


def test_pictures_are_dealt_not_persons(tmp_path: Path) -> None:
    for share in (0.34, 0.6):
        sets = opened(tmp_path, validation=share)
        assert sets.validation is not None
        images = [{part[n].image_id for n in range(len(part))} for part in (sets.train, sets.validation)]
        assert not images[0] & images[1]
        assert len(sets.train) + len(sets.validation) == 4
    with pytest.raises(ValueError, match="leave none to train on"):
        opened(tmp_path, validation=0.5, test=0.5)


def test_further_files(tmp_path: Path) -> None:
    write(tmp_path, content() | {"annotations": content()["annotations"][:2]}, "few.json")
    sets = opened(tmp_path, test=CocoFiles(images="pictures", annotations="few.json"))
    assert sets.test is not None
    assert [len(sets.train), len(sets.test)] == [4, 2]


def test_what_is_left_out_is_told(tmp_path: Path) -> None:
    def change(written: Content) -> None:
        one, two, three, four, _ = written["annotations"]
        one["iscrowd"] = 1
        two["keypoints"] = []
        three["keypoints"][2::3] = [0, 0, 0]
        two["num_keypoints"] = three["num_keypoints"] = 0
        four["keypoints"][:2] = [200, 5]

    sets = opened(tmp_path, change)
    assert len(sets.train) == 1
    told = "\n".join(sets.remarks)
    for part in ("1 crowds", "1 annotations without points", "1 annotations have fewer than 1", "1 points lie beside"):
        assert part in told


def first(**values: Any) -> Callable[[Content], Any]:
    def change(written: Content) -> None:
        written["annotations"][0] |= values

    return change


BROKEN: list[tuple[Callable[[Content], Any], str]] = [
    (first(image_id=99), "annotation 100: is of image 99"),
    (first(category_id=99), "annotation 100: is of category 99"),
    (first(bbox=[1, 2, 0, 5]), "annotation 100: has no bbox"),
    (first(bbox=None), "annotation 100: has no bbox"),
    (first(bbox=[1, 2, float("nan"), 5]), "annotation 100: has no bbox"),
    (first(bbox=[90, 2, 5, 5]), "annotation 100: has a bbox beside its picture"),
    (first(keypoints=[1, 2]), "annotation 100: has 2 numbers in 'keypoints', not 3 for each of the 3"),
    (first(keypoints=[1, 2, 5, 0, 0, 0, 0, 0, 0]), "annotation 100: has a visibility that is not"),
    (first(keypoints=[1, None, 2, 3, 4, 1, 0, 0, 0]), "annotation 100: has a point that is not a number"),
    (first(num_keypoints=3), "annotation 100: says num_keypoints 3, but annotates 2"),
    (first(segmentation=[[1, 2, 3, 4]]), "annotation 100: has a polygon that is not"),
    (first(segmentation={"size": [3, 3], "counts": [9]}), r"annotation 100: has a run-length mask of size \[3, 3\]"),
    (first(segmentation={"size": list(SIZE), "counts": [9]}), "annotation 100: .*counts do not add up"),
    (first(id=101), "annotation 101: is there twice"),
    (first(id=None), "annotation 0 of the list: has no id"),
]


@pytest.mark.parametrize(("change", "fault"), BROKEN)
def test_broken_annotations_are_refused_or_skipped_by_id(
    tmp_path: Path, change: Callable[[Content], Any], fault: str
) -> None:
    with pytest.raises(ValueError, match=rf"all\.json: {fault}(.|\n)*broken: skip"):
        opened(tmp_path, change)
    sets = opened(tmp_path, change, broken="skip")
    assert len(sets.train) == 3
    assert len(sets.remarks) == 1


def test_broken_pictures_are_refused_or_skipped_by_name(tmp_path: Path) -> None:
    opened(tmp_path)
    picture = tmp_path / "pictures" / "1.png"
    whole = picture.read_bytes()
    for damaged, fault in ((b"no picture", "no picture can be read"), (None, "there is no such file")):
        picture.unlink()
        if damaged is not None:
            picture.write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"1\.png: .*{fault}"):
            reopened(tmp_path)
        sets = reopened(tmp_path, broken="skip")
        assert len(sets.train) == 2
    picture.write_bytes(whole[: len(whole) // 2])
    assert len(reopened(tmp_path, broken="skip").train) == 2
    cut = reopened(tmp_path).train
    with pytest.raises(OSError, match=r"1\.png"):
        list(map(cut.__getitem__, range(4)))
    Image.new("RGB", (SIZE[0], SIZE[1])).save(picture)
    with pytest.raises(ValueError, match=r"1\.png: is 80 × 60 .rows × columns., but .*all\.json says 60 × 80"):
        reopened(tmp_path)


def test_pictures_are_turned_as_exif_says(tmp_path: Path) -> None:
    opened(tmp_path)
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = tmp_path / "pictures" / "0.png"
    upright = Image.open(picture)
    upright.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "pictures" / "turned.png", exif=exif)
    plain = reopened(tmp_path).train[0].image
    (tmp_path / "pictures" / "turned.png").rename(picture)
    assert np.array_equal(reopened(tmp_path).train[0].image, plain)


WRONG: list[tuple[Callable[[Content], Any], dict[str, Any], str]] = [
    (lambda written: written.pop("images"), {}, "has no list 'images'"),
    (first(), {"category": "persons"}, "no category is called 'persons'; did you mean 'person'"),
    (lambda written: written["categories"][0].pop("name"), {}, "category 0 of the list"),
    (lambda written: written["categories"][0].update(skeleton=[[0, 1]]), {}, "skeleton that joins points it has not"),
]


@pytest.mark.parametrize(("change", "keys", "fault"), WRONG)
def test_wrong_files_are_refused(
    tmp_path: Path, change: Callable[[Content], Any], keys: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ValueError, match=rf"all\.json: (.*){fault}"):
        opened(tmp_path, change, broken="skip", **keys)


def test_what_is_no_json_is_named(tmp_path: Path) -> None:
    write(tmp_path, content())
    (tmp_path / "all.json").write_text("{")
    with pytest.raises(ValueError, match=r"all\.json: is no JSON"):
        reopened(tmp_path)
    (tmp_path / "all.json").unlink()
    with pytest.raises(OSError, match=r"all\.json"):
        reopened(tmp_path)


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (("nose", "left_eye", "right_eye"), (0, 2, 1)),
        (("r_ankle", "l_ankle", "head"), (1, 0, 2)),
        (("Left Eye", "Right Eye"), (1, 0)),
        (("eye-L", "eye-R"), (1, 0)),
        (("left_eye", "nose"), None),
        (("nose", "chin"), None),
        (("ear_leftmost", "ear_rightmost"), None),
    ],
)
def test_mirror_images_by_name(names: tuple[str, ...], wanted: tuple[int, ...] | None) -> None:
    assert mirror_of(names) == wanted
