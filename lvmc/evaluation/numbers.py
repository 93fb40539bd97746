"""What heads of numbers say of a batch: predictions, the density of what is true, and predictions that it refines."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from lvmc.data.batches import Batch
from lvmc.data.pointvectors import numbers_of
from lvmc.evaluation.cumulative import family_cumulative
from lvmc.evaluation.outputs import evaluated_outputs
from lvmc.graph import EnergyGraph, HeadNode
from lvmc.heads import HeadRecord
from lvmc.heads.density import Density
from lvmc.heads.vector import Vector
from lvmc.results.grids import grid_of
from lvmc.runtime.module import compiled_of
from lvmc.spec.train import Train

if TYPE_CHECKING:
    from torch import Tensor

    from lvmc.runtime import density
    from lvmc.runtime.module import Model

ROWS, MOST = 16, 2**18
"""Samples at a time where densities of two numbers are worked out on a grid, and places of it at a time."""

Out = Mapping[str, "Tensor"]


@dataclass(frozen=True, slots=True)
class Numbers:
    """What a head says of B samples.

    Attributes:
        predicted: (B, dims): of a vector its output, of a family its mean, of an energy where Algorithm 1 comes to from
            the largest of its grid (of three numbers or more: from another head's prediction, else from 0).
        mean: (B, dims), of an energy of one or two numbers.
        refined: (B, dims), `predicted` moved up the density of an energy that learns the same.
        log_likelihood: (B,), log p(y | x) of the truth; nan where some of it is not known.
        log_error: (B,), how far it may be off, by the normaliser of an energy.
        cumulative: (B, dims), P(Y ≤ y | x) of the truth, by coordinate.
    """

    predicted: Tensor
    mean: Tensor | None = None
    refined: Tensor | None = None
    log_likelihood: Tensor | None = None
    log_error: Tensor | None = None
    cumulative: Tensor | None = None


def dims_of(record: HeadRecord | None) -> int | None:
    """How many numbers a head gives; None if it gives something else."""
    match record:
        case Vector(outputs=count) | Density(dims=count):
            return count
        case _:
            return None


def refiners(graph: EnergyGraph, train: Train, by: EnergyGraph) -> dict[str, str]:
    """For each vector and density head that is no energy the first energy of `by` that learns the same numbers."""
    energies = [head for head in by.heads if is_energy(head)]
    found: dict[str, str] = {}
    for head in graph.heads:
        for energy in energies if dims_of(head.record) is not None and not is_energy(head) else ():
            same = by is not graph or train.columns(head.name) == train.columns(energy.name)
            if same and dims_of(head.record) == dims_of(energy.record):
                found.setdefault(head.name, energy.name)
    return found


def is_energy(head: HeadNode) -> bool:
    """Whether a head is a density by an energy."""
    return isinstance(head.record, Density) and head.record.model == "energy"


def densities_of(model: Model, out: Out) -> dict[str, density.Density]:
    """The densities of what heads put out after the last pass."""
    graph = compiled_of(model).graph
    heads = [head for head in graph.heads if isinstance(head.record, Density)]
    stacked = {head.name for head in heads if head.record.at == "each" or graph.feedback is not None}
    given = {head.name: out[head.name][None] if head.name in stacked else out[head.name] for head in heads}
    return model.densities(given) if heads else {}


def numbers_said(
    model: Model, batch: Batch, out: Out, train: Train, by: tuple[Model, Out] | None = None
) -> dict[str, Numbers]:
    """What each vector and density head says.

    Args:
        model: Whose heads.
        batch: What they were given.
        out: What they put out after the last pass, (B, …).
        train: Says which of the values each of them learns.
        by: Another model and what it put out, whose energy refines predictions, instead of one of `model`.
    """
    graph = compiled_of(model).graph
    told = {each.name for each in evaluated_outputs(graph)}
    heads = [head for head in graph.heads if dims_of(head.record) is not None and head.name in told]
    if not heads:
        return {}
    truth = {head.name: learned(batch, train, head, out[head.name].device) for head in heads}
    size = None if train.learns_values else (batch.images.shape[2], batch.images.shape[3])
    step = _rows(heads, size) or len(batch.index)
    parts: list[dict[str, Numbers]] = []
    for first in range(0, len(batch.index), step):
        rows = slice(first, first + step)
        cut = by and (by[0], {name: value[rows] for name, value in by[1].items()})
        true = {name: None if value is None else value[rows] for name, value in truth.items()}
        parts.append(_said(model, heads, {head.name: out[head.name][rows] for head in heads}, true, train, size, cut))
    return {head.name: _joined([part[head.name] for part in parts]) for head in heads}


def _said(
    model: Model,
    heads: list[HeadNode],
    out: Out,
    truth: Mapping[str, Tensor | None],
    train: Train,
    size: tuple[int, int] | None,
    by: tuple[Model, Out] | None,
) -> dict[str, Numbers]:
    asked = densities_of(model, out)
    refining = densities_of(*by) if by else asked
    refined_by = refiners(compiled_of(model).graph, train, compiled_of(by[0] if by else model).graph)
    starts = {head.name: _start(asked.get(head.name), out[head.name]) for head in heads if not is_energy(head)}
    said: dict[str, Numbers] = {}
    for head in heads:
        name, given = head.name, out[head.name].float()
        if is_energy(head):
            own = None if by else next((starts[each] for each in starts if refined_by.get(each) == name), None)
            said[name] = _energy(asked[name], head, given, truth[name], size, own)
        else:
            refiner = refining.get(refined_by.get(name, ""))
            moved = None if refiner is None else refiner.refine(starts[name][:, None])[0][:, 0]
            said[name] = _family(asked.get(name), head, given, truth[name], starts[name], moved)
    return said


def _start(density: density.Density | None, given: Tensor) -> Tensor:
    """What a vector, or the mean of a family, predicts."""
    return given.float() if density is None or density.mean is None else density.mean.float()


def _family(
    density: density.Density | None,
    head: HeadNode,
    given: Tensor,
    truth: Tensor | None,
    predicted: Tensor,
    refined: Tensor | None,
) -> Numbers:
    """What a vector or a family says."""
    import torch

    if density is None or truth is None or not isinstance(head.record, Density):
        return Numbers(predicted, refined=refined)
    with torch.no_grad():
        log_likelihood = density.value(truth[:, None])[:, 0]
    return Numbers(
        predicted,
        refined=refined,
        log_likelihood=log_likelihood,
        cumulative=family_cumulative(head.record, given, truth),
    )


def _energy(
    density: density.Density,
    head: HeadNode,
    given: Tensor,
    truth: Tensor | None,
    size: tuple[int, int] | None,
    start: Tensor | None,
) -> Numbers:
    """What an energy says, with the normaliser of its grid, or else by importance sampling around its prediction."""
    import torch

    assert isinstance(head.record, Density)
    grid = grid_of(density, head.record, given, size)
    seeds = grid.peaks if grid else given.new_zeros(len(given), head.record.dims) if start is None else start
    predicted = density.refine(seeds[:, None])[0][:, 0]
    if grid is not None:
        integrals = grid.integrals
    else:
        generator = torch.Generator(given.device).manual_seed(0)
        integrals = density.sampled_integrals(predicted, generator=generator)
    mean = integrals.mean if grid else None
    if truth is None:
        return Numbers(predicted, mean)
    with torch.no_grad():
        log_likelihood = density.value(truth[:, None])[:, 0] - integrals.log_normaliser
    cumulative = grid.cumulative(truth) if grid else None
    return Numbers(predicted, mean, None, log_likelihood, integrals.log_normaliser_error, cumulative)


def learned(batch: Batch, train: Train, head: HeadNode, device: Any) -> Tensor | None:
    """What a head learns of a batch, (B, dims), None if the batch does not say; nan where points are not annotated."""
    import torch

    truth = numbers_of(batch, train.columns(head.name))
    if truth is None or truth.shape[1] != dims_of(head.record):
        return None
    if batch.values is None and batch.visible is not None:
        truth = torch.where((batch.visible > 0).repeat_interleave(2, 1), truth, torch.nan)
    return truth.to(device)


def _rows(heads: list[HeadNode], size: tuple[int, int] | None) -> int | None:
    """How many samples at a time: few where an energy of two numbers is asked about at every place of a grid."""
    grids = any(is_energy(head) and dims_of(head.record) == 2 for head in heads)
    return max(1, MOST // (size[0] * size[1])) if grids and size else ROWS if grids else None


def _joined(parts: list[Numbers]) -> Numbers:
    import torch

    found: dict[str, Any] = {}
    for field in fields(Numbers):
        tensors = [getattr(part, field.name) for part in parts]
        found[field.name] = None if tensors[0] is None else torch.cat(tensors)
    return Numbers(**found)
