"""Methods of outer feedback: the loop, one step of it, and where its states start."""

from __future__ import annotations

from dataclasses import dataclass

from lvmc.codegen import Method
from lvmc.graph import EnergyGraph
from lvmc.graph.states import FeedbackNode, StateNode
from lvmc.ir import Program
from lvmc.ir.rolled import entry_of
from lvmc.ir.stepped import Stepped
from lvmc.methods.call import STATE, Call

_OUT = "dict[str, Tensor]"


def stepped_methods(graph: EnergyGraph, made: Stepped, call: Call, lines: tuple[str, str]) -> list[Method]:
    """`forward`, `latents` and `step`, and the inner methods that they run; `lines` tell what the first two give."""
    feedback = graph.feedback
    assert feedback is not None
    names = [state.name for state in feedback.states]
    fixed = inner_method("_before", "What no step changes, by name.", made.before)
    inner = [fixed] if made.before.outputs else []
    for number, (body, layers) in enumerate(zip(made.bodies, made.layers, strict=True), 1):
        mark, word = (str(number), f"Step {number}") if len(made.bodies) > 1 else ("", "A step")
        told = f"{word}: what it predicts, and {_listed(names)} as it leaves {'it' if len(names) == 1 else 'them'}."
        inner.append(inner_method(f"_step{mark}", told, body, headings=True))
        inner.append(inner_method(f"_layers{mark}", f"The layers after their last update in {word.lower()}.", layers))
    loop = _Loop(feedback, made, call)
    return [*loop.public(*lines), loop.start(), *inner]


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))


