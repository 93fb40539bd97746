"""Two units that excite each other by more than they decay: w_ij > √(d_i d_j) outside a group refutes at once.

z = e_i/√d_i + e_j/√d_j has zᵀAz/zᵀDz = 1 − w_ij/√(d_i d_j), less half of what filters that go around a small circular
plane give a unit from itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from math import inf
from typing import NamedTuple

import numpy as np

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.dominance.links import Link, axis_of, links_up
from lvmc.diagnostics.dominance.rounding import gamma
from lvmc.graph.form import Array, Edge, Form, Side
from lvmc.verdicts import Witness

Position = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class _Pair:
    """Units (layer, channel, row, column), one or two, and their w_ij/√(d_i d_j), of magnitude `size` tap by tap."""

    gain: float
    size: float
    taps: int
    first: Position
    second: Position
    opposed: bool = False


class _Meeting(NamedTuple):
    """How two positions of an axis meet: by which taps, in one group's window or not, and whether they are one."""

    taps: tuple[int, ...]
    own: bool
    same: bool


Met = Mapping[_Meeting, Link]


def pairs(form: Form, budget: Budget | None = None) -> Bound:
    """The largest coupling of two units of the cone, over all that exist at this size; taps that fold add up.

    Returns:
        `upper`, attained by the witness of those two units; it refutes where it is below 0. Exact but for rounding.
    """
    budget = budget or Budget()
    selves = {block.name: np.zeros(block.channels) for block in form.blocks}
    for side in form.sides:
        selves[side.layer] = selves[side.layer] + _self_gain(form, side)
    found = [_alone(name, gains) for name, gains in selves.items()]
    found += [pair for edge in form.edges for pair in _across(form, edge, selves)]
    found += [pair for side in form.sides for pair in _within(form, side, selves)]
    if not found:
        return Bound("pairs", -inf, inf, seconds=budget.spent)
    witness = _witness(form, max(found, key=_gain))
    return Bound("pairs", -inf, witness.value + witness.error, None, witness, budget.spent)


def _gain(pair: _Pair) -> float:
    return pair.gain


def _met(links: list[Link], window: int = 0) -> Met:
    """One link of every way to meet along an axis; positions in one `window` (0: none) are each other's own."""
    taps, first = dict[tuple[int, int], list[int]](), dict[tuple[int, int], Link]()
    for link in links:
        taps.setdefault((link.target, link.source), []).append(link.tap)
        first.setdefault((link.target, link.source), link)
    ways = dict[_Meeting, Link]()
    for (target, source), link in first.items():
        own = window > 0 and target // window == source // window
        ways.setdefault(_Meeting(tuple(taps[target, source]), own, target == source), link)
    return ways


def _alone(layer: str, gains: Array) -> _Pair:
    channel = int(gains.argmax())
    unit = (layer, channel, 0, 0)
    return _Pair(float(gains[channel]), abs(float(gains[channel])), 4, unit, unit)


def _side_meetings(form: Form, side: Side) -> tuple[Met, Met]:
    block = form.block[side.layer]
    window = block.group.window if block.group else (1, 1)
    axes = [axis_of(a, side.filter.shape, side.geometry, (block.size[a], block.size[a])) for a in (0, 1)]
    return _met(links_up(axes[0], 1), window[0]), _met(links_up(axes[1], 1), window[1])


def _self_gain(form: Form, side: Side) -> Array:
    """C_ii/d_i of every channel: of taps that go all the way around; 0 but on small circular planes."""
    rows, columns = _side_meetings(form, side)
    total = np.zeros(len(side.filter))
    for down, across in product(rows, columns):
        if down.same and across.same:
            total = np.diagonal(_summed(side.filter, down, across)) / form.block[side.layer].diagonal
    return total


def _across(form: Form, edge: Edge, selves: Mapping[str, Array]) -> list[_Pair]:
    upper, lower = form.block[edge.upper], form.block[edge.lower]
    sizes = zip(lower.size, upper.size, edge.replicate, strict=True)
    axes = [axis_of(a, edge.filter.shape, edge.geometry, (b, u), r) for a, (b, u, r) in enumerate(sizes)]
    rows, columns = _met(links_up(axes[0], 1)), _met(links_up(axes[1], 1))
    own, names = 0.5 * (selves[edge.upper][:, None] + selves[edge.lower][None, :]), (edge.upper, edge.lower)
    return [
        _largest(form, names, edge.filter, _Meetings(down, across, rows[down], columns[across]), own)
        for down, across in product(rows, columns)
    ]


def _within(form: Form, side: Side, selves: Mapping[str, Array]) -> list[_Pair]:
    block, (rows, columns) = form.block[side.layer], _side_meetings(form, side)
    own, found = 0.5 * (selves[side.layer][:, None] + selves[side.layer][None, :]), list[_Pair]()
    member = np.arange(block.channels) // (block.group.channels if block.group else 1)
    for down, across in product(rows, columns):
        apart = member[:, None] != member[None, :]
        allowed = apart if down.own and across.own else np.ones_like(apart)
        if allowed.any():
            where = _Meetings(down, across, rows[down], columns[across])
            names = (side.layer, side.layer)
            found.append(_largest(form, names, side.filter, where, np.where(allowed, own, -inf)))
    return found


def _summed(taps: Array, down: _Meeting, across: _Meeting) -> Array:
    return sum((taps[:, :, i, j] for i, j in product(down.taps, across.taps)), np.zeros(taps.shape[:2]))


class _Meetings(NamedTuple):
    """A way to meet along both axes, with a pair of positions that does."""

    down: _Meeting
    across: _Meeting
    row: Link
    column: Link


def _largest(form: Form, names: tuple[str, str], taps: Array, where: _Meetings, own: Array) -> _Pair:
    """The two channels that excite each other most at one pair of positions; `own` is added, −∞ where barred."""
    above, below = form.block[names[0]], form.block[names[1]]
    roots = np.sqrt(above.diagonal[:, None] * below.diagonal[None, :])
    ratio, signed = _summed(taps, where.down, where.across) / roots, above.signed or below.signed
    gains = (np.abs(ratio) if signed else ratio) + own
    upper, lower = divmod(int(gains.argmax()), gains.shape[1])
    sizes = [abs(float(taps[upper, lower, i, j])) for i, j in product(where.down.taps, where.across.taps)]
    size = sum(sizes) / float(roots[upper, lower]) + abs(float(own[upper, lower]))
    first = (names[0], upper, where.row.target, where.column.target)
    second = (names[1], lower, where.row.source, where.column.source)
    opposed = signed and bool(ratio[upper, lower] < 0)
    return _Pair(float(gains[upper, lower]), size, len(sizes), first, second, opposed)


def _witness(form: Form, pair: _Pair) -> Witness:
    arrays = {block.name: np.zeros((block.channels, *block.size)) for block in form.blocks}
    for layer, *place in (pair.first, pair.second):
        arrays[layer][tuple(place)] = form.block[layer].diagonal[place[0]] ** -0.5
    if pair.opposed:
        layer, *place = pair.first if form.block[pair.first[0]].signed else pair.second
        arrays[layer][tuple(place)] *= -1
    error = gamma(pair.taps + 16) * (1 + pair.size)
    return Witness("copositive", arrays, 1 - pair.gain, 2 * error)
