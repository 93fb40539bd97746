"""Dominance: v > 0 with C₊v ≤ θDv proves zᵀAz ≥ (1 − θ) zᵀDz on the cone, by one product with C₊.

2 zᵢzⱼ ≤ zᵢ²vⱼ/vᵢ + zⱼ²vᵢ/vⱼ weighted with C₊ gives zᵀC₊z ≤ Σ zᵢ²(C₊v)ᵢ/vᵢ; and zᵀCz ≤ zᵀC₊z for z ≥ 0. Where a unit
takes both signs, Cᵢⱼzᵢzⱼ ≤ |Cᵢⱼ||zᵢ||zⱼ|, so the couplings that touch a signed layer count by their absolute value.
With |C| throughout it holds for every z: A is PSD, and every pass contracts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import inf
from typing import TYPE_CHECKING, Literal

import numpy as np

from lvmc.budget import Budget
from lvmc.diagnostics.answers import Bound
from lvmc.diagnostics.dominance.perron import flat_operator, layers_of, perron
from lvmc.diagnostics.dominance.rounding import fan_in, gamma, margin, raised
from lvmc.diagnostics.dominance.torus import folded, tiled, torus_of
from lvmc.graph.form import Array, Form
from lvmc.verdicts import Certificate, Witness

if TYPE_CHECKING:
    from torch import Tensor, dtype

    from lvmc.diagnostics.field import Precision

Majorant = Literal["positive", "absolute"]

EXACT_UNITS = 300_000
"""Up to so many units the Perron vector is sought in float64."""
FLOOR = 1e-100
"""Least entry of v relative to its largest: nothing underflows beside it."""


@dataclass(frozen=True)
class Weighing:
    """v by layer (channels, rows, columns), and each layer's largest (C₊v)ᵢ/(dᵢvᵢ), rounding included."""

    vector: Mapping[str, Array]
    ratios: Mapping[str, float]

    @property
    def ratio(self) -> float:
        """The largest of all."""
        return max(self.ratios.values(), default=0.0)


def majorant(form: Form, part: Majorant = "positive") -> Form:
    """The form with C₊ in place of C, or |C| where a layer takes both signs or `part` is "absolute"."""
    if part == "absolute":
        return form.part("absolute")
    signed = {block.name for block in form.blocks if block.signed}
    if not signed:
        return form.part("positive")
    positive, absolute = form.part("positive"), form.part("absolute")
    edges = zip(positive.edges, absolute.edges, strict=True)
    sides = zip(positive.sides, absolute.sides, strict=True)
    return replace(
        form,
        edges=tuple(size if {plus.upper, plus.lower} & signed else plus for plus, size in edges),
        sides=tuple(size if plus.layer in signed else plus for plus, size in sides),
    )


def dominance(
    form: Form,
    part: Majorant = "positive",
    torus: bool = False,
    budget: Budget | None = None,
    start: Mapping[str, Array] | None = None,
) -> Bound:
    """The best dominance certificate that the time allows.

    The Perron vector v of D⁻¹C₊ is the best one; the bound is what one product in float64 then proves,
    μ = 1 − (1 + γ) max (C₊v)ᵢ/(dᵢvᵢ).

    Args:
        form: The net.
        part: "positive" bounds zᵀAz/zᵀDz over the cone, "absolute" over every z (claim psd).
        torus: On the torus of `torus_of`: for every image size.
        budget: Time for it.
        start: A v to begin with, on the form's planes or on a torus of theirs.

    Returns:
        `lower` with its certificate, in the form's own coordinates (facts: see below); at a finite size without groups
        also `upper`, from v itself. Where a torus is asked for and there is none, nothing but the remark.

    The certificate's facts: `part`; `torus` 1: v lives on the torus; `groups` 0; `every_size` 1: at every image size;
    `theta`: each pass shrinks the error by it, in the norm max |zᵢ|/vᵢ (absolute, without groups).
    """
    budget = budget or Budget()
    spoken = torus_of(form) if torus else None
    if spoken is not None and spoken.form is None:
        return Bound(_stage(part, torus), -inf, inf, remark=spoken.remark, seconds=budget.spent)
    checked = form if spoken is None or spoken.form is None else spoken.form
    if start is None and not torus and form.units > EXACT_UNITS:
        start = _on_torus(form, part, budget)
    weighing, witness = _best(checked, part, torus, budget, start)
    facts: dict[str, float | int | str] = {"part": part, "torus": int(torus), "groups": 0}
    facts |= {"every_size": int(torus and not (spoken and spoken.remark))}
    if part == "absolute" and not any(block.group for block in form.blocks):
        facts["theta"] = _contraction(checked, weighing)
    claim = "psd" if part == "absolute" else "strict"
    proof = Certificate(claim, "dominance", margin(weighing.ratio), weighing.vector, facts)
    upper = witness.value + witness.error if witness else inf
    remark = spoken.remark if spoken else ""
    return Bound(_stage(part, torus), proof.margin, upper, proof, witness, budget.spent, remark)


def weigh(form: Form, part: Majorant, vector: Mapping[str, Array], torus: bool = False) -> Weighing:
    """What v > 0 proves on this form: one product in float64."""
    from torch import as_tensor, cat

    upper = folded(majorant(form, part)) if torus else majorant(form, part)
    flat = cat([as_tensor(np.ascontiguousarray(vector[block.name])).flatten() for block in form.blocks])
    return _weighed(form, vector, flat_operator(upper)(flat))


