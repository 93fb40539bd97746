"""Frozen pydantic records and the field types that the sections of the language share."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from itertools import islice
from math import isfinite
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from lvmc.errors import printable
from lvmc.values import keyed, listed

PROBLEM = "lvmc"

MOST = 10**15
"""No size or count is larger: a model of more would never be allowed, and products of these still fit a float."""

_LISTED = 20
_COMPARED = 200
_PAIR = "write one number, or two as [rows, columns]"


class Record(BaseModel):
    """A section of a spec: strict types, no unknown keys, never changed."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, validate_default=False)


def wrong(fault: str, remedy: str = "") -> PydanticCustomError:
    """The error a validator raises: what is wrong and what to write instead."""
    return PydanticCustomError(PROBLEM, "{fault}", {"fault": fault, "remedy": remedy})


def closest(name: str, known: Iterable[str]) -> str | None:
    """The known name that was probably meant."""
    plain = {each.casefold(): each for each in islice(known, _COMPARED)}
    close = get_close_matches(name.casefold()[:100], plain, n=1, cutoff=0.6)
    return plain[close[0]] if close else None


def nearest(name: str, known: Iterable[str]) -> str:
    """`did you mean 'h2'? known here: image, h1, h2`."""
    names = list(known)
    close = closest(name, names)
    meant = f"did you mean '{close}'? " if close else ""
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return meant + ("known here: " + ", ".join(names[:_LISTED]) + more if names else "nothing is defined yet")


def whole(value: Any) -> bool:
    """Whether a value is a whole number (true and false are not)."""
    return isinstance(value, int) and not isinstance(value, bool)


def number(value: Any) -> bool:
    """Whether a value is a number that a float holds (true and false are not)."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return isfinite(value) if isinstance(value, float) else abs(value) < 10**300


def pair_of(value: Any) -> tuple[int, int] | None:
    """A whole number twice, or a pair of them; None for anything else."""
    found = [value, value] if whole(value) else listed(value)
    return (found[0], found[1]) if found and len(found) == 2 and all(map(whole, found)) else None


def shown(value: Any) -> str:
    """A value as the user wrote it, shortened."""
    if (items := listed(value)) is not None:
        return "[" + _short(", ".join(map(shown, items[:8]))) + "]"
    if (entries := keyed(value)) is not None:
        return "{" + _short(", ".join(f"{key}: …" for key in list(entries)[:8])) + "}"
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case str():
            return f"'{_short(value)}'"
        case float():
            return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf"}.get(str(value), str(value))
        case int():
            return str(value) if abs(value) < 10**40 else "a number of more than 40 digits"
        case _:
            return f"a value of type {type(value).__name__}"


def _short(text: str) -> str:
    text = printable(text)
    return text if len(text) <= 40 else text[:37] + "..."


def _positive_pair(value: Any) -> tuple[int, int]:
    pair = pair_of(value)
    if pair is None:
        raise wrong(f"should be a whole number or a pair [rows, columns], not {shown(value)}", _PAIR)
    if min(pair) < 1:
        raise wrong(f"should be at least 1, not {shown(value)}", _PAIR)
    return bounded(pair)


def bounded(pair: tuple[int, int]) -> tuple[int, int]:
    """The pair, unless it is beyond all sizes."""
    if max(pair) > MOST:
        raise wrong(f"should be at most 10^15, not {shown(max(pair))}", _PAIR)
    return pair


def shorten(pair: tuple[int, int]) -> int | list[int]:
    """(3, 3) → 3, (2, 3) → [2, 3]."""
    return pair[0] if pair[0] == pair[1] else list(pair)


def pair_schema(least: int) -> dict[str, Any]:
    """JSON Schema of a whole number or a pair of them."""
    one = {"type": "integer", "minimum": least}
    return {"anyOf": [one, {"type": "array", "items": one, "minItems": 2, "maxItems": 2}]}


NOTHING: dict[str, Any] = {"enum": ["none", None]}


def nullable(schema: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of a value that may be left empty."""
    return {"anyOf": [schema, {"type": "null"}]}


def _count(value: Any) -> int:
    if not whole(value) or value < 1:
        meant = str(value).removesuffix(".0")
        remedy = f"write {meant}" if meant.isdecimal() and meant.strip("0") else "for example 2"
        raise wrong(f"should be a whole number of at least 1, not {shown(value)}", remedy)
    if value > MOST:
        raise wrong(f"should be at most 10^15, not {shown(value)}", "for example 2")
    return value


def _positive(value: Any) -> float:
    if not number(value) or value <= 0:
        raise wrong(f"should be a number above 0, not {shown(value)}", "for example 0.5 or 1e-3")
    return float(value)


def _share(value: Any) -> float:
    if not number(value) or not 0 <= value <= 1:
        raise wrong(f"should be a share from 0 to 1, not {shown(value)}", "for example 0.5")
    return float(value)


def _natural(value: Any) -> int:
    if not whole(value) or value < 0:
        raise wrong(f"should be a whole number of at least 0, not {shown(value)}", "for example 0")
    if value > MOST:
        raise wrong(f"should be at most 10^15, not {shown(value)}", "for example 0")
    return value


def _nonnegative(value: Any) -> float:
    if not number(value) or value < 0:
        raise wrong(f"should be a number of at least 0, not {shown(value)}", "for example 0.01")
    return float(value)


PositivePair = Annotated[
    tuple[int, int], BeforeValidator(_positive_pair), PlainSerializer(shorten), WithJsonSchema(pair_schema(1))
]
Count = Annotated[int, BeforeValidator(_count), WithJsonSchema({"type": "integer", "minimum": 1})]
Positive = Annotated[float, BeforeValidator(_positive), WithJsonSchema({"type": "number", "exclusiveMinimum": 0})]
Nonnegative = Annotated[float, BeforeValidator(_nonnegative), WithJsonSchema({"type": "number", "minimum": 0})]
Share = Annotated[float, BeforeValidator(_share), WithJsonSchema({"type": "number", "minimum": 0, "maximum": 1})]
Natural = Annotated[int, BeforeValidator(_natural), WithJsonSchema({"type": "integer", "minimum": 0})]
Text = Annotated[str, Field(max_length=10_000)]
