"""Sums over groups of the largest product of a filter tap and a source: one message of the group-max certificate."""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from lvmc.diagnostics.dominance.links import Alike, Index, Slot
from lvmc.ir import Size

if TYPE_CHECKING:
    from torch import Tensor

CHUNK = 64_000
"""Numbers that one maximum over a group works on at once: what a cache holds."""


class Grouped(NamedTuple):
    """A message from sources in groups, along both axes.

    `taps` (target channels, source channels, h, w) ≥ 0; `channels`: consecutive source channels of a group; `within`:
    targets and sources are one layer's units, and a unit's own group is left out.
    """

    taps: Tensor
    rows: tuple[Alike, ...]
    columns: tuple[Alike, ...]
    channels: int
    size: Size
    within: bool = False


def grouped_sum(message: Grouped, v: Tensor) -> Tensor:
    """Σ_h max_{j ∈ h} C_ij v_j of every target: v (source channels, H, W) ≥ 0 → (target channels, *size)."""
    out = v.new_zeros(message.taps.shape[0], *message.size)
    for rows, columns in product(message.rows, message.columns):
        part = v.new_zeros(message.taps.shape[0], len(rows.targets), len(columns.targets))
        for down, across in product(rows.slots, columns.slots):
            part += _slot_sum(message, v, down, across)
        out[:, rows.targets[:, None], columns.targets[None, :]] = part
    return out


def _slot_sum(message: Grouped, v: Tensor, down: Slot, across: Slot) -> Tensor:
    """What one group, the same relative to every target of a class, gives."""
    sources = [_largest(v, rows, columns) for rows, columns in product(down.sources, across.sources)]
    taps = [message.taps[:, :, i, j] for i, j in product(down.taps, across.taps)]
    if message.within and down.own and across.own:
        taps = [_without_own(each, message.channels) for each in taps]
    if len(taps) == 1 and message.channels == 1:
        return (taps[0] @ sources[0].flatten(1)).view(-1, *sources[0].shape[1:])
    return _sum_of_maxima(taps, sources, message.channels)


def _largest(v: Tensor, rows: Index, columns: Index) -> Tensor:
    """The largest of a group's units that share a tap: (channels, targets down, targets across)."""
    gathered = [v[:, down][:, :, across] for down, across in product(rows, columns)]
    largest = gathered[0]
    for each in gathered[1:]:
        largest = largest.maximum(each)
    return largest


def _without_own(taps: Tensor, channels: int) -> Tensor:
    from torch import arange

    target, source = (arange(count) // channels for count in taps.shape)
    return taps * (target[:, None] != source[None, :])


def _sum_of_maxima(taps: list[Tensor], sources: list[Tensor], channels: int) -> Tensor:
    """Σ over channel groups of the max over members and taps of taps · sources, some groups at a time."""
    from torch import maximum, mul

    (targets, many), size = taps[0].shape, sources[0].shape[1:]
    places = prod(size)
    tall = targets > places  # the longer of the two runs innermost
    left = [_by_groups(each.T, channels) for each in taps]
    right = [_by_groups(each.reshape(many, places), channels) for each in sources]
    pairs = [
        (w[:, member, None, :], v[:, member, :, None]) if tall else (w[:, member, :, None], v[:, member, None, :])
        for w, v in zip(left, right, strict=True)
        for member in range(channels)
    ]
    out = sources[0].new_zeros((places, targets) if tall else (targets, places))
    step = max(1, CHUNK // (targets * places))
    for start in range(0, many // channels, step):
        here = slice(start, start + step)
        largest = pairs[0][0][here] * pairs[0][1][here]
        term = largest.clone()
        for weight, source in pairs[1:]:
            maximum(largest, mul(weight[here], source[here], out=term), out=largest)
        out += largest.sum(0)
    return (out.T if tall else out).reshape(targets, *size)


def _by_groups(each: Tensor, channels: int) -> Tensor:
    return each.contiguous().view(-1, channels, each.shape[1])
