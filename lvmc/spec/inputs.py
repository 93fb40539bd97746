"""The `inputs` section: what is clamped, and the `filters` section: filters that couplings share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, PlainSerializer, Tag, WithJsonSchema

from lvmc.records import Count, Positive, PositivePair, Record, number, shown, wrong
from lvmc.spec.inits import ParameterInit
from lvmc.values import keyed, listed


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


def _name(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise wrong(f"should name a state, not {shown(value)}", "for example render: pose")


def _names(value: Any) -> tuple[str, ...]:
    several = listed(value)
    if several is None or not all(isinstance(each, str) for each in several):
        raise wrong(f"should be a list of names, not {shown(value)}", "for example [marker]")
    return tuple(several)


def _finite(value: Any) -> float:
    if not number(value):
        raise wrong(f"should be a number, not {shown(value)}", "for example 1.0")
    return float(value)


Name = Annotated[str, BeforeValidator(_name), WithJsonSchema({"type": "string"})]
Finite = Annotated[float, BeforeValidator(_finite), WithJsonSchema({"type": "number"})]
PointNames = Annotated[
    tuple[str, ...],
    BeforeValidator(_names),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"type": "string"}}),
]


class RenderedInput(Record):
    """A block that shows a state: `as` Gaussians around points, or a map as it is or through a `sigmoid`.

    Of a point p the channel is scale · exp(−‖x − p‖²/(2 sigma²)) + offset, the exponential 0 beyond `truncate` · sigma.
    """

    render: Name
    as_: Literal["gaussian", "map", "sigmoid"] | None = Field(None, alias="as")
    sigma: Positive | None = None
    extra: PointNames = ()
    truncate: Positive | None = None
    scale: Finite = 1.0
    offset: Finite = 0.0
    size: PositivePair | None = None


PLAIN, RENDERED = "(plain)", "(rendered)"
"""Names of the two forms, which no key of a spec has: messages leave them out."""


def _form(value: Any) -> str:
    if isinstance(value, RenderedInput):
        return RENDERED
    return RENDERED if "render" in (keyed(value) or {}) else PLAIN


AnyInput = Annotated[
    Annotated[Input, Tag(PLAIN)] | Annotated[RenderedInput, Tag(RENDERED)],
    Discriminator(_form),
]


class SharedFilter(Record):
    """A filter that several couplings share: one parameter, whose gradients add up."""

    size: PositivePair
    init: ParameterInit = "he"
