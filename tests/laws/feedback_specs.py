"""Random specs with outer feedback, and what they mean: a plain loop over steps in numpy."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st

from lvmc.graph import EnergyGraph, InputNode
from lvmc.graph.states import StateNode, own_name
from lvmc.ir import interpret
from lvmc.unroll import unroll

from .dense import Array, Dense
from .messages import Loop
from .specs import random_parameters, specs


@st.composite
def feedback_specs(draw: st.DrawFn) -> dict[str, Any]:
    """A valid spec with points or a map, or both, fed back."""
    spec = draw(specs(max_passes=3))
    spec.setdefault("heads", {})
    for head in spec["heads"].values():
        head["at"] = draw(st.sampled_from(["last", 1]))
    spec["state"], update = {}, dict[str, Any]()
    kinds = draw(st.sampled_from([["points"], ["points"], ["map"], ["points", "map"]]))
    if "points" in kinds:
        _points(draw, spec, update)
    if "map" in kinds:
        _map(draw, spec, update)
    dense = any(head["kind"] == "density" for head in spec["heads"].values())
    spec["feedback"] = {
        "update": update,
        "steps": draw(st.sampled_from([2, 3, 1])),
        "tying": draw(st.sampled_from(["tied"] if dense else ["tied", "untied"])),  # a density is one for all steps
        "gradient": draw(st.sampled_from(["through", "stopped"])),
    }
    return spec


def _points(draw: st.DrawFn, spec: dict[str, Any], update: dict[str, Any]) -> None:
    spec["state"]["pose"] = {"points": 2, "init": draw(st.sampled_from(["zeros", "median", "mean"]))}
    shown = {"render": "pose", "as": "gaussian", "sigma": draw(st.sampled_from([0.8, 2.0]))}
    shown |= draw(st.sampled_from([{}, {"extra": ["marker"]}, {"truncate": 1.7}, {"scale": 3.0, "offset": -0.5}]))
    spec["inputs"] = dict([*spec["inputs"].items(), ("belief", shown)][:: draw(st.sampled_from([1, -1]))])
    read = draw(st.sampled_from(list(spec["layers"])))
    spec["heads"]["mover"] = {"kind": "vector", "outputs": 4, "reads": read}
    bounded = [{}, {"bound": 0.4}, {"bound": 0.3, "norm": "each"}, {"scale": 2.0, "bound": 0.5, "norm": "vector"}]
    update["pose"] = draw(
        st.sampled_from([{"set": "mover"}, {"set": "mover", "scale": 2.0}, *({"add": "mover"} | b for b in bounded)])
    )


def _map(draw: st.DrawFn, spec: dict[str, Any], update: dict[str, Any]) -> None:
    whole = next(each["size"] for each in spec["inputs"].values() if "size" in each)
    half = [side // 2 for side in whole]
    spec["state"]["maps"] = {"channels": 2} | draw(st.sampled_from([{}, {"size": whole}, {"size": half}]))
    small = spec["state"]["maps"].get("size") == half
    how = draw(st.sampled_from([{}, {"as": "map"}, {"as": "sigmoid"}]))
    spec["inputs"]["seen"] = {"render": "maps"} | how
    if small:  # no layer that reads all inputs could: they differ in size
        first = next(iter(spec["layers"].values()))
        first.setdefault("from", {name: {} for name in spec["inputs"] if name != "seen"})
        spec["layers"]["low"] = {"channels": 2, "filter": 3, "from": "seen"}
    read = "low" if small else draw(st.sampled_from(list(spec["layers"])))
    spec["heads"]["maker"] = {"kind": "heatmap", "channels": 2, "reads": read}
    update["maps"] = {"add": "maker", "bound": 0.2, "norm": "each"} if draw(st.booleans()) else {"set": "maker"}


def values_for(
    graph: EnergyGraph, random: np.random.Generator, batch: int = 2
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Parameters, among them starting points inside the picture; and inputs with points from outside."""
    assert graph.feedback is not None
    parameters = random_parameters(graph, random)
    for state in graph.feedback.states:
        if state.start:
            parameters[state.start] = random.uniform(0, 4, state.shape)
    inputs = {node.name: random.normal(size=(batch, node.channels, *node.size)) for node in graph.plain_inputs}
    return parameters, inputs | {name: random.uniform(0, 4, (batch, 2)) for name in graph.feedback.extra}


