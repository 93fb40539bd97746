"""The emitted class: each program as a method, with its signature and its docstring."""

from __future__ import annotations

import json
import textwrap
from dataclasses import dataclass, replace
from hashlib import sha256
from math import prod

from lvmc import __version__
from lvmc.assemble import Options, Programs, Settling, programs
from lvmc.codegen import Method, ModulePlan
from lvmc.fixed_point import Adjoint, bindings
from lvmc.graph import EnergyGraph
from lvmc.ir import Program
from lvmc.ir.naming import tidy
from lvmc.ir.rolled import Rolled, entry_of
from lvmc.memory import Recompute, recompute
from lvmc.rewrites.dead_code import dead_code
from lvmc.unroll import Clamp


def plan(graph: EnergyGraph, options: Options, spec_text: str) -> ModulePlan:
    """Everything an emitter needs, from the graph, the options and the spec's text (for its hash)."""
    made = programs(graph, options)
    call = Call.of(graph, options)
    thrift = recompute(graph, made, options.memory) if options.memory else None
    heads, layers = _result_line(made.forward), _result_line(made.latents)
    setup = _setup(made, call, thrift)
    forward = call.method(
        "forward", (f"{'Heads' if graph.heads else 'Layers'} by name: {heads}.",), made.forward, setup
    )
    latents = call.method("latents", (f"Layers after their last update, by name: {layers}.",), made.latents, setup)
    public = [forward, latents] if thrift is None or thrift.whole or thrift.every else [
        *_in_parts(forward, graph, thrift, call), *_in_parts(latents, graph, thrift, call)
    ]  # fmt: skip
    methods = [*public, _score_method(graph, made.score)]
    if made.losses is not None:
        methods.append(_losses_method(graph, made.losses))
    if made.loop is not None:
        methods += _loop_methods(made.loop, call, "")
    if made.settling is not None:
        methods += _settling_methods(made.settling, call)
    return ModulePlan(
        graph.name,
        tuple(_docstring(graph, options, spec_text)),
        graph.parameters,
        graph.planes,
        options.seed,
        tuple(methods),
    )


@dataclass(frozen=True, slots=True)
class Call:
    """How the emitted class is called: its inputs, what else is given by keyword, or else the batch size."""

    inputs: tuple[str, ...]
    given: tuple[str, ...]
    clamp: Clamp

    @staticmethod
    def of(graph: EnergyGraph, options: Options) -> Call:
        """The call of a graph under some options."""
        given: list[str] = []
        for layer in graph.layers:
            how = options.clamp.get(layer.name)
            given += [layer.name] if options.start or how else []
            given += [f"{layer.name}_mask"] if how == "mask" else []
        return Call(tuple(node.name for node in graph.inputs), tuple(given), options.clamp)

    @property
    def signature(self) -> str:
        """Parameters of a public method."""
        keywords = ["*", *(f"{name}: Tensor" for name in self.given)] if self.given else []
        batch = [] if self.names else ["batch: int = 1"]
        return ", ".join([*(f"{name}: Tensor" for name in self.inputs), *keywords, *batch])

    @property
    def names(self) -> tuple[str, ...]:
        """Every tensor that is given."""
        return (*self.inputs, *self.given)

    @property
    def inner(self) -> str:
        """Parameters of a method that is called with all that is given, and the sizes."""
        given = [f"{name}: Tensor" for name in self.names] or ["batch: int"]
        return ", ".join([*given, "size: dict[str, Size]"])

    @property
    def arguments(self) -> str:
        """Arguments of such a call."""
        return ", ".join([*(self.names or ["batch"]), "size"])

    @property
    def bindings(self) -> dict[str, str]:
        """How programs that are given all tensors name them."""
        return {name: name for name in self.names}

    def method(self, name: str, docstring: tuple[str, ...], program: Program, setup: tuple[str, ...] = ()) -> Method:
        """A public method."""
        bound = _state_bindings(program, self) if setup else self.bindings
        return Method(name, self.signature, "dict[str, Tensor]", docstring, program, bound, setup=setup)


_STATE = "state: dict[str, Tensor], size: dict[str, Size]"


