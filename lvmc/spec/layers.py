"""The `layers` section: blocks of latent variables and the couplings to what lies below them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from lvmc.records import (
    NOTHING,
    Count,
    Positive,
    PositivePair,
    Record,
    bounded,
    nearest,
    nullable,
    number,
    pair_of,
    pair_schema,
    shorten,
    shown,
    whole,
    wrong,
)
from lvmc.spec.inits import LayerInit, LayerInitField
from lvmc.units import UNITS
from lvmc.values import keyed, listed


def _filter(value: Any) -> tuple[int, int] | str:
    if isinstance(value, str) and value:
        return value
    pair = pair_of(value)
    if pair is None:
        fault = f"a filter is a size, full, or the name of a shared filter, not {shown(value)}"
        raise wrong(fault, "for example 3 or [3, 5]")
    if min(pair) < 1:
        raise wrong(f"a filter has at least one tap, not {shown(value)}", "for example 3 or [3, 5]")
    return bounded(pair)


def _short_filter(value: tuple[int, int] | str) -> int | list[int] | str:
    return value if isinstance(value, str) else shorten(value)


def _padding(value: Any) -> tuple[int, int] | str:
    pair = pair_of(value)
    if value == "same":
        return "same"
    if pair is None or min(pair) < 0:
        fault = f"should be same, a whole number or a pair [rows, columns] from 0, not {shown(value)}"
        raise wrong(fault, "for example same or 1")
    return bounded(pair)


Filter = Annotated[
    tuple[int, int] | str,
    BeforeValidator(_filter),
    PlainSerializer(_short_filter),
    WithJsonSchema({"anyOf": [*pair_schema(1)["anyOf"], {"type": "string"}]}),
]
Padding = Annotated[
    tuple[int, int] | str,
    BeforeValidator(_padding),
    PlainSerializer(_short_filter),
    WithJsonSchema({"anyOf": [*pair_schema(0)["anyOf"], {"const": "same"}]}),
]


class Coupling(Record):
    """What couples a layer to one block below. A key left out takes the layer's, then the default."""

    filter: Filter | None = None
    stride: PositivePair | None = None
    dilation: PositivePair | None = None
    padding: Padding | None = None
    padding_mode: Literal["zeros", "circular"] | None = None
    replicate: PositivePair | None = None


def _from(value: Any) -> Any:
    if value == "none":
        return {}
    if isinstance(value, str):
        return {value: {}}
    couplings = keyed(value)
    if couplings is None:
        remedy = "for several, write a mapping: {h1: {filter: 3}, h2: {}}"
        raise wrong(f"should name a block below, not {shown(value)}", remedy)
    if not couplings:
        raise wrong("names no block", "name the blocks below, or write none with a size")
    return {lower: dict[str, Any]() if keys is None else keys for lower, keys in couplings.items()}


def _short_from(couplings: dict[str, Coupling] | None) -> Any:
    match list((couplings or {}).items()):
        case []:
            return "none"
        case [(name, coupling)] if coupling == Coupling():
            return name
        case items:
            return {name: coupling.model_dump(exclude_unset=True) for name, coupling in items}


class Nms(Record):
    """Disjoint groups of units of which at most one is nonzero."""

    window: PositivePair = (1, 1)
    channels: Count = 1
    winner: Literal["every", "first"] = "every"


def _nms(value: Any) -> Any:
    if value is None or value == "none":
        return None
    if keyed(value) is not None or isinstance(value, Nms):
        return value
    if whole(value) or listed(value) is not None:
        return {"window": value}
    raise wrong(f"should be a window or a mapping, not {shown(value)}", "for example 2 or {window: 2, channels: 4}")


def _short_nms(nms: Nms | None) -> Any:
    if nms is None:
        return None
    plain = nms.channels == 1 and nms.winner == "every"
    return shorten(nms.window) if plain else nms.model_dump(exclude_defaults=True)


def _diagonal(value: Any) -> Any:
    if value == "learned":
        return value
    several = listed(value)
    each = [value] if several is None else several
    low = [d for d in each if not number(d) or d <= 0]
    if low or not each:
        fault = f"should be above 0, not {shown(low[0] if low else value)}"
        raise wrong(fault, "write a number above 0, a list of them (one a channel), or learned")
    return float(value) if several is None else tuple(map(float, several))


def _short_diagonal(value: float | tuple[float, ...] | str) -> Any:
    return list(value) if isinstance(value, tuple) else value


_ABOVE_ZERO: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
Diagonal = Annotated[
    float | tuple[float, ...] | Literal["learned"],
    BeforeValidator(_diagonal),
    PlainSerializer(_short_diagonal),
    WithJsonSchema({"anyOf": [_ABOVE_ZERO, {"type": "array", "items": _ABOVE_ZERO}, {"const": "learned"}]}),
]


class Lateral(Record):
    """Finite couplings inside a layer: a filter of this odd size."""

    filter: PositivePair


class Norm(Record):
    """Batch norm of the whole drive, or of every message."""

    kind: Literal["drive", "message"]
    eps: Positive = 1e-5
    momentum: Positive = 0.1


def _norm(value: Any) -> Any:
    if value is None or value == "none":
        return None
    if isinstance(value, str):
        if value not in ("drive", "message"):
            raise wrong(f"no norm is called {shown(value)}", "write drive or message")
        return {"kind": value}
    return value


def _short_norm(norm: Norm | None) -> Any:
    if norm is None:
        return None
    short = norm.model_dump(exclude_defaults=True)
    return norm.kind if set(short) == {"kind"} else short


def _absent(value: Any) -> Any:
    return None if value == "none" else value


def _unit(value: Any) -> Any:
    if not isinstance(value, str) or value not in UNITS:
        raise wrong(f"no unit is called {shown(value)}", nearest(str(value), UNITS))
    return value


NmsField = Annotated[
    Nms | None,
    BeforeValidator(_nms),
    PlainSerializer(_short_nms),
    WithJsonSchema({"anyOf": [*pair_schema(1)["anyOf"], Nms.model_json_schema(), NOTHING]}),
]
NormField = Annotated[
    Norm | None,
    BeforeValidator(_norm),
    PlainSerializer(_short_norm),
    WithJsonSchema({"anyOf": [{"enum": ["drive", "message"]}, Norm.model_json_schema(), NOTHING]}),
]


_COUPLINGS = {"type": "object", "minProperties": 1, "additionalProperties": nullable(Coupling.model_json_schema())}


class Layer(Coupling):
    """A block of latent variables z (batch, channels, height, width); coupling keys are defaults for its couplings."""

    channels: Count
    from_: Annotated[
        dict[str, Coupling] | None,
        BeforeValidator(_from),
        PlainSerializer(_short_from),
        WithJsonSchema({"anyOf": [{"type": "string"}, _COUPLINGS]}),
        Field(alias="from", description="a name above, a mapping of names to coupling keys, or none"),
    ] = None
    size: PositivePair | None = None
    nms: NmsField = None
    unit: Annotated[str, BeforeValidator(_unit), WithJsonSchema({"enum": sorted(UNITS)})] = "rectified"
    upper: Annotated[Positive | None, BeforeValidator(_absent), WithJsonSchema({"anyOf": [_ABOVE_ZERO, NOTHING]})] = (
        None
    )
    diagonal: Diagonal = 1.0
    bias: bool = True
    lateral: Annotated[
        Lateral | None,
        BeforeValidator(_absent),
        WithJsonSchema({"anyOf": [Lateral.model_json_schema(), NOTHING]}),
    ] = None
    norm: NormField = None
    init: LayerInitField = LayerInit()
