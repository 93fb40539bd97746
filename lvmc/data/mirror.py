"""Which point is whose mirror image, by names: left_knee and right_knee, l_knee and r_knee."""

from __future__ import annotations

import re

_SIDES = {"left": "right", "l": "r"}
_OTHER = {**_SIDES, **{right: left for left, right in _SIDES.items()}}
_WORD = re.compile(r"(?<![A-Za-z])(left|right|l|r)(?![A-Za-z])", re.IGNORECASE)


def mirror_of(names: tuple[str, ...]) -> tuple[int, ...] | None:
    """For each point the number of its mirror image; points without a side are their own.

    None where a side has no counterpart, or the names tell no sides at all.
    """
    other = [_WORD.sub(_turned, name) for name in names]
    if list(names) == other or not set(other) <= set(names) or len(set(names)) < len(names):
        return None
    return tuple(names.index(each) for each in other)


def _turned(word: re.Match[str]) -> str:
    side = word.group()
    other = _OTHER[side.lower()]
    return other.capitalize() if side.istitle() and len(side) > 1 else other.upper() if side.isupper() else other