def of_step(graph: EnergyGraph, parameters: dict[str, Array], step: int) -> dict[str, Array]:
    """The parameters of a step, under the names of layers."""
    assert graph.feedback is not None
    own = {variable.name for variable in graph.feedback.own}
    return {v.name: parameters[own_name(v.name, step) if v.name in own else v.name] for v in graph.step_parameters}


def shown(node: InputNode, given: dict[str, Array]) -> Array:
    """An input as it is given, or pixel by pixel as it shows a state."""
    rule = node.render
    if rule is None:
        return given[node.name]
    value = given[rule.state]
    if rule.how != "gaussian":
        return value if rule.how == "map" else 1 / (1 + np.exp(-value))
    points = np.concatenate([value, *(given[name][:, None] for name in rule.extra)], 1)
    maps = np.zeros((len(points), node.channels, *node.size))
    for (sample, channel, row, column), _ in np.ndenumerate(maps):
        squared = (points[sample, channel, 0] - column) ** 2 + (points[sample, channel, 1] - row) ** 2
        far = rule.truncate is not None and squared > (rule.truncate * rule.sigma) ** 2
        height = 0.0 if far else np.exp(-squared / (2 * rule.sigma**2))
        maps[sample, channel, row, column] = rule.scale * height + rule.offset
    return maps


def moved(state: StateNode, now: Array, value: Array, training: bool) -> Array:
    """The state after a step, one vector or number after another."""
    rule = state.change
    if state.is_map:
        step = (value.shape[2] // state.shape[1], value.shape[3] // state.shape[2])
        value = (
            value
            if step == (1, 1)
            else np.mean([value[:, :, i :: step[0], j :: step[1]] for i in (0, 1) for j in (0, 1)], 0)
        )
    value = rule.scale * value.reshape(now.shape)
    if rule.how == "set":
        return value
    if training and rule.limit is not None:
        for index in np.ndindex(value.shape if rule.each else value.shape[:-1]):
            length = np.linalg.norm(value[index])
            value[index] = value[index] * min(1.0, rule.limit / length if length else 1.0)
    return now + value


class PlainLoop:
    """Steps one after another: the passes on the explicit W with each input rendered, the heads, the next states."""

    def __init__(
        self, graph: EnergyGraph, parameters: dict[str, Array], given: dict[str, Array], training: bool = False
    ) -> None:
        assert graph.feedback is not None
        batch = len(next(iter(given.values())))
        self.state = {
            s.name: np.broadcast_to(parameters[s.start], (batch, *s.shape)) if s.start else np.zeros((batch, *s.shape))
            for s in graph.feedback.states
        }
        self.closest, self.smallest = np.inf, np.inf
        self.found: list[dict[str, Array]] = []
        for step in range(1, graph.feedback.steps + 1):
            own = of_step(graph, parameters, step)
            dense = (Loop if graph.untied or _messages(graph) else Dense)(graph, own, training)
            blocks = {node.name: shown(node, given | self.state) for node in graph.inputs}
            self.layers = dense.run(blocks, graph.passes)
            self.closest = min(self.closest, dense.closest)
            self.smallest = min([self.smallest, *(float(d.min()) for d, _ in dense.norms.values())])
            self.whole = interpret(unroll(graph), {**given, **own, **self.state}, training=training)
            heads = {head.name: self.whole[head.name] for head in graph.heads}
            states = graph.feedback.states
            self.state = {s.name: moved(s, self.state[s.name], heads[s.change.key].copy(), training) for s in states}
            self.found.append(heads | self.state)

    @property
    def stacked(self) -> dict[str, Array]:
        """What every step gives, one after the other."""
        return {name: np.stack([each[name] for each in self.found]) for name in self.found[0]}


def _messages(graph: EnergyGraph) -> bool:
    return any(layer.norm is not None and layer.norm.kind == "message" for layer in graph.layers)
