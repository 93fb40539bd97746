"""Batches: the same samples for any number of workers, ranks and starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pytest
import torch

from lvmc.data.batches import Batch, Plan, batches, batches_an_epoch, in_order
from lvmc.data.kept import Kept
from lvmc.graph import InputNode
from lvmc.spec import Normalize
from lvmc.spec.train import Augment
from tests.data.sets import Noise

BLOCK = InputNode("image", 3, (12, 16), Normalize(mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4)))
PLAN = Plan(batch=4, seed=3, augment=Augment(rotate=30.0, occlude=0.5, saturation=0.2))
FIELDS = (
    "images", "index", "units", "points", "points3d", "visible", "masks", "labels", "superpixels", "values",
)  # fmt: skip


def same(first: Iterable[Batch], second: Iterable[Batch]) -> bool:
    pairs = list(zip(first, second, strict=True))
    return bool(pairs) and all(
        torch.equal(getattr(one, name), getattr(two, name)) for one, two in pairs for name in FIELDS
    )


def test_two_ranks_have_the_joint_batch_exactly() -> None:
    for joint, *parts in zip(
        batches(Noise(18), BLOCK, PLAN, 1),
        *(batches(Noise(18), BLOCK, replace(PLAN, rank=rank, world=2), 1) for rank in (0, 1)),
        strict=True,
    ):
        for rank, part in enumerate(parts):
            assert all(torch.equal(getattr(joint, name)[rank::2], getattr(part, name)) for name in FIELDS)


def test_workers_change_nothing() -> None:
    assert same(batches(Noise(18), BLOCK, PLAN, 1), batches(Noise(18), BLOCK, replace(PLAN, workers=2), 1))
    assert same(in_order(Noise(9), BLOCK, 4), in_order(Noise(9), BLOCK, 4, workers=2))


def test_a_later_start_gives_the_later_batches() -> None:
    assert same(list(batches(Noise(18), BLOCK, PLAN, 1))[2:], batches(Noise(18), BLOCK, PLAN, 1, start=2))


def test_epochs_and_seeds_differ_and_each_shows_a_sample_once() -> None:
    def order(plan: Plan, epoch: int) -> list[int]:
        return [int(each) for batch in batches(Noise(18), BLOCK, plan, epoch) for each in batch.index]

    first = order(PLAN, 0)
    assert len(set(first)) == len(first) == 16
    assert first == order(PLAN, 0)
    assert first != order(PLAN, 1)
    assert first != order(replace(PLAN, seed=4), 0)


def test_the_last_batch_is_dropped_only_if_there_is_a_full_one() -> None:
    assert [len(each.index) for each in batches(Noise(7), BLOCK, PLAN, 0)] == [4]
    assert [len(each.index) for each in batches(Noise(3), BLOCK, PLAN, 0)] == [3]
    assert [len(each.index) for each in in_order(Noise(7), BLOCK, 4)] == [4, 3]
    assert batches_an_epoch(Noise(7), PLAN) == batches_an_epoch(Noise(3), PLAN) == 1


def test_without_augmentation_batches_are_the_samples() -> None:
    (batch,) = in_order(Noise(5), BLOCK, 8)
    assert batch.index.tolist() == list(range(5))
    assert batch.labels is not None
    assert batch.labels.tolist() == [0, 1, 2, 0, 1]
    assert batch.units.tolist() == [1, 2, 3, 4, 5]
    for number, sample in enumerate(map(Noise(5).__getitem__, range(5))):
        pixels = (sample.image / 255 - (0.4, 0.5, 0.6)) / (0.2, 0.3, 0.4)
        assert np.abs(batch.images[number].numpy() - pixels.transpose(2, 0, 1)).max() < 1e-5
        for name, given in (("points", sample.points), ("visible", sample.visible), ("masks", sample.mask)):
            assert np.array_equal(getattr(batch, name)[number].numpy(), given)


def test_units_are_zoomed() -> None:
    plan = replace(PLAN, augment=Augment(scale=0.5))
    ratios = [(each.units / (each.index + 1)).numpy() for each in batches(Noise(40), BLOCK, plan, 0)]
    assert np.ptp(ratios) > 0.3
    assert 1 / 1.5 <= np.min(ratios) <= np.max(ratios) <= 1.5


def test_values_of_mirrored_pictures_have_their_signs() -> None:
    """The first value changes its sign in just the mirrored pictures, about half; the second never does."""
    plain = replace(PLAN, augment=Augment(flip=0.5, rotate=0, scale=0, shift=0, brightness=0, contrast=0))
    mirrored = 0
    for batch in batches(Noise(40), BLOCK, plain, 0):
        assert batch.values is not None
        for number, values, image in zip(batch.index.tolist(), batch.values.tolist(), batch.images, strict=True):
            (whole,) = in_order(Noise(number + 1), BLOCK, number + 1)
            turned = not torch.allclose(image, whole.images[number], atol=1e-4)
            assert values == [(-1 if turned else 1) * (number + 1), 10 * (number + 1)]
            mirrored += turned
    assert 8 < mirrored < 32
    off = replace(PLAN, augment=Augment(flip=0))
    assert next(iter(batches(Noise(8, signs=None), BLOCK, off, 0))).values is not None


def test_kept_samples_are_the_same() -> None:
    assert same(batches(Noise(18), BLOCK, PLAN, 1), batches(Kept(Noise(18)), BLOCK, PLAN, 1))


def test_the_random_numbers_of_training_are_left_alone() -> None:
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    list(batches(Noise(8), BLOCK, PLAN, 0))
    assert torch.equal(before, torch.random.get_rng_state())


@pytest.mark.parametrize(
    ("samples", "plan", "fault"),
    [
        (Noise(8), replace(PLAN, world=3), "a batch of 4 cannot be shared by 3 processes"),
        (Noise(3), replace(PLAN, world=2), "a batch of 3, all samples there are, cannot be shared"),
        (Noise(8, signs=None), PLAN, "what that does to values; give data.signs"),
        (Noise(8, flip=None), PLAN, "which point is whose mirror image"),
        (Noise(0), PLAN, "no samples"),
    ],
)
def test_what_cannot_be_trained_on_is_said(samples: Noise, plan: Plan, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        batches(samples, BLOCK, plan, 0)


def test_a_batch_moves_as_a_whole() -> None:
    (batch,) = in_order(Noise(2), BLOCK, 2)
    moved = batch.to("cpu")
    assert same([batch], [moved])
