"""Predictions averaged with those of the mirrored picture, brought back: a cheap second look ("flip test")."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from lvmc.data.sample import SampleSet
from lvmc.evaluation.outputs import evaluated_outputs
from lvmc.graph import EnergyGraph
from lvmc.heads.classes import Classes
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.segmentation import Segmentation
from lvmc.heads.vector import Vector

if TYPE_CHECKING:
    from torch import Tensor

    from lvmc.heads import HeadRecord

MIRRORED = (Heatmap, Segmentation, Vector, Classes)
"""Heads whose outputs have a mirror image."""


def averaged(
    graph: EnergyGraph, out: Mapping[str, Tensor], mirrored: Mapping[str, Tensor], flip: Flip, width: int
) -> dict[str, Tensor]:
    """½ (output + output of the mirrored picture, mirrored back), of all that is evaluated.

    Args:
        graph: Whose heads and states.
        out: What they say of pictures, after the last pass, or after a step.
        mirrored: What they say of the pictures with columns reversed.
        flip: For each point the number of its mirror image.
        width: Of the pictures.
    """
    found: dict[str, Tensor] = {}
    for each in evaluated_outputs(graph):
        if each.record is not None and not isinstance(each.record, MIRRORED):
            kind = type(each.record).__name__.lower()
            raise ValueError(f"evaluate.mirror: heads of kind {kind} have no mirror image; write mirror: false")
        back = mirrored_back(each.record, mirrored[each.key], flip, width)
        found[each.key] = 0.5 * (out[each.key] + back)
    return found


def mirrored_back(record: HeadRecord | None, output: Tensor, flip: Flip, width: int) -> Tensor:
    """What is said of a mirrored picture, as if said of the picture.

    Maps are reversed, and points change places with their mirror images, x in a vector with its sign changed, in pixels
    (without a record) counted from the other end; classes stay.
    """
    match record:
        case None:
            there = output[:, list(_known(flip))]
            return there.new_tensor([width - 1.0, 0.0]) + there * there.new_tensor([-1.0, 1.0])
        case Heatmap():
            return output.flip(-1)[:, list(_known(flip))]
        case Segmentation():
            return output.flip(-1)
        case Vector():
            points = output.reshape(len(output), -1, 2)[:, list(_known(flip))]
            return (points * points.new_tensor([-1.0, 1.0])).flatten(1)
        case _:
            return output


def flip_of(graph: EnergyGraph, samples: SampleSet) -> tuple[int, ...] | None:
    """Mirror images of points: of the data, or of a head."""
    heads = [head.record for head in graph.heads if isinstance(head.record, Heatmap)]
    told = [record.points.flip for record in heads if record.points and record.points.flip]
    return samples.about.flip or (told[0] if told else None)


Flip = Sequence[int] | None


def _known(flip: Flip) -> Sequence[int]:
    if flip is None:
        raise ValueError(
            "evaluate.mirror: nothing says which point is whose mirror image; give data.flip, or write mirror: false"
        )
    return flip
