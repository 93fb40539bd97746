"""Kept samples are made once, and are those that were made, also in processes that fork."""

from __future__ import annotations

import pickle
from dataclasses import dataclass, field, fields, replace

import numpy as np
import pytest

from lvmc.data.batches import in_order
from lvmc.data.kept import Kept
from lvmc.data.sample import Sample
from tests.data.sets import Noise, block


@dataclass(frozen=True)
class Counted(Noise):
    """Noise that notes which samples were made."""

    made: list[int] = field(default_factory=list[int])

    def __getitem__(self, index: int) -> Sample:
        self.made.append(index)
        return replace(super().__getitem__(index), image_id=index * 7, origin=np.eye(2, 3) * index)


def equal(first: Sample, second: Sample) -> bool:
    pairs = [(getattr(first, each.name), getattr(second, each.name)) for each in fields(Sample)]
    return all(type(one) is type(two) and np.array_equal(one, two) for one, two in pairs)


@pytest.mark.parametrize("most", [2**20, 3000, 0])
def test_samples_come_back_as_they_were(most: int) -> None:
    samples = Counted(6)
    kept = Kept(samples, most)
    for number in (4, 1, 4, 5, 1):
        assert equal(kept[number], Counted(6)[number])
    assert len(kept) == 6
    assert samples.made.count(4) == (1 if most == 2**20 else 2)


def test_a_copy_for_another_process_gives_the_same() -> None:
    assert equal(pickle.loads(pickle.dumps(Kept(Noise(3))))[2], Noise(3)[2])


def test_workers_keep_for_all() -> None:
    samples = Counted(6)
    kept = Kept(samples)
    list(in_order(kept, block(3, 12, 16), 2, workers=2))
    samples.made.clear()
    assert equal(kept[5], Counted(6)[5])
    assert samples.made == []


def test_a_name_too_long_is_not_cut() -> None:
    @dataclass(frozen=True)
    class Long(Noise):
        def __getitem__(self, index: int) -> Sample:
            return replace(super().__getitem__(index), name="é" * 200)

    kept = Kept(Long(2))
    assert [kept[1].name, kept[1].name] == ["é" * 200] * 2
