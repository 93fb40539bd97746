"""Folders of pictures and masks as sets, and what does not belong together named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from lvmc.data.sample import Splits
from lvmc.data.sources import open_data
from lvmc.spec.data import Masks
from tests.data.sets import block

SIZE = (12, 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pictures, one of them in a folder below; masks with a palette."""
    for name in ("a", "b", "c", "d", "e", "deep/f"):
        for kind in ("pictures", "classes"):
            (tmp_path / kind / name).parent.mkdir(parents=True, exist_ok=True)
        random = np.random.default_rng(ord(name[-1]))
        Image.fromarray(random.integers(0, 256, (*SIZE, 3), dtype=np.uint8)).save(tmp_path / "pictures" / f"{name}.bmp")
        mask = Image.fromarray(random.choice(np.asarray([0, 1, 2, 255], np.uint8), SIZE))
        mask.putpalette(list(random.integers(0, 256, 768)))
        mask.save(tmp_path / "classes" / f"{name}.png")
    return tmp_path


def opened(folder: Path, size: tuple[int, int] = SIZE, **keys: Any) -> Splits:
    record = Masks(kind="masks", images="pictures", masks="classes", **{"validation": 0.0} | keys)
    return open_data(record, block(3, *size), folder)


def test_samples_are_pictures_with_the_indices_of_their_masks(folder: Path) -> None:
    sets = opened(folder)
    assert [sets.train[number].name for number in range(6)] == [
        "a.bmp",
        "b.bmp",
        "c.bmp",
        "d.bmp",
        "deep/f.bmp",
        "e.bmp",
    ]
    random = np.random.default_rng(ord("f"))
    assert np.array_equal(sets.train[4].image, random.integers(0, 256, (*SIZE, 3), dtype=np.uint8))
    assert np.array_equal(sets.train[4].mask, random.choice(np.asarray([0, 1, 2, 255], np.uint8), SIZE))


def test_masks_are_stretched_to_the_nearest(folder: Path) -> None:
    large, given = opened(folder, (24, 60)).train[0], opened(folder).train[0]
    assert given.mask is not None
    assert np.array_equal(large.mask, given.mask.repeat(2, 0).repeat(3, 1))
    assert large.image.shape == (24, 60, 3)


def test_shares_and_lists(folder: Path) -> None:
    sets = opened(folder, validation=0.34, test=0.17)
    assert sets.validation is not None
    assert sets.test is not None
    parts = [{part[n].name for n in range(len(part))} for part in (sets.train, sets.validation, sets.test)]
    assert [len(each) for each in parts] == [3, 2, 1]
    assert len(set.union(*parts)) == 6
    (folder / "chosen.txt").write_text("e\ndeep/f.bmp\n\n")
    sets = opened(folder, validation="chosen.txt", test=0.25)
    assert sets.validation is not None
    assert sets.test is not None
    assert {sets.validation[n].name for n in range(2)} == {"e.bmp", "deep/f.bmp"}
    assert [len(sets.train), len(sets.test)] == [3, 1]


def test_lists_that_do_not_fit_are_refused(folder: Path) -> None:
    (folder / "wrong.txt").write_text("a\naa\n")
    with pytest.raises(ValueError, match=r"wrong\.txt:2: there is no picture 'aa'"):
        opened(folder, test="wrong.txt")
    (folder / "one.txt").write_text("a\n")
    with pytest.raises(ValueError, match=r"a\.bmp is listed twice"):
        opened(folder, test="one.txt", validation="one.txt")
    with pytest.raises(OSError, match=r"none\.txt"):
        opened(folder, test="none.txt")


def lose_mask(folder: Path) -> None:
    (folder / "classes" / "b.png").unlink()


def colour_mask(folder: Path) -> None:
    Image.new("RGB", (SIZE[1], SIZE[0])).save(folder / "classes" / "b.png")


def shrink_mask(folder: Path) -> None:
    Image.new("L", (SIZE[1], 7)).save(folder / "classes" / "b.png")


def deepen_mask(folder: Path) -> None:
    Image.fromarray(np.full(SIZE, 900, np.uint16)).save(folder / "classes" / "b.png")


def cut_picture(folder: Path) -> None:
    file = folder / "pictures" / "b.bmp"
    file.write_bytes(file.read_bytes()[:300])


def add_mask(folder: Path) -> None:
    Image.new("L", (3, 3)).save(folder / "classes" / "z.png")


def add_picture(folder: Path) -> None:
    (folder / "pictures" / "b.jpg").write_bytes((folder / "pictures" / "b.bmp").read_bytes())


@pytest.mark.parametrize(
    ("damage", "fault", "late", "left"),
    [
        (lose_mask, r"b\.bmp: cannot be used with its mask: .*b\.png: there is no such file", False, 5),
        (shrink_mask, r"b\.png: picture and mask differ in size: 12 × 20 but 7 × 20", False, 5),
        (add_mask, r"z\.png: is the mask of no picture", False, 6),
        (add_picture, r"b\.jpg: has the same mask as b\.bmp", False, 6),
        (colour_mask, r"b\.png: is RGB, not indices", True, 5),
        (deepen_mask, r"b\.png: is I;16, not indices", True, 5),
        (cut_picture, r"b\.bmp", True, 5),
    ],
)
def test_what_does_not_belong_together_is_refused_or_skipped(
    folder: Path, damage: Any, fault: str, late: bool, left: int
) -> None:
    """What only shows when a file is read whole is said then, or at once where such files are to be skipped."""
    damage(folder)
    sets = opened(folder) if late else None
    with pytest.raises((ValueError, OSError), match=fault):
        opened(folder) if sets is None else list(map(sets.train.__getitem__, range(6)))
    sets = opened(folder, broken="skip")
    assert len(sets.train) == left
    assert len(sets.remarks) == 1
    assert sets.remarks[0].endswith("; skipped")
    list(map(sets.train.__getitem__, range(left)))


def test_folders_that_are_none_are_named(folder: Path) -> None:
    with pytest.raises(OSError, match="labels: is no folder"):
        open_data(Masks(kind="masks", images="pictures", masks="labels"), block(3, *SIZE), folder)
    (folder / "empty").mkdir()
    with pytest.raises(ValueError, match="empty: there are no pictures"):
        open_data(Masks(kind="masks", images="empty", masks="empty"), block(3, *SIZE), folder)
