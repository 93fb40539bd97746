"""Which updates a program computes, which change nothing, and which it leaves out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from lvmc.diagrams.unrolled_view.flow import Flow, State
from lvmc.graph import EnergyGraph, block
from lvmc.schedule import Update, schedule

Status = Literal["computed", "same", "dotted"]


@dataclass(frozen=True, slots=True)
class _Order:
    """When a layer is updated within a pass."""

    rank: Mapping[str, int]

    def current(self, sender: str, at: State) -> State:
        """The version of a layer that an update, or a head after a pass, meets."""
        if sender not in self.rank or at.block not in self.rank:
            return State(sender, at.pass_)
        upwards = at.pass_ % 2 == 1
        earlier = self.rank[sender] < self.rank[at.block] if upwards else self.rank[sender] > self.rank[at.block]
        return State(sender, at.pass_ if earlier else at.pass_ - 1)


def statuses(graph: EnergyGraph, flow: Flow, passes: int) -> dict[State, Status]:
    """Every layer in every pass. An update whose senders have not changed is the identity and is not computed."""
    updated = {state.block for state in flow.states if state.pass_}
    clamped = {state.block for state in flow.states} - updated
    layers = [layer for layer in graph.layers if layer.name not in clamped]
    blocks = [block(layer, graph.above[layer.name]) for layer in layers]
    found: dict[State, Status] = {}
    for update in schedule(blocks, passes):
        here = State(update.layer, update.pass_)
        before = State(update.layer, update.pass_ - 1)
        if here in flow.states:
            found[here] = "computed"
        elif _quiet(update, graph) and found.get(before, "dotted") != "dotted":
            found[here] = "same"
        else:
            found[here] = "dotted"
    return found


def attached(graph: EnergyGraph, flow: Flow, status: Mapping[State, Status]) -> Flow:
    """The flow with a repeated state in place of the one it repeats, wherever that is the current one."""
    order = _Order({layer.name: index for index, layer in enumerate(graph.layers)})

    def shown(source: State, at: State) -> State:
        current = order.current(source.block, at)
        return current if status.get(current) == "same" and _origin(current, status) == source else source

    messages = tuple(replace(each, source=shown(each.source, each.target)) for each in flow.messages)
    return replace(flow, messages=messages, readings=tuple((shown(source, at), at) for source, at in flow.readings))


def _quiet(update: Update, graph: EnergyGraph) -> bool:
    if update.pass_ == 1 or graph.layer[update.layer].lateral is not None:
        return False
    return all(message.computed < update.pass_ for message in update.messages)


def _origin(state: State, status: Mapping[State, Status]) -> State:
    while status.get(state) == "same":
        state = State(state.block, state.pass_ - 1)
    return state
