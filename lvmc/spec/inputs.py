"""The `inputs` section: what is clamped, and the `filters` section: filters that couplings share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from lvmc.records import Count, Positive, PositivePair, Record, number, wrong
from lvmc.spec.inits import ParameterInit
from lvmc.values import listed


def _numbers(value: Any) -> tuple[float, ...]:
    several = listed(value)
    if not several or not all(map(number, several)):
        raise wrong("should be a list of numbers, one a channel", "for example [0.485, 0.456, 0.406]")
    return tuple(map(float, several))


Numbers = Annotated[
    tuple[float, ...],
    BeforeValidator(_numbers),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 1}),
]


class Normalize(Record):
    """What raw pixels are: x = (pixel / range − mean) / std, applied by `run`, `train` and `eval`."""

    range: Positive = 255.0
    mean: Numbers | None = None
    std: Numbers | None = None


class Input(Record):
    """A clamped block of pixels. `size` (rows, columns) is nominal."""

    channels: Count
    size: PositivePair
    normalize: Normalize | None = None


class SharedFilter(Record):
    """A filter that several couplings share: one parameter, whose gradients add up."""

    size: PositivePair
    init: ParameterInit = "he"
