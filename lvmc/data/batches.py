"""Batches of a set: for training in an order drawn from (seed, epoch), and for evaluation in the order of the set."""

# torch.from_numpy is not annotated.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, cast, final

import numpy as np
from numpy.typing import NDArray

from lvmc.data.augment import change_images, change_masks, change_numbers, change_points, draw_changes
from lvmc.data.pixels import normalized
from lvmc.data.sample import Sample, SampleSet
from lvmc.graph import InputNode
from lvmc.spec.train import Augment

if TYPE_CHECKING:
    from torch import Tensor, device

_STREAM = 0x6F7264


@dataclass(frozen=True, slots=True)
class Batch:
    """B samples as tensors.

    Attributes:
        images: (B, C, H, W) float32, normalised as the input says.
        index: (B,) int64, numbers of the samples in their set.
        units: (B,) float32, pixels that point errors are measured in.
        points: (B, P, 2) float32, x and y in pixels.
        visible: (B, P) uint8: 0 not annotated, 1 hidden, 2 visible.
        masks: (B, H, W) uint8; 255 does not count.
        labels: (B,) int64.
        superpixels: (B, H, W) int32.
        values: (B, D) float32.
    """

    images: Tensor
    index: Tensor
    units: Tensor
    points: Tensor | None = None
    visible: Tensor | None = None
    masks: Tensor | None = None
    labels: Tensor | None = None
    superpixels: Tensor | None = None
    values: Tensor | None = None

    def to(self, device: device | str) -> Batch:
        """The batch on a device; copies from pinned memory are not waited for."""
        given = {name: value.to(device, non_blocking=True) for name, value in self._tensors()}
        return replace(self, **given)

    def pin_memory(self) -> Batch:
        """The batch in memory that a GPU copies from (what a DataLoader calls)."""
        return replace(self, **{name: value.pin_memory() for name, value in self._tensors()})

    def _tensors(self) -> list[tuple[str, Tensor]]:
        given = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [(name, value) for name, value in given if value is not None]


@dataclass(frozen=True, slots=True)
class Plan:
    """How a set is trained on: `batch` samples at a time over all `world` processes, of which this is number `rank`."""

    batch: int
    seed: int = 0
    augment: Augment | None = None
    workers: int = 0
    rank: int = 0
    world: int = 1
    pin: bool = False


