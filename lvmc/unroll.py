"""Plain block coordinate ascent, unrolled: every update recomputes every message; cleverness is for rewrites."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from lvmc.graph import EnergyGraph, HeadNode, InputNode, LayerNode, block
from lvmc.graph.constraint import Ends, scaled_filters
from lvmc.graph.terms import (
    bottom_message,
    changed,
    lateral_filter,
    norm_diagonal,
    own_diagonal,
    rendered,
    spread,
    top_message,
)
from lvmc.heads import Desk, Reading
from lvmc.ir import Builder, Origin, Program, TensorType, Variable
from lvmc.ir.ops import (
    Add,
    AddChannel,
    AddScalar,
    AddScaled,
    ClampedKey,
    Constant,
    Correlate,
    Gain,
    Keep,
    MessageNorm,
    Moments,
    Select,
    Stack,
    SumWindows,
    Winners,
    Zeros,
)
from lvmc.schedule import Message, Update, schedule

Clamp = Mapping[str, Literal["all", "mask"]]


def unroll(
    graph: EnergyGraph,
    passes: int | None = None,
    clamp: Clamp | None = None,
    start: bool = False,
    watch: bool = False,
) -> Program:
    """k passes of block coordinate ascent, then the heads.

    Args:
        graph: What to maximise.
        passes: k; the graph's own if not given.
        clamp: Layers given from outside: `all` of it, never updated, or where a `mask` is 1.
        start: Whether latents start at given values, brought into their domain, instead of 0.
        watch: Whether the state after each pass is an output too, as `<entry>@<pass>` (see `Unroller.entries`).

    Returns:
        A program whose outputs are the heads, then the layers after their last update. With outer feedback it is one
        step, which is given the states; they follow the heads as the step leaves them.
    """
    unroller = Unroller(graph, graph.passes if passes is None else passes, dict(clamp or {}), start)
    return unroller.program(watch)


@dataclass(slots=True)
class Unroller:
    """Values of the layers as the passes go on."""

    graph: EnergyGraph
    passes: int
    clamp: dict[str, Literal["all", "mask"]]
    start: bool
    build: Builder = field(init=False)
    state: dict[str, str] = field(default_factory=dict[str, str])
    winners: dict[str, str] = field(default_factory=dict[str, str])
    diagonals: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    moments: dict[str, str] = field(default_factory=dict[str, str])
    laterals: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    filters: dict[Ends, str] = field(default_factory=dict[Ends, str])
    predictions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])

    def program(self, watch: bool = False) -> Program:
        """The whole unrolling: start, passes, heads."""
        variables = self.begin()
        updates = self.updates()
        seen: list[tuple[str, str]] = []
        for index, update in enumerate(updates):
            if self.clamp.get(update.layer) != "all":
                self.state[update.layer] = self.update(update)
            if index + 1 == len(updates) or updates[index + 1].pass_ != update.pass_:
                self.read(update.pass_)
                seen += [(f"{key}@{update.pass_}", value) for key, value in self.entries().items()] if watch else []
        outputs = self.outputs()
        outputs += self.next_states(dict(outputs))
        outputs += [(layer.name, self.state[layer.name]) for layer in self.graph.layers]
        return Program(self.graph.name, variables, self.graph.planes, self.build.equations(), (*outputs, *seen))

    def next_states(self, heads: Mapping[str, str]) -> list[tuple[str, str]]:
        """What outer feedback carries on to the next step."""
        states = self.graph.feedback.states if self.graph.feedback else ()
        return [(state.name, changed(self.build, state, heads[state.change.key])) for state in states]

    def entries(self) -> dict[str, str]:
        """What an update of the present state needs besides parameters, by name.

        Layers and inputs; `<layer>_given` and `<layer>_mask` of clamped layers; `<layer>_moments` of drive norms;
        `<layer>_winner` where the first pass chose the winners for all.
        """
        masked = [layer for layer, how in self.clamp.items() if how == "mask"]
        return {
            **self.state,
            **{f"{layer}_given": layer for layer in masked},
            **{f"{layer}_mask": f"{layer}_mask" for layer in masked},
            **{f"{layer}_moments": value for layer, value in self.moments.items()},
            **{f"{name}_winner": value for name, value in self.winners.items() if self._keeps_winner(name)},
        }

    def _keeps_winner(self, layer: str) -> bool:
        return self.graph.layer[layer].keeps_first_winner

    def begin(self) -> tuple[Variable, ...]:
        """The state before the first pass; the program's variables."""
        variables = self.variables()
        self.build = Builder(variables)
        self.state = {node.name: self._shown(node) for node in self.graph.inputs}
        self.state |= {layer.name: self._start(layer) for layer in self.graph.layers}
        self.derive()
        return variables

    def updates(self) -> tuple[Update, ...]:
        """Every update of every pass, in order."""
        blocks = [block(layer, self.graph.above.get(layer.name, ())) for layer in self.graph.layers]
        return schedule(blocks, self.passes)

    def variables(self) -> tuple[Variable, ...]:
        """What the program is given."""
        found = [
            Variable(node.name, TensorType((node.channels, *node.size)), "input") for node in self.graph.plain_inputs
        ]
        found += self.graph.feedback.given if self.graph.feedback else ()
        for layer in self.graph.layers:
            kind = TensorType((layer.channels, *layer.size))
            if self.start or layer.name in self.clamp:
                found.append(Variable(layer.name, kind, "latent"))
            if self.clamp.get(layer.name) == "mask":
                found.append(Variable(f"{layer.name}_mask", TensorType(kind.shape, mask=True), "mask"))
        return (*found, *self.graph.step_parameters)

    def _shown(self, node: InputNode) -> str:
        """An input as it is given, or as it shows a state."""
        return node.name if node.render is None else rendered(self.build, node, node.render)

    def _start(self, layer: LayerNode) -> str:
        """z before the first pass."""
        name, origin = f"{layer.name}_p0", Origin(layer.name, 0, "start")
        if self.clamp.get(layer.name) == "all":
            return layer.name
        if self.start:
            value = self._projected(layer, name, origin)
        else:
            shape = (layer.channels, *layer.size)
            value = self.build.add(Zeros(shape, layer.name), name=name, origin=origin)
        return self._clamped(layer, value, name, origin)

    def _projected(self, layer: LayerNode, name: str, origin: Origin) -> str:
        value = layer.unit.project(self.build, layer.name, name, origin)
        if layer.group is None:
            return value
        unit_diagonal = self.build.add(Constant((1.0,) * layer.channels), name=f"{name}_ones", origin=origin)
        winner = self._winner(layer, layer.name, value, unit_diagonal, True, f"{name}_winner", origin)
        return self.build.add(Keep(), value, winner, name=name, origin=origin)

    def update(self, update: Update) -> str:
        """The exact block maximiser (with lateral couplings: one monotone step) of one layer."""
        layer = self.graph.layer[update.layer]
        name, origin = f"{layer.name}_p{update.pass_}", Origin(layer.name, update.pass_, "update")
        drive = self.drive(layer, update)
        diagonal, shift = self._diagonal(layer, drive)
        at_drive = Origin(layer.name, update.pass_, "drive")
        if shift:
            drive = self.build.add(
                AddChannel(), drive, shift, name=f"{layer.name}_normed_p{update.pass_}", origin=at_drive
            )
        if layer.lateral is not None:
            bound = self.laterals[layer.name][1]
            old, stem = self.state[layer.name], f"{layer.name}_shifted_p{update.pass_}"
            drive = self.build.add(AddScaled(), drive, old, bound, name=stem, origin=at_drive)
            diagonal = self.build.add(AddScalar(), diagonal, bound, name=f"{layer.name}_step", origin=at_drive)
        final = layer.group is None and layer.name not in self.clamp
        own_name = name if final else f"{layer.name}_units_p{update.pass_}"
        value = layer.unit.value(self.build, drive, diagonal, own_name, origin)
        if layer.group is not None:
            winner = self._group_winner(layer, drive, value, diagonal, update.pass_)
            kept_name = name if layer.name not in self.clamp else f"{layer.name}_kept_p{update.pass_}"
            value = self.build.add(Keep(), value, winner, name=kept_name, origin=origin)
        return self._clamped(layer, value, name, origin)

    def _group_winner(self, layer: LayerNode, drive: str, value: str, diagonal: str, pass_: int) -> str:
        if layer.keeps_first_winner and layer.name in self.winners:
            return self.winners[layer.name]
        origin = Origin(layer.name, pass_, "winner")
        name = f"{layer.name}_winner_p{pass_}"
        winner = self._winner(layer, drive, value, diagonal, layer.uniform, name, origin)
        self.winners[layer.name] = winner
        return winner

    def _winner(
        self, layer: LayerNode, drive: str, value: str, diagonal: str, uniform: bool, name: str, origin: Origin
    ) -> str:
        assert layer.group is not None
        keys = [drive]
        if not layer.unit.wins_by_drive(uniform):
            keys = [self.build.add(Gain(), drive, value, diagonal, name=f"{name}_gain", origin=origin), drive]
        if self.clamp.get(layer.name) == "mask":
            mask = f"{layer.name}_mask"
            keys = [
                self.build.add(ClampedKey(), mask, layer.name, key, name=f"{name}_key", origin=origin) for key in keys
            ]
        return self.build.add(Winners(layer.group), *keys, name=name, origin=origin)

    def _clamped(self, layer: LayerNode, value: str, name: str, origin: Origin) -> str:
        if self.clamp.get(layer.name) != "mask":
            return value
        return self.build.add(Select(), f"{layer.name}_mask", layer.name, value, name=name, origin=origin)

    def drive(self, layer: LayerNode, update: Update) -> str:
        """a = b + Σ messages from below + Σ messages from above + L ⋆ z."""
        pass_ = update.pass_
        origin = Origin(layer.name, pass_, "drive")
        terms = [term for message in update.messages if (term := self._message(layer, message, pass_))]
        if layer.lateral is not None:
            taps, name = self.laterals[layer.name][0], f"{layer.name}_side_p{pass_}"
            at_side = Origin(layer.name, pass_, "lateral")
            op = Correlate(layer.lateral)
            terms.append(self.build.add(op, self.state[layer.name], taps, name=name, origin=at_side))
        if not terms:
            shape = (layer.channels, *layer.size)
            terms = [self.build.add(Zeros(shape, layer.name), name=f"{layer.name}_silence", origin=origin)]
        if layer.bias:
            name = f"{layer.name}_{'biased' if len(terms) > 1 else 'drive'}_p{pass_}"
            terms[0] = self.build.add(AddChannel(), terms[0], f"{layer.name}.bias", name=name, origin=origin)
        if len(terms) == 1:
            return terms[0]
        return self.build.add(Add(), *terms, name=f"{layer.name}_drive_p{pass_}", origin=origin)

    def _message(self, layer: LayerNode, message: Message, pass_: int) -> str:
        """One message; empty where it vanishes by the meaning of the spec (untied filters, norms of messages)."""
        by_use = self.graph.untied or (layer.norm is not None and layer.norm.kind == "message")
        if by_use and message.computed == 0:
            return ""
        ends = (layer.name, message.sender) if message.direction == "bottom" else (message.sender, layer.name)
        coupling = next(c for c in self.graph.layer[ends[0]].couplings if c.lower == ends[1])
        weight = self.filters.get(ends, coupling.weight)
        weight = f"{weight}_p{message.computed}" if self.graph.untied else weight
        origin = Origin(layer.name, pass_, message.direction, message.sender)
        several = len(layer.couplings if message.direction == "bottom" else self.graph.above[layer.name]) > 1
        stem = f"{layer.name}_{message.direction}" + (f"_{message.sender}" if several else "") + f"_p{pass_}"
        send = bottom_message if message.direction == "bottom" else top_message
        value = send(self.build, coupling, self.state[message.sender], weight, stem, origin)
        if layer.norm is not None and layer.norm.kind == "message":
            value = self._normed(layer, message, value, stem, origin)
        return spread(self.build, coupling, value, f"{stem}_spread", origin) if message.direction == "top" else value

    def _normed(self, layer: LayerNode, message: Message, value: str, stem: str, origin: Origin) -> str:
        assert layer.norm is not None
        path = f"{layer.name}.norm.{message.sender}_p{message.computed}"
        leaves = [f"{path}.{leaf}" for leaf in ("weight", "bias", "running_mean", "running_var")]
        op = MessageNorm(layer.norm.eps, layer.norm.momentum)
        return self.build.add(op, value, *leaves, name=f"{stem}_normed", origin=origin)

    def derive(self) -> None:
        """What depends on parameters only: constrained filters, diagonals (but for drive norms), symmetric laterals."""
        self.filters = scaled_filters(self.build, self.graph)
        for layer in self.graph.layers:
            origin = Origin(layer.name, 0, "derived")
            if layer.norm is None or layer.norm.kind == "message":
                self.diagonals[layer.name] = (own_diagonal(self.build, layer, origin), "")
            if layer.lateral is not None:
                taps = self.filters.get((layer.name, layer.name), "")
                self.laterals[layer.name] = lateral_filter(self.build, layer, origin, taps)

    def _diagonal(self, layer: LayerNode, drive: str) -> tuple[str, str]:
        """d, and what a drive norm adds to the bias: from the first drive, unchanged in later passes."""
        if layer.name not in self.diagonals:
            assert layer.norm is not None
            running = (f"{layer.name}.norm.running_mean", f"{layer.name}.norm.running_var")
            origin = Origin(layer.name, 1, "norm")
            op = Moments(layer.norm.momentum)
            moments = self.build.add(op, drive, *running, name=f"{layer.name}_moments", origin=origin)
            self.moments[layer.name] = moments
            self.diagonals[layer.name] = norm_diagonal(self.build, layer, moments, origin)
        return self.diagonals[layer.name]

    def read(self, pass_: int) -> None:
        """Predictions of the heads that read after this pass."""
        for head in self.graph.heads:
            at = head.record.at
            if at in ("each", pass_) or (at == "last" and pass_ == self.passes):
                for key, value in self._predict(head, pass_).items():
                    self.predictions.setdefault(key, []).append(value)

    def _predict(self, head: HeadNode, pass_: int) -> dict[str, str]:
        """What a head says, by output."""
        origin = Origin(head.name, pass_, "head")
        tag = head.name if head.record.at != "each" else f"{head.name}_after{pass_}"
        readings = [
            reading._replace(value=self._pooled(reading.layer, reading.window, pass_, origin))
            for reading in head.readings
        ]
        if head.source:
            maps = self.predictions[head.source][-1]
            channels, *_ = self.build.types[maps].shape
            readings = [Reading(head.source, maps, channels, self.graph.canvas.size, (1, 1))]
        said = head.record.equations(Desk(self.build, head.name, tag, origin), readings, self.graph.canvas)
        return {head.name: said} if isinstance(said, str) else {f"{head.name}.{part}": v for part, v in said.items()}

    def _pooled(self, layer: str, window: tuple[int, int], pass_: int, origin: Origin) -> str:
        if window == (1, 1):
            return self.state[layer]
        return self.build.add(SumWindows(window), self.state[layer], name=f"{layer}_pooled_p{pass_}", origin=origin)

    def outputs(self) -> list[tuple[str, str]]:
        """The values of all heads, which have read, by output."""
        return [(key, self._output(head, key)) for head in self.graph.heads for key in head.outputs]

    def _output(self, head: HeadNode, key: str) -> str:
        found, origin = self.predictions[key], Origin(head.name, self.passes, "head")
        if head.record.at != "each":
            return found[-1]
        return self.build.add(Stack(), *found, name=f"{key.replace('.', '_')}_each", origin=origin)
