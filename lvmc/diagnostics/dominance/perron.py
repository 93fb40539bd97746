"""A positive vector on which a symmetric nonnegative operator gains least: an approximate Perron vector.

For σ above the largest eigenvalue ρ of B ≥ 0, x = (σ − B)⁻¹w with w > 0 is positive whatever B is, disconnected or with
zero rows, and Bx = σx − w < σx. One Krylov run from w gives x for every σ with its residual r; where |r| < w still
Bx < σx, so σ may be taken as near to ρ as the run has come.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf
from time import monotonic
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh_tridiagonal

from lvmc.budget import Budget
from lvmc.graph.form import Array, Form

if TYPE_CHECKING:
    from torch import Tensor

    from lvmc.diagnostics.field import Precision

Apply = Callable[["Tensor"], "Tensor"]

ORTHOGONAL_UNITS = 1_000_000
"""Up to so many units each new basis vector is made orthogonal to all, twice; beyond, that would cost a product."""
HOPELESS, DECIDED = 0.1, 1e-3
"""Gaps that are enough where ρ > 1, and where ρ < 1 by more than the gap."""
WIDEST = 10.0
"""Largest σ/ρ − 1 that is tried."""
NARROWER = 3.0
"""By how much σ is tried nearer to ρ, step by step."""
KEPT_NUMBERS = 400_000_000
"""Numbers of a Krylov basis held at once; with more units it starts again, from the vector it has found."""


@dataclass(frozen=True)
class Perron:
    """x > 0 (n,), flat, and the largest Ritz value: a lower estimate of ρ. `gap`: how far above it σ had to be."""

    vector: Tensor
    value: float
    gap: float
    products: int


@dataclass
class _Krylov:
    """An orthonormal basis of span{w, Bw, …} with the tridiagonal matrix of B in it."""

    norm: float
    basis: list[Tensor]
    diagonal: list[float] = field(default_factory=list[float])
    beside: list[float] = field(default_factory=list[float])
    first: float = 0.0
    """max (Bw)ᵢ/wᵢ: what w itself is worth."""


def flat_operator(form: Form, precision: Precision = "float64") -> Apply:
    """z ↦ C z on flat vectors (n,), layers in the form's order."""
    from torch import cat

    from lvmc.diagnostics.field import Field

    couplings = Field(form, precision)

    def product(flat: Tensor) -> Tensor:
        state = layers_of(form, flat)
        return cat([couplings.drive(block.name, state).flatten() for block in form.blocks])

    return product


def layers_of(form: Form, flat: Tensor) -> dict[str, Tensor]:
    """A flat vector (n,) as layers (1, channels, height, width)."""
    from torch import split

    parts: tuple[Tensor, ...] = split(flat, [block.units for block in form.blocks])
    return {b.name: part.view(1, b.channels, *b.size) for b, part in zip(form.blocks, parts, strict=True)}


