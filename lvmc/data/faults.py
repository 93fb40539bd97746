"""What is wrong with records of a source: refused with all their names, or skipped and told."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

Broken = Literal["refuse", "skip"]

_LISTED = 10


class Fault(NamedTuple):
    """A record (file, array and row, annotation) and what is wrong with it."""

    where: str
    fault: str


def refused_or_told(faults: Sequence[Fault], broken: Broken) -> tuple[str, ...]:
    """A remark a fault, if broken records are to be skipped.

    Raises:
        ValueError: They are to be refused, and there are some.
    """
    told = tuple(f"{each.where}: {each.fault}" for each in faults)
    if broken == "skip":
        return tuple(f"{each}; skipped" for each in told)
    if told:
        more = f"\nand {len(told) - _LISTED} more" if len(told) > _LISTED else ""
        listed = "\n".join(told[:_LISTED]) + more
        raise ValueError(f"{listed}\ncorrect them, or leave them out with data: {{broken: skip}}")
    return ()
