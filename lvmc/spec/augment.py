"""How `train` changes pictures before a model learns from them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from lvmc.records import Record, Share, number, shown, wrong
from lvmc.values import keyed, listed


def _degrees(value: Any) -> float:
    if not number(value) or not 0 <= value <= 180:
        raise wrong(f"should be degrees from 0 to 180, not {shown(value)}", "for example 15")
    return float(value)


def _scale(value: Any) -> float:
    if not number(value) or not 0 <= value < 1:
        raise wrong(f"should be from 0 to below 1, not {shown(value)}", "0.15 scales by 0.85 to 1.15")
    return float(value)


def _occluder(value: Any) -> tuple[float, float]:
    pair = listed(value)
    remedy = "for example [0.2, 0.6]: its sides, as fractions of the picture's"
    if pair is None or len(pair) != 2 or not all(number(each) and 0 < each <= 1 for each in pair):
        raise wrong(f"should be two fractions above 0 and at most 1, not {shown(value)}", remedy)
    if pair[0] > pair[1]:
        raise wrong(f"should give the smaller fraction first, not {shown(value)}", f"write [{pair[1]}, {pair[0]}]")
    return float(pair[0]), float(pair[1])


Degrees = Annotated[float, BeforeValidator(_degrees), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 180})]
Scale = Annotated[
    float, BeforeValidator(_scale), WithJsonSchema({"type": "number", "minimum": 0, "exclusiveMaximum": 1})
]
_FRACTION = {"type": "number", "exclusiveMinimum": 0, "maximum": 1}
Fractions = Annotated[
    tuple[float, float],
    BeforeValidator(_occluder),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": _FRACTION, "minItems": 2, "maxItems": 2}),
]


class Augment(Record):
    """How training pictures are changed: shares, degrees, and fractions of the size or of the contrast.

    `occlude` is the share of pictures over which a rectangle of another one is pasted, its sides between the two
    fractions `occluder` of the picture's.
    """

    flip: Share = 0.5
    rotate: Degrees = 15.0
    scale: Scale = 0.15
    shift: Share = 0.05
    brightness: Share = 0.1
    contrast: Share = 0.2
    saturation: Share = 0.0
    occlude: Share = 0.0
    occluder: Fractions = (0.2, 0.6)


_NONE = dict.fromkeys((key for key in Augment.model_fields if key != "occluder"), 0.0)


def long_augment(value: Any) -> Any:
    """The mapping that a short form stands for."""
    if value == "none":
        return dict(_NONE)
    if isinstance(value, Augment) or keyed(value) is not None:
        return value
    raise wrong(f"should be a mapping or none, not {shown(value)}", "for example {flip: 0.5, rotate: 15}")


def _short_augment(augment: Augment) -> Any:
    return "none" if augment == Augment.model_validate(_NONE) else augment.model_dump(exclude_unset=True)


AugmentField = Annotated[
    Augment,
    BeforeValidator(long_augment, json_schema_input_type=Literal["none"] | Augment),
    PlainSerializer(_short_augment),
]
