"""Attenuated inhibition with a number of its own for every inhibitory tap: the finest that filters allow."""

from __future__ import annotations

from dataclasses import replace
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.field import correlate, summed
from lvmc.diagnostics.semidefinite.attenuate import Effort, attenuate
from lvmc.diagnostics.semidefinite.attenuation import Attenuation, couplings, free, grouped, worth_it
from lvmc.diagnostics.semidefinite.bracket import proved
from lvmc.diagnostics.semidefinite.flat import beside, rows_of
from lvmc.diagnostics.semidefinite.spn import SEARCH, by_coupling
from lvmc.graph.form import Array, Edge, Form, Side

if TYPE_CHECKING:
    from torch import Tensor

STAGE = "attenuated inhibition, by tap"
EFFORT = Effort(rounds=60, steps=40, vectors=4, most=100, close=1e-3, pull=5e-3)
MEMORY = 1.5e9
"""Bytes that the taps' matrices between Ritz vectors may take."""


def attenuated_by_taps(form: Form, budget: Budget, seed: int = 0) -> Bound:
    """The best lower bound on the least zᵀAz/zᵀDz over K that a positive semidefinite bracket gives, tap by tap.

    Args:
        form: A = D − C.
        budget: Time; a bound is proved whatever is left of it.
        seed: Of the start of the last Lanczos run, which proves.

    Returns:
        `lower` with a certificate of kind "spn"; −∞ where there is nothing to choose, or too many taps.
    """
    begun = monotonic()
    if not worth_it(form):
        return Bound(STAGE, -inf, inf, remark="no inhibition and no groups: nothing to choose")
    choice = Taps(form)
    most = min(EFFORT.most, int(np.sqrt(MEMORY / (8 * max(1, len(choice.low))))))
    if most < 3 * EFFORT.vectors:
        return Bound(STAGE, -inf, inf, remark=f"{len(choice.low)} inhibitory taps are too many to choose one by one")
    start = choice.nearest(by_coupling(form, budget.part(0.2))[0])
    x, remark = attenuate(form, choice, start, replace(EFFORT, most=most), budget.part(SEARCH), STAGE)
    found = proved(form, choice.attenuation(x), budget, STAGE, seed)
    return replace(found, seconds=monotonic() - begun, remark=remark)


class Taps:
    """A kept share for every inhibitory tap of every coupling that may be attenuated, then one m a grouped layer."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._unit = form.unit_diagonal()
        self._free = [i for i, each in enumerate(couplings(form)) if free(form, each)]
        self._places = {i: np.flatnonzero(couplings(form)[i].filter < 0) for i in self._free}
        self._grouped = [block.name for block in grouped(form)]
        taps = sum(map(len, self._places.values()))
        self.low = np.concatenate([np.zeros(taps), -np.ones(len(self._grouped))])
        self.high = np.ones(taps + len(self._grouped))

    def attenuation(self, x: Array) -> Attenuation:
        """M and G at x."""
        kept = [np.ones(()) for _ in couplings(self._form)]
        start = 0
        for index, places in self._places.items():
            each = couplings(self._form)[index]
            shares = np.ones(each.filter.size)
            shares[places] = x[start : start + len(places)]
            shaped = shares.reshape(each.filter.shape)
            kept[index] = shaped if isinstance(each, Edge) else 0.5 * (shaped + _mirrored(shaped))
            start += len(places)
        return Attenuation(tuple(kept), dict(zip(self._grouped, map(float, x[start:]), strict=True)))

    def nearest(self, attenuation: Attenuation) -> Array:
        """The x that stands for M and G."""
        shapes = [each.filter.shape for each in couplings(self._form)]
        kept = [np.broadcast_to(attenuation.kept[i], shapes[i]).reshape(-1)[at] for i, at in self._places.items()]
        return np.concatenate([*kept, [attenuation.groups.get(name, 0.0) for name in self._grouped]])

    def parts(self, rows: Tensor, new: Tensor) -> Array:
        """Every tap's share of C₋, and J − 1 of a layer's groups, between every row and every new vector."""
        form = self._unit
        left, right = rows_of(form, rows), rows_of(form, new)
        found: list[Array] = []
        for index, places in self._places.items():
            each = couplings(form)[index]
            products = _products(each, left, right)
            found.append(-each.filter.reshape(-1)[places, None, None] * products[places])
        for name in self._grouped:
            pair = left[name].flatten(1) @ beside(right[name], form.block[name]).flatten(1).T
            found.append(pair.double().numpy()[None])
        return np.concatenate(found)


def _products(each: Edge | Side, left: dict[str, Tensor], right: dict[str, Tensor]) -> Array:
    """Σ over positions of z_upper · z_lower at every tap, both ways round, (taps, left, right)."""
    if isinstance(each, Side):
        one = _pairs(each, left[each.layer], right[each.layer])
        shaped = one.reshape(*each.filter.shape, *one.shape[1:])
        return 0.5 * (shaped + _mirrored(shaped)).reshape(one.shape)
    there = _pairs(each, left[each.upper], right[each.lower])
    return there + _pairs(each, right[each.upper], left[each.lower]).transpose(0, 2, 1)


def _pairs(each: Edge | Side, above: Tensor, below: Tensor) -> Array:
    """Σ_x above_i(c, x) · below_j(c', x·stride + tap), (c c' taps, i, j)."""
    import torch

    below = summed(below, each.replicate) if isinstance(each, Edge) else below
    _, channels, height, width = each.filter.shape
    taps = channels * height * width
    single = torch.eye(taps, dtype=below.dtype).reshape(taps, channels, height, width)
    patches = correlate(below, single, each.geometry).flatten(2)
    upper = above.flatten(2)
    product = torch.einsum("icx,jtx->ctij", upper, patches)
    return product.reshape(-1, len(above), len(below)).double().numpy()


def _mirrored(taps: Array) -> Array:
    """L(c', c, −τ) for L(c, c', τ): the same pairs of units, seen from the other."""
    return np.swapaxes(taps, 0, 1)[:, :, ::-1, ::-1]
