"""Everything an emitter needs of a compiled spec."""

from __future__ import annotations

from dataclasses import replace
from textwrap import wrap

from lvmc.assemble import Options, Programs, programs
from lvmc.codegen import Method, ModulePlan
from lvmc.graph import EnergyGraph
from lvmc.ir import Program
from lvmc.ir.naming import tidy
from lvmc.memory import recompute
from lvmc.methods.call import Call
from lvmc.methods.densities import density_methods, draws_of, takes_samples
from lvmc.methods.docstring import class_docstring
from lvmc.methods.loops import in_parts, loop_methods, setup_of
from lvmc.methods.settling import settling_methods
from lvmc.methods.stepped import stepped_methods
from lvmc.rewrites.dead_code import dead_code

_WIDTH = 112


def plan(graph: EnergyGraph, options: Options, spec_text: str) -> ModulePlan:
    """Everything an emitter needs, from the graph, the options and the spec's text (for its hash)."""
    made = programs(graph, options)
    call = Call.of(graph, options)
    budget = recompute(graph, made, options) if options.memory else None
    heads, layers = _result_line(made.forward), _result_line(made.latents)
    if made.stepped is not None:
        return _plan(graph, options, spec_text, [
            *stepped_methods(graph, made.stepped, call, (_result_line(made.forward, "steps, "), layers)),
            *_others(graph, made),
        ])  # fmt: skip
    setup = setup_of(made, call, budget)
    forward = call.method(
        "forward", (f"{'Heads' if graph.heads else 'Layers'} by name: {heads}.",), made.forward, setup
    )
    latents = call.method("latents", (f"Layers after their last update, by name: {layers}.",), made.latents, setup)
    public = [forward, latents] if budget is None or budget.whole or budget.every else [
        *in_parts(forward, graph, budget, call), *in_parts(latents, graph, budget, call)
    ]  # fmt: skip
    methods = [*public, *_others(graph, made)]
    if made.loop is not None:
        methods += loop_methods(made.loop, call, "")
    if made.settling is not None:
        methods += settling_methods(made.settling, call)
    return _plan(graph, options, spec_text, methods)


def _others(graph: EnergyGraph, made: Programs) -> list[Method]:
    """The score, and the losses and densities where there are heads."""
    losses = [] if made.losses is None else [_losses_method(graph, made.losses), *density_methods(graph)]
    return [_score_method(graph, made.score), *losses]


def _plan(graph: EnergyGraph, options: Options, spec_text: str, methods: list[Method]) -> ModulePlan:
    return ModulePlan(
        graph.name,
        tuple(class_docstring(graph, options, spec_text)),
        graph.parameters,
        graph.planes,
        options.seed,
        tuple(methods),
    )


def _score_method(graph: EnergyGraph, program: Program | None) -> Method:
    inputs = [node.name for node in graph.plain_inputs]
    given = [variable.name for variable in graph.feedback.given] if graph.feedback else []
    bound = {name: name for name in (*inputs, *given)} | {layer.name: f'z["{layer.name}"]' for layer in graph.layers}
    keywords = ["*", *(f"{name}: Tensor" for name in given)] if given else []
    arguments = ", ".join([*(f"{name}: Tensor" for name in inputs), "z: dict[str, Tensor]", *keywords])
    docstring = ("S(z; x) of every sample, (batch,).", "z holds every layer, as `latents` gives them.")
    if program is None:
        refusal = ("raise NotImplementedError(", f"    {graph.why_no_energy!r}", ")")
        return Method("score", arguments, "Tensor", docstring, None, {}, setup=refusal)
    program = replace(program, outputs=program.outputs[:1])
    return Method("score", arguments, "Tensor", docstring, tidy(dead_code(program)), bound, "value")


def _losses_method(graph: EnergyGraph, program: Program) -> Method:
    setup, drawn = draws_of(graph)
    bound = {f"{side}.{name}": f'{side}["{name}"]' for side in ("out", "targets") for name in graph.outputs} | drawn
    targets = [variable for variable in program.variables if variable.kind == "target"]
    shapes = "; ".join(f"{v.name.removeprefix('targets.')} (batch, {v.type})" for v in targets)
    ignored = "Negative entries of maps and labels are ignored."
    if any(head.source for head in graph.heads):
        ignored = "Negative entries of maps and labels, and NaN entries of points, are ignored."
    about = f"targets: {shapes.replace('batch, scalar', 'batch')}. {ignored}"
    docstring = ["Weighted loss of every head; their sum is the objective.", *wrap(about, _WIDTH)]
    if graph.feedback is not None:
        docstring.append("Targets of numbers and of heatmaps may have the steps in front, as `out` has.")
    arguments = "out: dict[str, Tensor], targets: dict[str, Tensor]"
    if takes_samples(graph):
        arguments += ", samples: dict[str, Tensor] | None = None"
        given = [(v.name.split(".")[1], *v.type.shape) for v in program.variables if v.kind == "sample"]
        shown = "; ".join(f"{name} (batch, {count}, {dims})" for name, count, dims in given)
        docstring.append(f"samples: {shown}, as `proposals` draws them around the targets; drawn anew if not given.")
    return Method(
        "losses", arguments, "dict[str, Tensor]", tuple(docstring), program, bound,
        setup=setup, sizes="unused", own_precision=bool(setup),
    )  # fmt: skip


def _result_line(program: Program, before: str = "") -> str:
    types = {variable.name: variable.type for variable in program.variables}
    types |= {equation.out: equation.type for equation in program.equations}
    shown: list[str] = []
    for key, value in program.outputs:
        kind = types[value]
        stack = f"{kind.stacked}, " if kind.stacked else before
        shown.append(f"{key} ({stack}batch, {', '.join(map(str, kind.shape))})")
    return "; ".join(shown) if len(shown) <= 2 else "; ".join([shown[0], "…", shown[-1]])
