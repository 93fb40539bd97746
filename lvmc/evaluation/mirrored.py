"""Predictions averaged with those of the mirrored picture, brought back: a cheap second look ("flip test")."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lvmc.data.sample import SampleSet
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


def averaged(graph: EnergyGraph, out: dict[str, Tensor], mirrored: dict[str, Tensor], flip: Flip) -> dict[str, Tensor]:
    """½ (output + output of the mirrored picture, mirrored back), by head.

    Args:
        graph: Whose heads.
        out: What they say of pictures, after the last pass.
        mirrored: What they say of the pictures with columns reversed.
        flip: For each point the number of its mirror image.
    """
    found: dict[str, Tensor] = {}
    for head in graph.heads:
        if not isinstance(head.record, MIRRORED):
            kind = type(head.record).__name__.lower()
            raise ValueError(f"evaluate.mirror: heads of kind {kind} have no mirror image; write mirror: false")
        found[head.name] = 0.5 * (out[head.name] + mirrored_back(head.record, mirrored[head.name], flip))
    return found


def mirrored_back(record: HeadRecord, output: Tensor, flip: Flip) -> Tensor:
    """What a head says of a mirrored picture, as if said of the picture.

    Maps are reversed, and points change places with their mirror images, x in a vector with its sign changed; classes
    stay.
    """
    match record:
        case Heatmap():
            return output.flip(-1)[:, list(_known(flip))]
        case Segmentation():
            return output.flip(-1)
        case Vector():
            points = output.reshape(len(output), -1, 2)[:, list(_known(flip))]
            return (points * points.new_tensor([-1.0, 1.0])).flatten(1)
        case _:
            return output


def flip_of(graph: EnergyGraph, samples: SampleSet) -> Flip:
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
