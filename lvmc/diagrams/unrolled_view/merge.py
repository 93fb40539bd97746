"""A flow with runs of layers, and the alike passes of a long inference, drawn as one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lvmc.diagrams.unrolled_view.flow import Flow, Link, Message, State
from lvmc.diagrams.unrolled_view.status import Status

_FIRST, _LAST = 4, 2


@dataclass(frozen=True, slots=True)
class Column:
    """Passes drawn as one column; mostly a single pass."""

    first: int
    last: int

    @property
    def title(self) -> str:
        """`pass 2 ↓ top-down`; what even passes do is top-down."""
        if self.first < self.last:
            return f"passes {self.first} … {self.last}"
        return f"pass {self.first} " + ("↑ bottom-up" if self.first % 2 else "↓ top-down")


@dataclass(frozen=True, slots=True)
class Merging:
    """Who stands for each layer, and which column shows each pass, by its first pass."""

    stands: Mapping[str, str]
    columns: tuple[Column, ...]

    def place(self, state: State) -> State:
        """Where a state is drawn."""
        column = next((each for each in self.columns if each.first <= state.pass_ <= each.last), None)
        return State(self.stands.get(state.block, state.block), column.first if column else state.pass_)

    def inside(self, one: State, other: State) -> bool:
        """Whether what links two states does not show: they are one node, or both in a column of many passes."""
        many = {column.first for column in self.columns if column.first < column.last}
        return one == other or (one.pass_ == other.pass_ and one.pass_ in many)


def columns(passes: int, fold: bool) -> tuple[Column, ...]:
    """One column a pass; with `fold`, those of a long inference between its first four and last two as one."""
    if not fold or passes <= _FIRST + _LAST + 1:
        return tuple(Column(each, each) for each in range(1, passes + 1))
    ends = [*range(1, _FIRST + 1), *range(passes - _LAST + 1, passes + 1)]
    found = [Column(each, each) for each in ends]
    return (*found[:_FIRST], Column(_FIRST + 1, passes - _LAST), *found[_FIRST:])


def merged(flow: Flow, merging: Merging) -> Flow:
    """The flow between nodes: equal links between the same two nodes are one, links inside a node are none."""
    kept: dict[tuple[object, ...], Message] = {}
    stand_in: dict[str, str] = {}
    hidden: dict[str, State] = {}
    within: list[tuple[State, State, Link]] = []
    for message in flow.messages:
        moved = replace(message, source=merging.place(message.source), target=merging.place(message.target))
        if merging.inside(moved.source, moved.target) or _within(message, moved):
            hidden[message.value] = moved.target
            within.append((moved.source, moved.target, "inside"))
            continue
        first = kept.setdefault((moved.source, moved.target, moved.filter, moved.transposed), moved)
        stand_in[message.value] = first.value
    uses = ((stand_in[value], merging.place(user)) for value, user in flow.uses if value in stand_in)
    carries = within + _again(flow, merging, hidden)
    for start, end, link in flow.carries:
        carries.append((merging.place(start), merging.place(end), link))
    shown = [each for each in carries if not merging.inside(each[0], each[1])]
    return Flow(
        frozenset(map(merging.place, flow.states)),
        tuple(kept.values()),
        tuple(dict.fromkeys(uses)),
        tuple(dict.fromkeys(shown)),
        tuple(dict.fromkeys((merging.place(source), merging.place(head)) for source, head in flow.readings)),
    )


def merged_status(status: Mapping[State, Status], merging: Merging) -> dict[State, Status]:
    """A node is computed if any of its states is; dotted if all are."""
    rank: tuple[Status, ...] = ("computed", "same", "dotted")
    found: dict[State, Status] = {}
    for state, each in status.items():
        place = merging.place(state)
        known: Status = found.get(place, each)
        found[place] = rank[min(rank.index(each), rank.index(known))]
    return found


def _within(message: Message, moved: Message) -> bool:
    """Whether a message goes from one layer of a run to another, perhaps of the next pass."""
    return moved.source.block == moved.target.block and message.source.block != message.target.block


def _again(flow: Flow, merging: Merging, hidden: Mapping[str, State]) -> list[tuple[State, State, Link]]:
    """Cached messages inside a node that another node uses again."""
    users = ((value, merging.place(user)) for value, user in flow.uses if value in hidden)
    return [(hidden[value], user, "cached") for value, user in users]