@dataclass(frozen=True, slots=True)
class _Loop:
    """The statements that public methods are made of."""

    feedback: FeedbackNode
    made: Stepped
    call: Call

    def public(self, heads: str, layers: str) -> list[Method]:
        """`forward`, `latents` and `step`."""
        feedback, moves = self.feedback, "point" if self._all_points else "number"
        most = f"at most {feedback.steps}" if self._many else "any number of"
        more = (f"steps: {most} steps; they end after one that moves no {moves} by more than `stop`.", *self._starts())
        run = [f"{state.name}: Tensor | None = None" for state in feedback.states]
        run += [f"steps: int = {feedback.steps}", f"stop: float = {feedback.stop or 0.0!r}"]
        which = "Step `number`" if self._many else "One step"
        told = f"{which} from given states: heads, and the states as it leaves them."
        given = [*(f"{state.name}: Tensor" for state in feedback.states), *(["number: int = 1"] if self._many else [])]
        shown = ("Heads and states after every step, by name.", f"{heads}.", *more)
        inside = ("Layers after their last update of the last step, by name.", f"{layers}.", *more)
        return [
            self._method("forward", self._signature(run), shown, self._forward()),
            self._method("latents", self._signature(run), inside, self._latents()),
            self._method("step", self._signature(given), (told,), self._step()),
        ]

    @property
    def _many(self) -> bool:
        return len(self.made.bodies) > 1

    @property
    def _all_points(self) -> bool:
        return not any(state.is_map for state in self.feedback.states)

    def _starts(self) -> list[str]:
        told: list[str] = []
        for state in self.feedback.states:
            shape = ", ".join(map(str, state.shape))
            where = f"{state.start} (batch, {shape})" if state.start else f"0 (batch, {shape})"
            told.append(f"{state.name}: where it starts, in place of {where}.")
        return told

    def _signature(self, keywords: list[str]) -> str:
        given = [f"{name}: Tensor" for name in (*self.feedback.extra, *self.call.given)]
        return ", ".join([*(f"{name}: Tensor" for name in self.call.inputs), "*", *given, *keywords])

    def _method(self, name: str, arguments: str, docstring: tuple[str, ...], lines: list[str]) -> Method:
        return Method(name, arguments, _OUT, docstring, None, {}, setup=tuple(lines), sizes="unused")

    def _given(self) -> list[str]:
        """What is the same in all steps, and the sizes of all planes."""
        names = (*self.call.inputs, *self.feedback.extra, *self.call.given)
        masks = {f"{layer}_mask" for layer, how in self.call.clamp.items() if how == "mask"}
        entries: list[str] = []
        for name in names:
            text = name if name in self.feedback.extra else f"channels_last({name})"
            entries.append(f'"{name}": {text}' + (".bool()" if name in masks else ""))
        return [f"given = {{{', '.join(entries)}}}", f"size = self._sizes({', '.join(self.call.inputs)})"]

    @property
    def _fixed(self) -> str:
        return "given | self._before(given, size)" if self.made.before.outputs else "given"

    def _start_call(self) -> str:
        states = [state.name for state in self.feedback.states]
        return f"self._start({', '.join([*states, f'{self.call.inputs[0]}', 'size'])})"

    def _methods_of(self, stem: str) -> str:
        numbers = range(1, len(self.made.bodies) + 1) if self._many else [""]
        return f"[{', '.join(f'self.{stem}{number}' for number in numbers)}]"

    def _run(self, carried: str, count: str) -> list[str]:
        """The call that runs the loop, over several lines."""
        lines = [f"first_of({self._methods_of('_step')}, {count}),", f"{self._fixed},", f"{carried},", "size,",
                 "0.0 if self.training else stop,"]  # fmt: skip
        return [
            "run_steps(",
            *(f"    {line}" for line in lines + ["through=False,"] * (not self.feedback.through)),
            ")",
        ]

    def _forward(self) -> list[str]:
        run = self._run(self._start_call(), "steps")
        return [*self._given(), f"return {run[0]}", *run[1:]]

    def _latents(self) -> list[str]:
        last = f"first_of({self._methods_of('_layers')}, steps)[-1]" if self._many else "self._layers"
        run = self._run("carried", "steps - 1")
        return [
            *self._given(),
            f"carried = {self._start_call()}",
            "if steps > 1:",
            f"    found = {run[0]}",
            *(f"    {line}" for line in run[1:]),
            "    carried = {name: found[name][-1] for name in carried}",
            f"return {last}(given | carried, size)",
        ]

    def _step(self) -> list[str]:
        carried = ", ".join(f'"{state.name}": {state.name}' for state in self.feedback.states)
        chosen = [f"body = first_of({self._methods_of('_step')}, number)[-1]"] if self._many else []
        body = "body" if self._many else "self._step"
        return [*self._given(), *chosen, f"return {body}({self._fixed} | {{{carried}}}, size)"]

    def start(self) -> Method:
        """Where states start that are not given."""
        first = self.call.inputs[0]
        lines = [f"batch = {first}.shape[0]"]
        for state in self.feedback.states:
            lines += [f"if {state.name} is None:", f"    {state.name} = {_start_of(state, first)}"]
        entries = ", ".join(f'"{state.name}": {state.name}' for state in self.feedback.states)
        lines.append(f"return {{{entries}}}")
        states = [f"{state.name}: Tensor | None" for state in self.feedback.states]
        arguments = ", ".join([*states, f"{first}: Tensor", "size: dict[str, Size]"])
        docstring = ("The states before the first step, where they are not given.",)
        return Method("_start", arguments, _OUT, docstring, None, {}, setup=tuple(lines), sizes="given")


def _start_of(state: StateNode, first: str) -> str:
    if state.start:
        return f"self.{state.start}.expand(batch, {', '.join('-1' for _ in state.shape)})"
    if state.is_map:
        return f'{first}.new_zeros(batch, {state.shape[0]}, *size["{state.plane}"])'
    return f"{first}.new_zeros(batch, {', '.join(map(str, state.shape))})"


def inner_bindings(program: Program) -> dict[str, str]:
    """Everything that a program is given, as entries of one dict."""
    entries = {v.name: entry_of(v) or v.name for v in program.variables if v.kind not in ("parameter", "statistic")}
    return {name: f'state["{entry}"]' for name, entry in entries.items()}


def inner_method(name: str, docstring: str, program: Program, headings: bool = False) -> Method:
    """A method on a dict of what is given and carried."""
    bound = inner_bindings(program)
    return Method(name, STATE, _OUT, (docstring,), program, bound, sizes="given", headings=headings)