def batches_an_epoch(samples: SampleSet, plan: Plan) -> int:
    """How many batches an epoch has: full ones, or the only one."""
    return max(1, len(samples) // plan.batch)


def batches(samples: SampleSet, block: InputNode, plan: Plan, epoch: int, start: int = 0) -> Iterator[Batch]:
    """The batches of an epoch from number `start`, changed as the plan says.

    The order is a function of (seed, epoch), and what happens to a sample one of (seed, epoch, its number): the
    batches of all ranks together are those of a single process, whatever the workers, and a later start gives the
    later batches of the same epoch. Of each batch, rank r of w has rows r, r + w, …. Samples that fill no batch are
    left out, unless there are no others.

    Raises:
        ValueError: The batch cannot be shared among the ranks; points or values have no mirror images, flipped;
            there are no samples.
    """
    _check(samples, plan)
    order = np.random.default_rng((_STREAM, plan.seed % 2**64, epoch)).permutation(len(samples))
    numbers = range(start, batches_an_epoch(samples, plan))
    rows = [order[each * plan.batch : (each + 1) * plan.batch][plan.rank :: plan.world] for each in numbers]
    return _loaded(_Batches(samples, block, plan.augment, plan.seed, epoch), rows, plan.workers, plan.pin)


def in_order(samples: SampleSet, block: InputNode, batch: int, workers: int = 0, pin: bool = False) -> Iterator[Batch]:
    """All samples of a set in order and as they are, `batch` at a time."""
    numbers = np.arange(len(samples))
    rows = [numbers[first : first + batch] for first in range(0, len(samples), batch)]
    return _loaded(_Batches(samples, block, None, 0, 0), rows, workers, pin)


def _check(samples: SampleSet, plan: Plan) -> None:
    if not len(samples):
        raise ValueError("there are no samples to train on")
    size = min(plan.batch, len(samples))
    if size % plan.world:
        each = f"a batch of {size}" + ("" if size == plan.batch else ", all samples there are,")
        raise ValueError(f"{each} cannot be shared by {plan.world} processes; make train.batch a multiple of it")
    if plan.augment is None or not plan.augment.flip:
        return
    about, first = samples.about, samples[0]
    if first.values is not None and about.signs is None:
        raise ValueError(
            "pictures are mirrored, but nothing says what that does to values; give data.signs, or write "
            "augment: {flip: 0}"
        )
    if first.points is not None and about.flip is None:
        raise ValueError(
            "pictures are mirrored, but nothing says which point is whose mirror image; "
            "give data.flip, or write augment: {flip: 0}"
        )


@final
@dataclass(frozen=True, slots=True)
class _Batches:
    """Batches by the numbers of their samples, as a DataLoader's workers ask for them."""

    samples: SampleSet
    block: InputNode
    augment: Augment | None
    seed: int
    epoch: int

    def __getitem__(self, rows: NDArray[np.int64]) -> Batch:
        found = [self.samples[int(row)] for row in rows]
        if self.augment is None:
            return _as_they_are(found, rows, self.block)
        return _changed(self, self.augment, found, rows)


def _loaded(source: _Batches, rows: Sequence[NDArray[np.int64]], workers: int, pin: bool) -> Iterator[Batch]:
    """The batches of these rows; the loader's own random numbers are kept apart from those of training."""
    import multiprocessing

    import torch
    from torch.utils.data import DataLoader

    methods = multiprocessing.get_all_start_methods()
    # The loader asks the source for lists of rows where its annotations expect single ones.
    loader: Iterable[Batch] = DataLoader(
        cast("Any", source),
        batch_size=None,
        sampler=rows,
        num_workers=workers,
        collate_fn=cast("Any", _same),
        pin_memory=pin and torch.cuda.is_available(),
        multiprocessing_context=("fork" if "fork" in methods else None) if workers else None,
        generator=torch.Generator().manual_seed(source.seed % 2**63),
    )
    return iter(loader)


def _same(batch: Batch) -> Batch:
    return batch


def _as_they_are(samples: list[Sample], rows: NDArray[np.int64], block: InputNode) -> Batch:
    pixels = np.stack([sample.image for sample in samples]).transpose(0, 3, 1, 2).astype(np.float32)
    return _batch(rows, normalized(pixels, block.normalize), _units(samples), _stacked(samples))


def _changed(source: _Batches, augment: Augment, samples: list[Sample], rows: NDArray[np.int64]) -> Batch:
    size, about = source.block.size, source.samples.about
    changes = draw_changes(augment, source.seed, source.epoch, rows, size, len(source.samples))
    donors = [source.samples[int(number)].image for number in changes.donor if number >= 0]
    images = change_images(_scaled([sample.image for sample in samples]), _scaled(donors), changes)
    known = _stacked(samples)
    if "points" in known:
        known["points"], known["visible"] = change_points(known["points"], known["visible"], changes, about.flip, size)
    if "masks" in known:
        known["masks"] = change_masks(known["masks"], changes)
    if "superpixels" in known:
        known["superpixels"] = change_numbers(known["superpixels"], changes)
    if "values" in known and about.signs is not None:
        known["values"] = np.where(changes.mirrored[:, None], np.asarray(about.signs, np.float32), 1) * known["values"]
    values = normalized(images.numpy() * np.float32(255), source.block.normalize)
    return _batch(rows, values, _units(samples) * changes.zoom, known)


def _scaled(images: list[NDArray[np.uint8]]) -> Tensor:
    """(B, C, H, W) in 0 … 1."""
    import torch

    if not images:
        return torch.empty(0)
    stacked = np.stack(images).transpose(0, 3, 1, 2)
    return torch.from_numpy(np.multiply(stacked, np.float32(1 / 255), dtype=np.float32, order="C"))


def _units(samples: list[Sample]) -> NDArray[np.float64]:
    return np.asarray([sample.unit for sample in samples], np.float64)


def _stacked(samples: list[Sample]) -> dict[str, NDArray[Any]]:
    """What the samples have besides pictures, by field of `Batch`."""
    first = samples[0]
    found: dict[str, NDArray[Any]] = {}
    if first.points is not None:
        found["points"] = np.stack([_given(sample.points, sample) for sample in samples])
        shape = first.points.shape[:1]
        seen = [np.full(shape, 2, np.uint8) if each.visible is None else each.visible for each in samples]
        found["visible"] = np.stack(seen)
    if first.mask is not None:
        found["masks"] = np.stack([_given(sample.mask, sample) for sample in samples])
    if first.label is not None:
        found["labels"] = np.asarray([sample.label for sample in samples], np.int64)
    if first.superpixels is not None:
        found["superpixels"] = np.stack([_given(sample.superpixels, sample) for sample in samples])
    if first.values is not None:
        found["values"] = np.stack([_given(sample.values, sample) for sample in samples])
    return found


def _given(value: NDArray[Any] | None, sample: Sample) -> NDArray[Any]:
    if value is None:
        raise ValueError(f"{sample.name} lacks what other samples of its set have")
    return value


def _batch(
    rows: NDArray[np.int64], values: NDArray[np.float32], units: NDArray[np.float64], known: dict[str, NDArray[Any]]
) -> Batch:
    import torch

    return Batch(
        images=torch.from_numpy(np.ascontiguousarray(values)),
        index=torch.from_numpy(np.asarray(rows, np.int64)),
        units=torch.from_numpy(units.astype(np.float32)),
        **{name: torch.from_numpy(value) for name, value in known.items()},
    )
