"""A checker for the part of JSON Schema that lvmc's schema uses; any other keyword is an error of the test."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

Check = Callable[[Any, Any], bool]

_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "boolean": bool,
    "object": dict,
    "array": list,
    "null": type(None),
    "integer": int,
    "number": (int, float),
}
_SILENT = {"title", "description", "default", "$defs", "$schema", "discriminator"}


def accepts(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """Whether a value is valid under a schema, whose references are into `root`."""
    return all(_keyword(key, rule, schema, value, root) for key, rule in schema.items() if key not in _SILENT)


def _keyword(key: str, rule: Any, schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    match key:
        case "$ref":
            return accepts(root["$defs"][rule.removeprefix("#/$defs/")], value, root)
        case "anyOf":
            return any(accepts(each, value, root) for each in rule)
        case "oneOf":
            return sum(accepts(each, value, root) for each in rule) == 1
        case "items":
            return not isinstance(value, list) or all(accepts(rule, each, root) for each in value)
        case "propertyNames":
            return not isinstance(value, dict) or all(accepts(rule, name, root) for name in value)
        case "properties" | "additionalProperties":
            return not isinstance(value, dict) or _members(key, rule, schema, value, root)
        case _:
            applies, check = _CHECKS[key]
            return not isinstance(value, applies) or check(value, rule)


def _members(key: str, rule: Any, schema: dict[str, Any], value: dict[str, Any], root: dict[str, Any]) -> bool:
    if key == "properties":
        return all(accepts(each, value[name], root) for name, each in rule.items() if name in value)
    others = [each for name, each in value.items() if name not in schema.get("properties", {})]
    return not others if rule is False else all(accepts(rule, each, root) for each in others)


def _is(value: Any, name: str) -> bool:
    return isinstance(value, _TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _equal(value: Any, constant: Any) -> bool:
    return type(value) is type(constant) and value == constant


def _one_of(value: Any, constants: list[Any]) -> bool:
    return any(_equal(value, each) for each in constants)


def _least(value: Any, bound: Any) -> bool:
    return value >= bound


def _above(value: Any, bound: Any) -> bool:
    return value > bound


def _most(value: Any, bound: Any) -> bool:
    return value <= bound


def _below(value: Any, bound: Any) -> bool:
    return value < bound


def _fits(value: str, pattern: str) -> bool:
    return re.search(pattern, value) is not None


def _at_least(value: Any, count: int) -> bool:
    return len(value) >= count


def _at_most(value: Any, count: int) -> bool:
    return len(value) <= count


def _holds(value: dict[str, Any], names: list[str]) -> bool:
    return all(name in value for name in names)


_CHECKS: dict[str, tuple[type | tuple[type, ...], Check]] = {
    "type": (object, _is),
    "const": (object, _equal),
    "enum": (object, _one_of),
    "minimum": ((int, float), _least),
    "exclusiveMinimum": ((int, float), _above),
    "minItems": (list, _at_least),
    "maxItems": (list, _at_most),
    "minProperties": (dict, _at_least),
    "maxLength": (str, _at_most),
    "pattern": (str, _fits),
    "maximum": ((int, float), _most),
    "exclusiveMaximum": ((int, float), _below),
    "required": (dict, _holds),
}
"""What a keyword applies to, and what it says of that."""
