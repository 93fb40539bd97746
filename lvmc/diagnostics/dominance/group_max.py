"""The group-max certificate: v > 0 with T(v) ≤ θDv, where T takes of every group its largest message only.

    T(v)_i = Σ_h max_{j ∈ h} C₊_ij v_j      (groups h; a unit without one is its own; i's own group is left out)

Of a state of the cone at most one unit a group is nonzero. On such a support σ, C₊_σσ v_σ ≤ T(v)_σ ≤ θ D v_σ, and
dominance proves zᵀAz ≥ (1 − θ) zᵀDz. Any v certifies; T is monotone and homogeneous, so power steps find a good one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.dominance.dominance import Weighing, majorant, scaled_back, started
from lvmc.diagnostics.dominance.links import Alike, Axis, alike, axis_of, links_down, links_up, links_within
from lvmc.diagnostics.dominance.maxima import Grouped, grouped_sum
from lvmc.diagnostics.dominance.perron import layers_of
from lvmc.diagnostics.dominance.rounding import fan_in, margin, raised
from lvmc.diagnostics.dominance.torus import torus_of
from lvmc.diagnostics.field import Field, Precision
from lvmc.graph.form import Array, Edge, Form, Side
from lvmc.ir import Geometry, Group, Size
from lvmc.verdicts import Certificate

if TYPE_CHECKING:
    from torch import Tensor

Message = Callable[["Tensor"], "Tensor"]

SINGLE = Group(1, 1, 1)
EXACT_UNITS = 30_000
"""Up to so many units v is sought in float64."""
SECONDS_A_UNIT = 4e-6
"""What a step and the final product take at the least, of a large net."""
SPAN, LITTLE, NOTHING = 10, 5e-3, 1e-6
"""The search for v ends where so many steps lower θ by no more than these parts of it."""


def group_max(
    form: Form,
    torus: bool = False,
    budget: Budget | None = None,
    start: Mapping[str, Array] | None = None,
    steps: int = 200,
) -> Bound:
    """The best group-max certificate that the time and `steps` products allow.

    Args:
        form: The net.
        torus: On a torus whose planes are multiples of the groups' windows: for every image size.
        budget: Time for it.
        start: A v to begin with, on the form's planes or on a torus of theirs.
        steps: Most products in search of v.

    Returns:
        `lower` with its certificate (kind "dominance"; facts as `dominance` gives them, `groups` 1). Where a torus is
        asked for and there is none, nothing but the remark.
    """
    budget = budget or Budget()
    stage = "group dominance at every size" if torus else "group dominance at this size"
    spoken = torus_of(form, groups=True) if torus else None
    if spoken is not None and spoken.form is None:
        return Bound(stage, -inf, inf, remark=spoken.remark, seconds=budget.spent)
    checked = form if spoken is None or spoken.form is None else spoken.form
    if checked.units > EXACT_UNITS and budget.left < checked.units * SECONDS_A_UNIT:
        return Bound(stage, -inf, inf, remark="too little time was left for it", seconds=budget.spent)
    if start is None and not torus and form.units > EXACT_UNITS:
        proof = group_max(form, True, budget.part(0.3)).certificate
        start = None if proof is None else proof.arrays
    found = weigh_groups(checked, _searched(checked, start, steps, budget))
    remark = spoken.remark if spoken else ""
    facts: dict[str, float | int | str] = {"part": "positive", "torus": int(torus), "groups": 1}
    facts |= {"every_size": int(torus and not remark)}
    proof = Certificate("strict", "dominance", margin(found.ratio), found.vector, facts)
    return Bound(stage, proof.margin, inf, proof, None, budget.spent, remark)


def weigh_groups(form: Form, vector: Mapping[str, Array]) -> Weighing:
    """What v > 0 proves on this form with its groups: one T(v) in float64."""
    from torch import as_tensor

    image = GroupField(majorant(form))({name: as_tensor(each[None]) for name, each in vector.items()})
    terms, ratios = fan_in(form), dict[str, float]()
    for block in form.blocks:
        ratio = image[block.name][0].numpy() / (block.diagonal[:, None, None] * vector[block.name])
        ratios[block.name] = raised(float(ratio.max()), terms[block.name])
    return Weighing(dict(vector), ratios)


class GroupField:
    """T of a form with C ≥ 0, on layers (1, channels, height, width).

    Where circular planes are smaller than a filter, taps around the plane count as groups of their own: an upper bound
    on T there, and T itself on the lattice that the plane stands for.
    """

    def __init__(self, form: Form, precision: Precision = "float64") -> None:
        self.form, self._field = form, Field(form, precision)
        self._messages = list[tuple[str, str, Message]]()
        for edge in form.edges:
            self._messages.append((edge.upper, edge.lower, self._up(edge)))
            self._messages.append((edge.lower, edge.upper, self._down(edge)))
        self._messages += [(side.layer, side.layer, self._within(side)) for side in form.sides]

    def __call__(self, v: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """T(v), every layer."""
        out = self._field.zeros()
        for target, source, message in self._messages:
            out[target] += message(v[source])
        return out

    def _up(self, edge: Edge) -> Message:
        upper, lower = self.form.block[edge.upper], self.form.block[edge.lower]
        group, window = lower.group or SINGLE, edge.replicate
        axes = _axes(edge.filter, edge.geometry, lower.size, upper.size, window)
        tables = [alike(links_up(axis, group.window[number])) for number, axis in enumerate(axes)]
        whole = all(g % r == 0 or r % g == 0 for g, r in zip(group.window, window, strict=True))
        if group.channels == 1 and whole and all(_apart(table) for table in tables):
            block = (min(group.height, window[0]), min(group.width, window[1]))
            return partial(self._summed_up, edge, block)
        return self._grouped(edge.filter, tables, group, upper.size)

    def _summed_up(self, edge: Edge, block: Size, v: Tensor) -> Tensor:
        return self._field.up(edge, _only_largest(v, block))

    def _down(self, edge: Edge) -> Message:
        upper, lower = self.form.block[edge.upper], self.form.block[edge.lower]
        group, (rows, columns) = upper.group or SINGLE, edge.replicate
        axes = _axes(edge.filter, edge.geometry, lower.size, upper.size, edge.replicate)
        tables = [alike(links_down(axis, group.window[number])) for number, axis in enumerate(axes)]
        if group.channels == 1 and all(_apart(table) for table in tables):
            return partial(self._field.down, edge)
        pooled = (lower.size[0] // rows, lower.size[1] // columns)
        inner = self._grouped(edge.filter.swapaxes(0, 1), tables, group, pooled)
        return partial(_repeated, inner, edge.replicate)

    def _within(self, side: Side) -> Message:
        block = self.form.block[side.layer]
        group = block.group or SINGLE
        axes = _axes(side.filter, side.geometry, block.size, block.size, (1, 1))
        tables = [alike(links_within(axis, group.window[number])) for number, axis in enumerate(axes)]
        return self._grouped(side.filter, tables, group, block.size, within=block.group is not None)

    def _grouped(
        self, taps: Array, tables: list[tuple[Alike, ...]], group: Group, size: Size, within: bool = False
    ) -> Message:
        from torch import as_tensor

        weights = as_tensor(np.ascontiguousarray(taps), dtype=self._field.dtype)
        message = Grouped(weights, tables[0], tables[1], group.channels, size, within)
        return partial(_first_sample, message)


def _axes(taps: Array, geometry: Geometry, below: Size, above: Size, replicate: Size) -> list[Axis]:
    sizes = zip(below, above, replicate, strict=True)
    return [axis_of(axis, taps.shape, geometry, (low, high), window) for axis, (low, high, window) in enumerate(sizes)]


def _apart(table: tuple[Alike, ...]) -> bool:
    """Whether no two taps ever meet one group."""
    return all(len(slot.taps) == 1 for each in table for slot in each.slots)


def _only_largest(v: Tensor, block: Size) -> Tensor:
    """The largest of every block, in its first place; 0 elsewhere: a sum over blocks is then one of maxima."""
    import torch.nn.functional as F

    if block == (1, 1):
        return v
    out = v.new_zeros(v.shape)
    out[:, :, :: block[0], :: block[1]] = F.max_pool2d(v, block)
    return out


def _first_sample(message: Grouped, v: Tensor) -> Tensor:
    return grouped_sum(message, v[0])[None]


def _repeated(message: Message, window: Size, v: Tensor) -> Tensor:
    tall: Tensor = message(v).repeat_interleave(window[0], 2)
    return tall.repeat_interleave(window[1], 3)


def _searched(form: Form, start: Mapping[str, Array] | None, steps: int, budget: Budget) -> dict[str, Array]:
    """v > 0 with a small largest T(v)ᵢ/(dᵢvᵢ): damped power steps v ← ½(v + T(v)/θd), and the best v on the way.

    Damped, as the layers of a net take turns: undamped steps would swing between odd and even ones.
    """
    import torch

    precision: Precision = "float64" if form.units <= EXACT_UNITS else "float32"
    flat = started(form, start, torch.float64 if precision == "float64" else torch.float32)
    product, run = GroupField(majorant(form).unit_diagonal(), precision), _Run(flat)
    for step in range(steps):
        begun = monotonic()
        image = torch.cat([each.flatten() for each in product(layers_of(form, flat)).values()])
        value = run.met(flat, image)
        budget.tell("group dominance", (step + 1) / steps)
        # the last product, in float64, costs as much as a few of these
        if run.settled(value) or budget.left < 4 * (monotonic() - begun):
            break
        flat = 0.5 * (flat + image / value)
        flat = (flat / flat.max()).clamp_min(1e-30)
    return scaled_back(form, run.best.double())


@dataclass
class _Run:
    """The best v met, and the largest ratio after every step."""

    best: Tensor
    ratios: list[float] = field(default_factory=list[float])
    least: float = 0.0

    def met(self, flat: Tensor, image: Tensor) -> float:
        """Takes T(v) in; returns an estimate of θ between the least ratio, a lower bound of it, and the largest."""
        ratio = image / flat
        largest, before = float(ratio.max()), min(self.ratios, default=inf)
        self.best = flat if largest < before else self.best
        self.least = max(self.least, float(ratio.min()))
        self.ratios.append(min(largest, before))
        return float((flat @ image) / (flat @ flat))

    def settled(self, value: float) -> bool:
        """Whether steps gain nothing; or little, where it is known on which side of 1 they will end."""
        ratio, earlier = self.ratios[-1], self.ratios[-1 - SPAN] if len(self.ratios) > SPAN else inf
        decided = ratio < 1 or self.least > 1
        gain = LITTLE if decided else NOTHING
        return value <= 0 or ratio <= value * (1 + NOTHING) or ratio >= earlier * (1 - gain)
