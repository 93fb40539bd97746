"""A set whose samples are made once: they are kept in memory, which worker processes share."""

from __future__ import annotations

from mmap import mmap
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from lvmc.data.sample import About, Sample, SampleSet

MOST = 2**30
"""Bytes of a set that are kept; samples beyond are made each time they are asked for."""

_NAME = 300
_FIELDS = ("image", "points", "points3d", "visible", "mask", "superpixels", "values", "origin")
_NUMBERS = ("label", "image_id")


@final
class Kept:
    """The samples of a set, each made when it is first asked for.

    They lie in memory that processes forked later share, so that what one of them reads, all have. Samples of a set
    are alike: which fields they have, and their shapes, are those of the first. `most` bytes are kept.
    """

    def __init__(self, samples: SampleSet, most: int = MOST) -> None:
        self._samples = samples
        self._most = most
        kind = _record(samples[0])
        count = min(len(samples), most // kind.itemsize)
        self._records = np.frombuffer(mmap(-1, max(1, count * kind.itemsize)), kind, count)

    @property
    def about(self) -> About:
        """What its samples have in common."""
        return self._samples.about

    def __len__(self) -> int:
        return len(self._samples)

    def __getitem__(self, index: int) -> Sample:
        if not 0 <= index < len(self._records):
            return self._samples[index]
        record = self._records[index]
        if record["kept"]:
            return _sample(record)
        made = self._samples[index]
        _keep(record, made)
        return made

    def __reduce__(self) -> tuple[type[Kept], tuple[SampleSet, int]]:
        return Kept, (self._samples, self._most)


def _record(sample: Sample) -> np.dtype[np.void]:
    given = [(name, getattr(sample, name)) for name in _FIELDS]
    arrays: list[Any] = [(name, value.dtype, value.shape) for name, value in given if value is not None]
    whole: list[Any] = [(name, np.int64) for name in _NUMBERS if getattr(sample, name) is not None]
    return np.dtype([("kept", np.bool_), ("name", f"S{_NAME}"), ("unit", np.float64), *whole, *arrays])


def _keep(record: np.void, sample: Sample) -> None:
    name = sample.name.encode()
    if len(name) > _NAME:
        return
    for field in record.dtype.names or ():
        if field not in ("kept", "name"):
            record[field] = getattr(sample, field)
    record["name"] = name
    record["kept"] = True


def _sample(record: np.void) -> Sample:
    fields = record.dtype.names or ()
    arrays: dict[str, NDArray[Any]] = {name: record[name] for name in _FIELDS if name in fields}
    label, image_id = (int(record[name]) if name in fields else None for name in _NUMBERS)
    return Sample(record["name"].decode(), unit=float(record["unit"]), label=label, image_id=image_id, **arrays)