def _state_bindings(program: Program, call: Call) -> dict[str, str]:
    """Entries of the state, under the names that programs give them."""
    entries = {v.name: entry for v in program.variables if (entry := entry_of(v)) is not None}
    return {name: f'state["{entry}"]' for name, entry in (bindings(call.clamp) | entries).items()}


def _setup(made: Programs, call: Call, thrift: Recompute | None) -> tuple[str, ...]:
    """Statements of forward and latents before their own part: the loop."""
    if made.settling is not None:
        return (f"state = self._settle({call.arguments})",)
    if made.loop is None:
        return ()
    if thrift is not None and thrift.every:
        return (
            f"state = self._first({call.arguments})  # pass 1",
            f"state = rounds(state, size, self._down, self._up, {made.loop.rounds}, {thrift.every})"
            f"  # passes 2 to {2 * made.loop.rounds + 1}",
        )
    return (
        f"state = self._first({call.arguments})  # pass 1",
        f"for _ in range({made.loop.rounds}):",
        f"    state = self._down(state, size)  # passes 2, 4, … {2 * made.loop.rounds}",
        f"    state = self._up(state, size)  # passes 3, 5, … {2 * made.loop.rounds + 1}",
    )


def _in_parts(method: Method, graph: EnergyGraph, thrift: Recompute, call: Call) -> list[Method]:
    """A public method that runs a few samples at a time when there will be gradients, and what runs them."""
    assert method.program is not None
    types = {v.name: v.type for v in method.program.variables} | {e.out: e.type for e in method.program.equations}
    axes = {key: 1 if types[value].stacked else 0 for key, value in method.program.outputs}
    first = call.names[0] if call.names else ""
    if not first:
        return [method]
    nominal = next(plane.size for plane in graph.planes if plane.name == first)
    setup = (
        f"rows = rows_within({thrift.budget - thrift.tied}, {thrift.heads / prod(nominal):.1f},"
        f" {thrift.sample / prod(nominal):.1f}, {first})",
        f"return in_parts(self._{method.name}, rows, ({', '.join(call.names)},), {axes!r})".replace("'", '"'),
    )
    more = (
        f"With gradients, as many samples at a time as {thrift.budget:,} bytes hold, recomputed for the backward pass."
    )
    public = replace(method, program=None, setup=setup, docstring=(*method.docstring, more), sizes="unused")
    names = ", ".join(f"{name}: Tensor" for name in call.names)
    return [public, replace(method, name=f"_{method.name}", arguments=names)]


def _loop_methods(loop: Rolled, call: Call, stem: str) -> list[Method]:
    """Methods that give the first state, and from each state the next."""
    return [
        Method(
            f"_{stem}first", call.inner, "dict[str, Tensor]", ("The state after pass 1, bottom-up.",), loop.first,
            call.bindings, sizes="given", headings=False,
        ),
        _next_state(f"_{stem}down", "The state after an even pass, top-down.", loop.down, call),
        _next_state(f"_{stem}up", "The state after an odd pass, bottom-up.", loop.up, call),
    ]  # fmt: skip


def _next_state(name: str, docstring: str, program: Program, call: Call) -> Method:
    bound = _state_bindings(program, call)
    return Method(name, _STATE, "dict[str, Tensor]", (docstring,), program, bound, sizes="given", headings=False)


def _residual_method(name: str, program: Program, call: Call) -> Method:
    docstring = ("Largest |z − update(z)| over all layers and units, (batch,).",)
    bound = _state_bindings(program, call)
    return Method(name, _STATE, "Tensor", docstring, program, bound, "value", sizes="given", headings=False)


def _settling_methods(settling: Settling, call: Call) -> list[Method]:
    """The passes with their test, and what gradients through a fixed point need."""
    methods = [_settle_method(settling, call), *_loop_methods(settling.loop, call, "")]
    methods.append(_residual_method("_residual", settling.residual, call))
    if settling.adjoint is not None:
        methods += _adjoint_methods(settling.adjoint, settling, call)
    return methods


