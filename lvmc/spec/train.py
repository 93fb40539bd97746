"""The `train` section: data, targets, augmentation, optimiser, and stages from coarse to fine."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from lvmc.heads.heatmap import Indices
from lvmc.records import Count, Natural, Positive, Record, Text, number, shown, wrong
from lvmc.spec.augment import Augment, AugmentField
from lvmc.spec.data import Data, Figures, Npz
from lvmc.spec.inits import WeightsFile
from lvmc.spec.optimizer import Adam, Optimizer, Schedule, Sgd, Steps
from lvmc.values import keyed, listed


class Target(Record):
    """What a head is trained towards.

    For heatmaps: discs (logistic) or Gaussians (l2) around points, of radius `radius` × the evaluation radius (which is
    `evaluate.pck` × the unit of errors), or of `pixels`; points that are not annotated are `background`, or `ignore`d.
    Hidden points count as points, unless `hidden` says otherwise. Heads that learn `data.values` learn all of them, or
    those that `values` lists.
    """

    radius: Positive = 1.0
    pixels: Positive | None = None
    unannotated: Literal["background", "ignore"] = "background"
    hidden: Literal["point", "background", "ignore"] = "point"
    values: Indices | None = None


class Evaluate(Record):
    """How predictions are judged: points are right within `pck` × the unit of errors.

    Points are read off heatmaps at their `peak`, or at the `centroid` of what lies within `window` pixels of it. With
    `mirror`, what heads say is averaged with what they say of the mirrored picture. The validation set is judged every
    `every` epochs; `watch` says by what: the loss, or a metric of a head such as keypoints/nme. Of outer feedback
    errors are told after each of `steps` steps; without it after twice those of the spec, if they share their weights.
    """

    pck: Positive = 0.1
    decode: Literal["peak", "centroid"] = "centroid"
    window: Count = 3
    mirror: bool = False
    every: Count = 1
    watch: Text = "loss"
    steps: Count | None = None


def _layers(value: Any) -> tuple[str, ...]:
    several = [value] if isinstance(value, str) else listed(value)
    if several is None or not all(isinstance(each, str) for each in several):
        raise wrong(f"should name layers, not {shown(value)}", "for example [h5, h3]")
    return tuple(several)


def _reads(value: Any) -> Any:
    if keyed(value) is None:
        fault = f"should say which layers each head reads, not {shown(value)}"
        raise wrong(fault, "for example reads: {keypoints: [h5, h3]}")
    return value


_LAYER_LIST: dict[str, Any] = {"type": "array", "items": {"type": "string"}, "minItems": 1}
Layers = Annotated[
    tuple[str, ...],
    BeforeValidator(_layers),
    PlainSerializer(list),
    WithJsonSchema({"anyOf": [{"type": "string"}, _LAYER_LIST]}),
]


class Stage(Record):
    """A stretch of training, warm-started from the one before; `reads` leaves out layers that heads read later.

    The readouts of layers that a head reads for the first time start at 0. `steps` are the first ones of outer
    feedback, where a stage does not train all.
    """

    epochs: Count
    reads: Annotated[dict[str, Layers], BeforeValidator(_reads)] | None = None
    rate: Positive | None = None
    passes: Count | None = None
    steps: Count | None = None


def _stages(value: Any) -> Any:
    several = listed(value)
    if several is None:
        raise wrong(f"should be a list of stages, not {shown(value)}", "for example [{epochs: 5}, {epochs: 10}]")
    return tuple(several)


Stages = Annotated[tuple[Stage, ...], BeforeValidator(_stages, json_schema_input_type=list[Stage])]


def _rates(value: Any) -> dict[str, float]:
    entries = keyed(value)
    if entries is None:
        fault = f"should give factors by parameter, not {shown(value)}"
        raise wrong(fault, "for example {heads.keypoints.h1: 0.1, h1: 0}")
    bad = [name for name, each in entries.items() if not number(each) or each < 0]
    if bad:
        fault = f"the factor of '{bad[0]}' should be a number of at least 0, not {shown(entries[bad[0]])}"
        raise wrong(fault, "1 leaves the rate as it is, 0 freezes what it names")
    return {name: float(each) for name, each in entries.items()}


Rates = Annotated[
    dict[str, float],
    BeforeValidator(_rates),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "number", "minimum": 0}}),
]


class Train(Record):
    """How a spec is trained by `lvmc train`.

    Steps of outer feedback are trained at the states of a `path`: those that the steps before come to (predicted), or
    those that follow from the targets alone (fixed).
    """

    data: Data = Figures(kind="figures")
    epochs: Count = 20
    batch: Count = 32
    accumulate: Count = 1
    optimizer: Optimizer = Adam()
    schedule: Schedule = "one-cycle"
    rates: Rates = Field(default_factory=dict[str, float])
    clip: Positive | None = None
    precision: Literal["float32", "bfloat16", "float16"] = "float32"
    augment: AugmentField = Augment()
    targets: dict[str, Target] = Field(default_factory=dict[str, Target])
    path: Literal["predicted", "fixed"] = "predicted"
    evaluate: Evaluate = Evaluate()
    stages: Stages = ()
    patience: Count | None = None
    readouts: Literal["zeros", "normal"] = "normal"
    init: WeightsFile | None = None
    workers: Natural = 0
    seed: Natural = 0

    @property
    def learns_values(self) -> bool:
        """Whether vector and density heads learn numbers of the data, not points."""
        return isinstance(self.data, Npz) and self.data.values is not None

    def columns(self, head: str) -> tuple[int, ...] | None:
        """Which of the values a head learns; None: all."""
        return self.targets[head].values if head in self.targets else None


__all__ = ["Adam", "Augment", "Evaluate", "Sgd", "Stage", "Steps", "Target", "Train"]