def margins_by_layer(form: Form, certificate: Certificate) -> dict[str, float]:
    """1 − the largest (C₊v)ᵢ/(dᵢvᵢ) of each layer, for a dominance certificate without groups of this form."""
    part: Majorant = "absolute" if certificate.facts["part"] == "absolute" else "positive"
    checked = torus_of(form).form if certificate.facts["torus"] else form
    assert checked is not None
    return {
        name: margin(ratio)
        for name, ratio in weigh(checked, part, certificate.arrays, checked is not form).ratios.items()
    }


def _stage(part: Majorant, torus: bool) -> str:
    where = "at every size" if torus else "at this size"
    return f"dominance of |C| {where}" if part == "absolute" else f"dominance of C₊ {where}"


def _on_torus(form: Form, part: Majorant, budget: Budget) -> Mapping[str, Array] | None:
    """The vector of the torus, where there is one: far inside large planes it is the one sought."""
    proof = dominance(form, part, True, budget.part(0.3)).certificate
    return None if proof is None else proof.arrays


def _best(
    form: Form, part: Majorant, torus: bool, budget: Budget, start: Mapping[str, Array] | None
) -> tuple[Weighing, Witness | None]:
    import torch

    upper = majorant(form, part)
    if torus:
        upper = folded(upper)
    precision: Precision = "float64" if form.units <= EXACT_UNITS else "float32"
    unit = upper.unit_diagonal()
    steps, gap = (200, 1e-11) if precision == "float64" else (60, 1e-5)
    weight = started(form, start, torch.float64 if precision == "float64" else torch.float32)
    # what is left of the time after the vector pays for two products in float64, each dearer than one of float32
    found = perron(flat_operator(unit, precision), weight, steps, gap, budget.part(0.6), precision == "float32")
    vector = scaled_back(form, found.vector.double())
    flat = _flat(form, vector)
    image = flat_operator(upper)(flat)
    weighing = _weighed(form, vector, image)
    if torus or part == "absolute" or any(block.group for block in form.blocks):
        return weighing, None
    return weighing, _witness(form, vector, flat, image, image if _same(form, upper) else flat_operator(form)(flat))


def _same(form: Form, upper: Form) -> bool:
    """Whether C is its own majorant: no coupling of the form is negative."""
    pairs = zip((*form.edges, *form.sides), (*upper.edges, *upper.sides), strict=True)
    return all(np.array_equal(mine.filter, other.filter) for mine, other in pairs)


def started(form: Form, start: Mapping[str, Array] | None, dtype: dtype) -> Tensor:
    """w > 0 (n,) in the coordinates where every d is 1, √d v: of a given v, tiled over the planes, or 1 everywhere."""
    import torch

    if start is None:
        return torch.ones(form.units, dtype=dtype)
    given = tiled(form, start)
    parts = [np.sqrt(block.diagonal)[:, None, None] * given[block.name] for block in form.blocks]
    flat = np.concatenate([part.ravel() for part in parts])
    return torch.as_tensor(np.maximum(flat, 1e-6 * flat.max())).to(dtype)


def scaled_back(form: Form, flat: Tensor) -> dict[str, Array]:
    """D^-½x by layer, its largest entry 1, none below the floor."""
    layers: dict[str, Array] = {name: each[0].numpy() for name, each in layers_of(form, flat).items()}
    scaled = {block.name: layers[block.name] / np.sqrt(block.diagonal)[:, None, None] for block in form.blocks}
    largest = max((float(each.max()) for each in scaled.values()), default=1.0)
    return {name: np.maximum(each / largest, FLOOR) for name, each in scaled.items()}


def _flat(form: Form, vector: Mapping[str, Array]) -> Tensor:
    from torch import as_tensor

    return as_tensor(np.concatenate([vector[block.name].ravel() for block in form.blocks]))


def _weighed(form: Form, vector: Mapping[str, Array], image: Tensor) -> Weighing:
    terms, images = fan_in(form), layers_of(form, image)
    ratios = dict[str, float]()
    for block in form.blocks:
        largest = images[block.name][0].numpy() / (block.diagonal[:, None, None] * vector[block.name])
        ratios[block.name] = raised(float(largest.max()), terms[block.name])
    return Weighing(vector, ratios)


def _contraction(form: Form, weighing: Weighing) -> float:
    """θ of a pass; in a layer with laterals, whose step is damped by σ (language.md §1), (θd + σ)/(d + σ)."""
    damped = dict(weighing.ratios)
    for side in form.sides:
        sigma = float(np.abs(side.filter).sum((1, 2, 3)).max())
        diagonal, ratio = form.block[side.layer].diagonal, weighing.ratios[side.layer]
        damped[side.layer] = raised(float(((ratio * diagonal + sigma) / (diagonal + sigma)).max()), side.filter.size)
    return max(damped.values(), default=0.0)


def _witness(form: Form, vector: Mapping[str, Array], flat: Tensor, bound: Tensor, image: Tensor) -> Witness:
    """zᵀAz/zᵀDz at z = v, which lies in the cone where there are no groups; `bound` is C₊v, `image` Cv.

    |C| ≤ 2C₊ − C bounds the rounding of zᵀCz.
    """
    whole = sum(float((block.diagonal[:, None, None] * vector[block.name] ** 2).sum()) for block in form.blocks)
    gained, most = float(flat @ image), float(flat @ bound)
    terms = max(fan_in(form).values(), default=0) + form.units
    error = gamma(terms) * ((2 * most - gained) / whole + 1)
    return Witness("copositive", dict(vector), 1 - gained / whole, 2 * error)
