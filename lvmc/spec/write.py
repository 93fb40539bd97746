"""A spec as YAML text, and the language as a JSON Schema for editors."""

from __future__ import annotations

import re
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from lvmc.spec.model import Spec
from lvmc.values import keyed, listed

_ENTRIES = ("inputs", "filters", "layers", "heads", "state")
_FIRST = ("kind", "render", "channels", "outputs", "from", "size", "filter", "reads", "landmarks")
"""Keys that an entry begins with, in the order in which one thinks of them."""

_PLAIN = re.compile(r"[A-Za-z]([\w .,;()/×–-]*[\w.)])?")
"""Text that needs no quotes; ruamel leaves some other text without them that it cannot read back, such as `[?a]`."""


def dump(spec: Spec) -> str:
    """YAML text that `load` reads back as an equal spec: one entry a line, defaults left out."""
    values = spec.model_dump(mode="python", by_alias=True, exclude_unset=True)
    document = CommentedMap(values)
    for key, value in values.items():
        document[key] = _section(key, value)
    yaml, out = YAML(), StringIO()
    yaml.width = 10_000
    yaml.dump(document, out)  # pyright: ignore[reportUnknownMemberType]
    return out.getvalue()


def json_schema() -> dict[str, Any]:
    """JSON Schema of the language, for editors and other tools."""
    schema = Spec.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "lvmc spec"}


def _section(name: str, value: Any) -> Any:
    entries = keyed(value)
    if name == "train" and entries:
        return CommentedMap({key: _lines(each) for key, each in entries.items()})
    return _entries(entries) if name in _ENTRIES and entries is not None else _flow(value)


def _lines(value: Any) -> Any:
    """Mappings of a list one a line, anything else in one."""
    items = listed(value)
    several = items is not None and len(items) > 0 and all(keyed(item) is not None for item in items)
    return CommentedSeq([_flow(item) for item in items or ()]) if several else _flow(value)


def _entries(section: dict[str, Any]) -> CommentedMap:
    return CommentedMap({name: _flow(_ordered(entry)) for name, entry in section.items()})


def _ordered(entry: dict[str, Any]) -> dict[str, Any]:
    first = {key: entry[key] for key in _FIRST if key in entry}
    return first | entry


def _flow(value: Any) -> Any:
    if (entries := keyed(value)) is not None:
        mapping = CommentedMap({key: _flow(each) for key, each in entries.items()})
        mapping.fa.set_flow_style()  # pyright: ignore[reportUnknownMemberType]
        return mapping
    if (items := listed(value)) is not None:
        sequence = CommentedSeq([_flow(each) for each in items])
        sequence.fa.set_flow_style()  # pyright: ignore[reportUnknownMemberType]
        return sequence
    plain = not isinstance(value, str) or _PLAIN.fullmatch(value)
    return value if plain else DoubleQuotedScalarString(value)
