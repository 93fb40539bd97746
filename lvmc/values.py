"""Plain values, as YAML text or a dict give them: which are lists, which mappings, and what lies under a key."""

from __future__ import annotations

from typing import Any, cast

Path = tuple[str | int, ...]


def listed(value: Any) -> list[Any] | None:
    """The entries of a list; None for anything else."""
    return list(cast("list[Any]", value)) if isinstance(value, list | tuple) else None


def keyed(value: Any) -> dict[str, Any] | None:
    """The mapping itself; None for anything else."""
    return cast("dict[str, Any]", value) if isinstance(value, dict) else None


def under(value: Any, key: str | int) -> Any:
    """What a mapping or a list has under a key; None where there is nothing."""
    if (entries := keyed(value)) is not None:
        return entries.get(cast("str", key))
    items = listed(value) or []
    return items[key] if isinstance(key, int) and key in range(len(items)) else None


def holds(value: Any, key: str | int) -> bool:
    """Whether a mapping or a list has anything under a key."""
    entries = keyed(value)
    return key in range(len(listed(value) or ())) if entries is None else key in entries


def at(value: Any, path: Path) -> Any:
    """What lies at a path; None where there is nothing."""
    for key in path:
        value = under(value, key)
    return value


def dotted(path: Path) -> str:
    """`layers.h2.nms`."""
    return ".".join(map(str, path))
