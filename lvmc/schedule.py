"""Which block is updated when, and which of the messages it takes in are new."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

Direction = Literal["bottom", "top"]


@dataclass(frozen=True, slots=True)
class Block:
    """A layer as the schedule sees it: who sends it messages, and whether it couples to itself."""

    name: str
    below: tuple[str, ...]
    above: tuple[str, ...]
    lateral: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message an update takes in: its sender, and the pass in which it is computed (0: its sender is still zero)."""

    sender: str
    direction: Direction
    computed: int


@dataclass(frozen=True, slots=True)
class Update:
    """The update of one layer in one pass."""

    layer: str
    pass_: int
    messages: tuple[Message, ...]


@dataclass(slots=True)
class _History:
    """Passes of the last change of each block, of each message's first use, and what each update last saw."""

    changed: dict[str, int] = field(default_factory=dict[str, int])
    computed: dict[tuple[str, str, int], int] = field(default_factory=dict[tuple[str, str, int], int])
    seen: dict[str, tuple[int, ...]] = field(default_factory=dict[str, tuple[int, ...]])


def schedule(blocks: Sequence[Block], passes: int) -> tuple[Update, ...]:
    """Odd passes update the blocks in order, even passes in reverse; every block once a pass.

    A message is computed when its sender has changed since the receiver last took it in; an update whose
    senders have not changed (in a layer without lateral couplings) changes nothing.
    """
    history = _History({block.name: 0 for block in blocks})
    updates: list[Update] = []
    for pass_ in range(1, passes + 1):
        for block in blocks if pass_ % 2 else reversed(blocks):
            updates.append(_update(block, pass_, history))
    return tuple(updates)


def _update(block: Block, pass_: int, history: _History) -> Update:
    messages = [_message(block, sender, "bottom", pass_, history) for sender in block.below]
    messages += [_message(block, sender, "top", pass_, history) for sender in block.above]
    seen = tuple(history.changed.get(message.sender, -1) for message in messages)
    if block.lateral or history.seen.get(block.name) != seen:
        history.changed[block.name] = pass_
    history.seen[block.name] = seen
    return Update(block.name, pass_, tuple(messages))


def _message(block: Block, sender: str, direction: Direction, pass_: int, history: _History) -> Message:
    version = history.changed.get(sender, -1)  # -1: an input, which never changes
    if version == 0:
        return Message(sender, direction, 0)
    computed = history.computed.setdefault((sender, block.name, version), pass_)
    return Message(sender, direction, computed)
