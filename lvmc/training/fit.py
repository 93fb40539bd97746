"""Whether data can train the heads of a spec: what is missing, or of another number."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvmc.data.sample import UNCOUNTED, About, Sample, SampleSet
from lvmc.graph import EnergyGraph, HeadNode
from lvmc.heads.classes import Classes
from lvmc.heads.density import Density
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.lift import POINTS3D, Lift
from lvmc.heads.segmentation import Segmentation
from lvmc.heads.vector import Vector
from lvmc.records import nearest
from lvmc.spec.train import Train

if TYPE_CHECKING:
    from lvmc.data.batches import Batch


def check_fit(graph: EnergyGraph, train: Train, samples: SampleSet) -> None:
    """Raise ValueError unless the samples have what every head is trained towards."""
    if not graph.heads:
        raise ValueError(f"{graph.name} has no heads, so there is nothing to train; write heads: in the spec")
    if not len(samples):
        raise ValueError("there are no samples to train on")
    for name in train.targets:
        if name not in {head.name for head in graph.heads}:
            known = nearest(name, [head.name for head in graph.heads])
            raise ValueError(f"train.targets: no head is called {name!r}; {known}")
    first = samples[0]
    for head in graph.heads:
        fault = _fault_of_numbers(head, train, first) or _fault(head, first, samples.about)
        if fault:
            without = (
                "" if train.model_fields_set else "; or write train: {data: …} in the spec, which says nothing of data"
            )
            raise ValueError(f"head {head.name!r} {fault}{without} (data of kind {train.data.kind}, {first.name})")


def _fault(head: HeadNode, sample: Sample, about: About) -> str:
    """What keeps a head from being trained; nothing, if nothing does."""
    match head.record:
        case Lift(on=on) if POINTS3D in on and sample.points3d is None:
            return "learns points in 3D, but the samples have none; write on: points2d"
        case Heatmap() | Lift() if sample.points is None:
            return "learns points, but the samples have none"
        case Heatmap(channels=channels) if sample.points is not None and channels != len(sample.points):
            count = len(sample.points)
            return f"has {channels} channels, but the samples have {count} points; write channels: {count}"
        case Segmentation() if sample.mask is None:
            return "learns classes of pixels, but the samples have no masks"
        case Segmentation(channels=channels) if len(about.classes) > channels:
            count = len(about.classes)
            return f"has {channels} channels, but the samples have {count} classes; write channels: {count}"
        case Classes() if sample.label is None:
            return "learns classes, but the samples have no labels"
        case Classes(outputs=outputs) if len(about.classes) > outputs and sample.mask is None:
            count = len(about.classes)
            return f"has {outputs} outputs, but the samples have {count} classes; write outputs: {count}"
        case _:
            return ""


def _fault_of_numbers(head: HeadNode, train: Train, sample: Sample) -> str:
    """Likewise of a head that learns values, or points as numbers."""
    match head.record:
        case Vector(outputs=numbers):
            key = "outputs"
        case Density(dims=numbers):
            key = "dims"
        case _:
            return ""
    if sample.values is not None:
        count, columns = len(sample.values), train.columns(head.name)
        if columns is not None and max(columns) >= count:
            return f"learns value {max(columns)} of the data, which has {count}; they count from 0"
        wanted = count if columns is None else len(columns)
        fault = f"has {numbers} {key}, but learns {wanted} values; write {key}: {wanted}"
        return "" if numbers == wanted else fault
    if sample.points is None:
        named = "; name an array of numbers, data: {…, values: NAME}" if train.data.kind == "npz" else ""
        return f"learns points or values, but the samples have none{named}"
    count = len(sample.points)
    fault = f"has {numbers} {key}, but x and y of {count} points are {2 * count}; write {key}: {2 * count}"
    return "" if numbers == 2 * count else fault


def check_batch(graph: EnergyGraph, batch: Batch, samples: SampleSet) -> None:
    """Raise ValueError where a sample of a batch (on the CPU) cannot be a target, and name the sample."""
    for head in graph.heads:
        match head.record:
            case Density() if batch.visible is not None and batch.values is None:
                good = (batch.visible > 0).all(1)
                fault = "has points that are not annotated, which a density cannot leave out; leave the sample out"
            case Segmentation(channels=channels) if batch.masks is not None:
                good = ((batch.masks < channels) | (batch.masks == UNCOUNTED)).flatten(1).all(1)
                fault = f"has a class beyond 0 to {channels - 1}; write channels for all, or 255 where none counts"
            case Classes(outputs=outputs) if batch.labels is not None:
                good = (batch.labels < outputs) | (batch.labels == UNCOUNTED)
                fault = f"has a label beyond 0 to {outputs - 1}"
            case _:
                continue
        if not bool(good.all()):
            number = int(batch.index[int((~good).nonzero()[0])])
            raise ValueError(f"head {head.name!r}: {samples[number].name} {fault}")