def _settle_method(settling: Settling, call: Call) -> Method:
    until = settling.until
    run = _settle_call(f"self._first({call.arguments})", settling.loop, settling, "")
    lines = [f"found = {run[0]}", *run[1:], "state, self.passes_used, self.converged = found"]
    if until.residual > 0:
        docstring = f"Passes until the residual is at most {until.residual}, {until.max_passes} of them at most."
    else:
        docstring = f"The layers after {until.max_passes} passes."
    kept = [f'"{bindings(call.clamp).get(name, name)}": {name}' for name in call.names]
    given = f"state |= {{{', '.join(kept)}}}"
    if settling.adjoint is None:
        lines += [*([given] if kept else []), "return state"]
        more: tuple[str, ...] = ()
    else:
        more = ("Gradients go through the last state alone, as if it were a fixed point.",)
        lines = ["with torch.no_grad():", *(f"    {line}" for line in lines), *([given] if kept else [])]
        for name, how in call.clamp.items():
            if how == "mask":
                lines.append(f'state["{name}"] = torch.where({name}_mask.bool(), {name}, state["{name}"])')
        lines += [
            "if not torch.is_grad_enabled():",
            "    return state",
            "return fixed_point(state, self._excess(state, size), self._adjoint, size)",
        ]
    return Method(
        "_settle", call.inner, "dict[str, Tensor]", (docstring, *more), None, {}, setup=tuple(lines), sizes="given"
    )


def _settle_call(first: str, loop: Rolled, settling: Settling, stem: str) -> list[str]:
    """The call of `settle` on a first state, over several lines."""
    variables = {entry_of(v): v for v in (*loop.down.variables, *loop.up.variables)}
    keys = [key for key, _ in loop.up.outputs]
    layers = [key for key in keys if key in {eq.origin.layer for eq in (*loop.up.equations, *loop.first.equations)}]
    shared = [key for key in keys if key in variables and not variables[key].type.batched]
    until = settling.until
    return [
        "settle(",
        f"    {first},",
        "    size,",
        f"    (self._{stem}down, self._{stem}up, self._{stem}residual),",
        *_wrapped(f"    layers={json.dumps(layers)},"),
        *_wrapped(f"    shared={json.dumps(shared)},"),
        f"    tolerance={until.residual!r},",
        f"    max_passes={until.max_passes},",
        ")",
    ]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, 100, subsequent_indent="        ", break_long_words=False, break_on_hyphens=False)


def _adjoint_methods(adjoint: Adjoint, settling: Settling, call: Call) -> list[Method]:
    layers = [key for key, _ in adjoint.slopes.outputs]
    cotangents = {f"{layer}_cotangent": f'cotangent["{layer}"]' for layer in layers}
    slopes = {f"{layer}_slope": f'slope["{layer}"]' for layer in layers}
    first = "self._adjoint_first(cotangent, self._slopes(state, size), size)"
    run = _settle_call(first, adjoint.loop, settling, "adjoint_")
    solve = (f"found = {run[0]}", *run[1:], "return found[0]")
    inner = Call((), (), {})
    begin = Method(
        "_adjoint_first", "cotangent: dict[str, Tensor], slope: dict[str, Tensor], size: dict[str, Size]",
        "dict[str, Tensor]", ("λ after pass 1, bottom-up.",), adjoint.loop.first, cotangents | slopes,
        sizes="given", headings=False,
    )  # fmt: skip
    given = {name: f'state["{name}"]' for name in (*cotangents, *slopes)}
    residual = _residual_method("_adjoint_residual", adjoint.residual, inner)
    return [
        _next_state(
            "_excess", "a − d z of every layer: what moves z, as a function of parameters and inputs.",
            adjoint.excess, call,
        ),
        _next_state(
            "_slopes", "How far z follows its drive, unit by unit: 0 where it stays as it is.", adjoint.slopes, call
        ),
        Method(
            "_adjoint", "state: dict[str, Tensor], cotangent: dict[str, Tensor], size: dict[str, Size]",
            "dict[str, Tensor]",
            ("λ = slope (cotangent + W λ) / d of every layer, by the same passes: gradients with respect to drives.",),
            None, {}, setup=solve, sizes="given",
        ),
        begin,
        *_loop_methods(adjoint.loop, inner, "adjoint_")[1:],
        replace(residual, bindings=dict(residual.bindings) | given),
    ]  # fmt: skip