def perron(apply: Apply, start: Tensor, steps: int, gap: float, budget: Budget, rough: bool = False) -> Perron:
    """x > 0 with Bx ≤ (1 + gap) ρ x, or as near as `steps` products and the time allow.

    Args:
        apply: B ≥ 0, symmetric.
        start: w > 0 (n,): the nearer to the Perron vector the fewer products.
        steps: Most products with B.
        gap: The wanted σ/ρ − 1.
        budget: Time; a product is begun only if there is time for it.
        rough: Whether a wider gap is enough where it is known on which side of 1 ρ lies.
    """
    room = max(4, KEPT_NUMBERS // len(start))
    found, products = Perron(start, 0.0, WIDEST, 0), 0
    while products < steps:
        asked = min(room, steps - products)
        found = _one_run(apply, found.vector, asked, gap, budget, rough)
        products += found.products
        if found.products < asked or budget.left == 0:  # it has come near enough, or out of time
            break
    return Perron(found.vector, found.value, found.gap, products)


def _one_run(apply: Apply, start: Tensor, steps: int, gap: float, budget: Budget, rough: bool) -> Perron:
    weight = start / _norm(start)
    krylov, tail, slowest = _Krylov(1.0, [weight]), weight, 0.0
    while len(krylov.diagonal) < steps:
        begun = monotonic()
        tail = _extend(krylov, apply)
        slowest = max(slowest, monotonic() - begun)
        done = len(krylov.diagonal)
        budget.tell("Perron vector", done / steps)
        if krylov.beside[-1] <= 1e-14 * max(map(abs, krylov.diagonal + krylov.beside)):
            break
        if budget.left < slowest:
            break
        if done % 5 == 0 and _reached(krylov, float((tail.abs() / weight).max()), gap, rough):
            break
        krylov.basis.append(tail)
    return _solution(krylov, tail, weight, gap)


def _wanted(value: float, gap: float, rough: bool) -> float:
    """The gap at which to stop: where ρ ≥ `value` > 1 nothing can be certified, where ρ < 1 it is."""
    if not rough:
        return gap
    return HOPELESS if value > 1 else DECIDED if value * (1 + DECIDED) < 1 else gap


def _reached(krylov: _Krylov, tail_ratio: float, gap: float, rough: bool) -> bool:
    value = _largest(krylov)
    own = krylov.first / value - 1 if value > 0 else 0.0
    return min(own, _least_gap(krylov, tail_ratio, gap)) <= _wanted(value, gap, rough)


def _extend(krylov: _Krylov, apply: Apply) -> Tensor:
    """One product: the next column of the tridiagonal matrix; returns the next basis vector (0: there is none)."""
    last = krylov.basis[-1]
    image = apply(last)
    if not krylov.diagonal:
        krylov.first = float((image / last).max())
    krylov.diagonal.append(float(last @ image))
    short = len(image) > ORTHOGONAL_UNITS  # in exact arithmetic only the last two matter
    for vector in krylov.basis[-2:] if short else 2 * krylov.basis:
        image.sub_(vector, alpha=float(vector @ image))
    norm = _norm(image)
    krylov.beside.append(norm)
    return image / norm if norm > 0 else image


def _solution(krylov: _Krylov, tail: Tensor, weight: Tensor, gap: float) -> Perron:
    done = len(krylov.diagonal)
    ratio = float((tail.abs() / weight).max()) if krylov.beside[-1] > 0 else 0.0
    wide = _least_gap(krylov, ratio, gap)
    value = _largest(krylov)
    if value <= 0:
        return Perron(weight, 0.0, 0.0, done)
    best = _solved(krylov, tail, weight, wide)
    delta = wide / NARROWER
    while wide > gap and delta > gap:  # |r| ≤ w/2 everywhere is more than is needed: often a nearer σ serves better
        nearer = _solved(krylov, tail, weight, delta)
        if nearer.gap >= best.gap:
            break
        best, delta = nearer, delta / NARROWER
    if wide > gap and krylov.first <= value * (1 + best.gap):
        return Perron(weight, value, krylov.first / value - 1, done)
    return best


def _solved(krylov: _Krylov, tail: Tensor, weight: Tensor, delta: float) -> Perron:
    """x at σ = (1 + δ) times the Ritz value, and the gap that max (Bx)ᵢ/xᵢ = max σ − (w − r)ᵢ/xᵢ leaves."""
    from torch import zeros_like

    value = _largest(krylov)
    sigma = value * (1 + delta)
    weights = _coordinates(krylov, sigma)
    vector = zeros_like(weight)
    for each, basis in zip(weights, krylov.basis, strict=False):
        vector.add_(basis, alpha=float(each))
    if float(vector.min()) <= 0:  # only where rounding or a run cut short has spoilt it
        largest = float(vector.max())
        return Perron((vector / largest).clamp_min(1e-6), value, inf, len(weights))
    rest = weight - tail * (krylov.beside[-1] * float(weights[-1]))
    ratio = sigma - float((rest / vector).min())
    return Perron(vector / vector.max(), value, ratio / value - 1, len(weights))


def _largest(krylov: _Krylov) -> float:
    done = len(krylov.diagonal)
    only = (done - 1, done - 1)
    return float(eigh_tridiagonal(krylov.diagonal, krylov.beside[:-1], True, "i", only)[0])


def _least_gap(krylov: _Krylov, tail_ratio: float, gap: float) -> float:
    """The least δ ≥ gap with |r| ≤ w/2 at σ = (1 + δ) times the Ritz value; r is a multiple of the next vector."""
    value = _largest(krylov)
    if value <= 0:
        return gap

    def fits(delta: float) -> bool:
        return krylov.beside[-1] * abs(_coordinates(krylov, value * (1 + delta))[-1]) * tail_ratio <= 0.5

    if fits(gap):
        return gap
    low, high = np.log10(gap), np.log10(WIDEST)
    for _ in range(30):
        middle = (low + high) / 2
        low, high = (low, middle) if fits(10.0**middle) else (middle, high)
    return float(10.0**high)


def _coordinates(krylov: _Krylov, sigma: float) -> Array:
    """(σ − T)⁻¹e₁‖w‖: x in the basis."""
    beside = krylov.beside[:-1]
    matrix = np.diag(sigma - np.asarray(krylov.diagonal)) - np.diag(beside, 1) - np.diag(beside, -1)
    one = np.zeros(len(matrix))
    one[0] = krylov.norm
    return np.asarray(np.linalg.solve(matrix, one), np.float64)


def _norm(flat: Tensor) -> float:
    return float(flat @ flat) ** 0.5
