"""The `inputs` section: what is clamped, and the `filters` section: filters that couplings share."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from lvmc.records import Count, Positive, PositivePair, Record, number, wrong
from lvmc.spec.inits import ParameterInit


def _numbers(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list | tuple) or not value or not all(map(number, value)):  # pyright: ignore[reportUnknownArgumentType]
        raise wrong("should be a list of numbers, one a channel", "for example [0.485, 0.456, 0.406]")
    return tuple(float(each) for each in value)  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


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