def _score_method(graph: EnergyGraph, program: Program | None) -> Method:
    inputs = [node.name for node in graph.inputs]
    bound = {name: name for name in inputs} | {layer.name: f'z["{layer.name}"]' for layer in graph.layers}
    arguments = ", ".join([*(f"{name}: Tensor" for name in inputs), "z: dict[str, Tensor]"])
    docstring = ("S(z; x) of every sample, (batch,).", "z holds every layer, as `latents` gives them.")
    if program is None:
        refusal = ("raise NotImplementedError(", f"    {graph.why_no_energy!r}", ")")
        return Method("score", arguments, "Tensor", docstring, None, {}, setup=refusal)
    program = replace(program, outputs=program.outputs[:1])
    return Method("score", arguments, "Tensor", docstring, tidy(dead_code(program)), bound, "value")


def _losses_method(graph: EnergyGraph, program: Program) -> Method:
    names = [head.name for head in graph.heads]
    bound = {f"{side}.{name}": f'{side}["{name}"]' for side in ("out", "targets") for name in names}
    shapes = "; ".join(f"{v.name.split('.')[1]} (batch, {v.type})" for v in program.variables if v.kind == "target")
    docstring = (
        "Weighted loss of every head; their sum is the objective.",
        f"targets: {shapes.replace('batch, scalar', 'batch')}. Negative entries of maps and labels are ignored.",
    )
    arguments = "out: dict[str, Tensor], targets: dict[str, Tensor]"
    return Method("losses", arguments, "dict[str, Tensor]", docstring, program, bound, sizes="unused")


def _result_line(program: Program) -> str:
    types = {variable.name: variable.type for variable in program.variables}
    types |= {equation.out: equation.type for equation in program.equations}
    shown: list[str] = []
    for key, value in program.outputs:
        kind = types[value]
        stack = f"{kind.stacked}, " if kind.stacked else ""
        shown.append(f"{key} ({stack}batch, {', '.join(map(str, kind.shape))})")
    return "; ".join(shown) if len(shown) <= 2 else "; ".join([shown[0], "…", shown[-1]])


def _docstring(graph: EnergyGraph, options: Options, spec_text: str) -> list[str]:
    """What the file is, and which spec and options made it."""
    passes = options.passes or graph.passes
    sweeps = "one bottom-up pass" if passes == 1 else f"{passes} passes, up and down in turn,"
    if graph.until is not None and options.passes is None:
        sweeps = f"passes, up and down in turn, until the residual is {graph.until.residual} (at most {passes}),"
    energy = "energy" if not graph.why_no_energy else "model"
    title = f"{graph.name}: {sweeps} of coordinate ascent on a hierarchical {energy} of {len(graph.layers)} layers."
    digest = sha256(spec_text.encode()).hexdigest()[:16]
    made = (
        f"Emitted by lvmc {__version__} from spec sha256:{digest}{_option_text(options)}. Do not edit: change the spec."
    )
    formula = (
        "S(z; x) = Σ ⟨z_upper, w ⋆ P(z_lower)⟩ + Σ ⟨b, z⟩ − ½ Σ ⟨z, d z⟩, maximised layer by layer over its domain."
    )
    formula = formula if not graph.why_no_energy else f"No single score is maximised: {graph.why_no_energy}."
    return [title, "", made, "", formula, "", "Layers, bottom to top:", *_layer_lines(graph)]


def _option_text(options: Options) -> str:
    shown = [
        *(["the plain unrolling"] if not options.optimize else []),
        *([f"passes={options.passes}"] if options.passes is not None else []),
        *([f"clamp={dict(options.clamp)}"] if options.clamp else []),
        *(["start=given"] if options.start else []),
    ]
    return f" ({', '.join(shown)})" if shown else ""


def _layer_lines(graph: EnergyGraph) -> list[str]:
    width = max(len(layer.name) for layer in graph.layers)
    lines: list[str] = []
    for layer in graph.layers:
        below = ", ".join(f"{c.kernel[0]}×{c.kernel[1]} on {c.lower}" for c in layer.couplings) or "nothing below"
        group = f", groups of {layer.group}" if layer.group and prod(layer.group) > 1 else ""
        kind = "" if layer.kind == "rectified" else f", {layer.kind}"
        lines.append(
            f"    {layer.name:<{width}}  {layer.channels}×{layer.size[0]}×{layer.size[1]}  {below}{group}{kind}"
        )
    return lines
