"""The emitted class as programs: forward, latents, score and losses of a graph, under given options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from math import prod
from typing import Literal

from lvmc import __version__
from lvmc.codegen import Method, ModulePlan
from lvmc.graph import EnergyGraph
from lvmc.graph.energy import score_program
from lvmc.graph.losses import losses_program
from lvmc.ir import Program
from lvmc.ir.naming import tidy
from lvmc.rewrites import rewrite
from lvmc.rewrites.dead_code import dead_code
from lvmc.unroll import unroll


@dataclass(frozen=True, slots=True)
class Options:
    """How a spec is compiled.

    `clamp` names layers given from outside, `all` of them or where a `mask` is 1; `start` takes the first
    state from outside; `optimize=False` leaves the plain unrolling.
    """

    optimize: bool = True
    passes: int | None = None
    clamp: Mapping[str, Literal["all", "mask"]] = field(default_factory=dict[str, Literal["all", "mask"]])
    start: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Programs:
    """What a compiled module computes. `forward` has the heads as outputs (the layers, without heads)."""

    forward: Program
    latents: Program
    score: Program | None
    losses: Program | None


def programs(graph: EnergyGraph, options: Options) -> Programs:
    """Unroll, split into heads and layers, and rewrite each."""
    plain = unroll(graph, options.passes, options.clamp, options.start)
    heads = {head.name for head in graph.heads}
    read = tuple(pair for pair in plain.outputs if pair[0] in heads)
    layers = tuple(pair for pair in plain.outputs if pair[0] not in heads)
    improve = rewrite if options.optimize else _as_it_is
    latents = tidy(improve(replace(plain, outputs=layers)))
    forward = tidy(improve(replace(plain, outputs=read))) if read else latents
    types = {equation.out: equation.type for equation in forward.equations}
    return Programs(
        forward=forward,
        latents=latents,
        score=None if graph.why_no_energy else tidy(rewrite(score_program(graph))),
        losses=losses_program(graph, {key: types[value] for key, value in forward.outputs}) if read else None,
    )


def plan(graph: EnergyGraph, options: Options, spec_text: str) -> ModulePlan:
    """Everything an emitter needs, from the graph, the options and the spec's text (for its hash)."""
    made = programs(graph, options)
    given = [v.name for v in made.latents.variables if v.kind in ("latent", "mask")]
    inputs = [node.name for node in graph.inputs]
    keywords = [f"{name}: Tensor" for name in given]
    batch = [] if inputs or given else ["batch: int = 1"]
    arguments = ", ".join([*(f"{name}: Tensor" for name in inputs), *(["*"] if given else []), *keywords, *batch])
    run = {name: name for name in (*inputs, *given)}
    heads, layers = _result_line(made.forward), _result_line(made.latents)
    methods = [
        Method(
            "forward",
            arguments,
            "dict[str, Tensor]",
            (f"{'Heads' if graph.heads else 'Layers'} by name: {heads}.",),
            made.forward,
            run,
        ),
        Method(
            "latents",
            arguments,
            "dict[str, Tensor]",
            (f"Layers after their last update, by name: {layers}.",),
            made.latents,
            run,
        ),
        _score_method(graph, made.score, inputs),
    ]
    if made.losses is not None:
        methods.append(_losses_method(graph, made.losses))
    return ModulePlan(
        graph.name,
        tuple(_docstring(graph, options, spec_text)),
        graph.parameters,
        graph.planes,
        options.seed,
        tuple(methods),
    )


def _score_method(graph: EnergyGraph, program: Program | None, inputs: list[str]) -> Method:
    bindings = {name: name for name in inputs} | {layer.name: f'z["{layer.name}"]' for layer in graph.layers}
    arguments = ", ".join([*(f"{name}: Tensor" for name in inputs), "z: dict[str, Tensor]"])
    docstring = ("S(z; x) of every sample, (batch,).", "z holds every layer, as `latents` gives them.")
    if program is None:
        return Method("score", arguments, "Tensor", docstring, None, {}, refusal=graph.why_no_energy)
    program = replace(program, outputs=program.outputs[:1])
    return Method("score", arguments, "Tensor", docstring, tidy(dead_code(program)), bindings, result="value")


def _losses_method(graph: EnergyGraph, program: Program) -> Method:
    names = [head.name for head in graph.heads]
    bindings = {f"{side}.{name}": f'{side}["{name}"]' for side in ("out", "targets") for name in names}
    shapes = "; ".join(f"{v.name.split('.')[1]} (batch, {v.type})" for v in program.variables if v.kind == "target")
    docstring = (
        "Weighted loss of every head; their sum is the objective.",
        f"targets: {shapes.replace('batch, scalar', 'batch')}. Negative entries of maps and labels are ignored.",
    )
    arguments = "out: dict[str, Tensor], targets: dict[str, Tensor]"
    return Method("losses", arguments, "dict[str, Tensor]", docstring, program, bindings)


def _result_line(program: Program) -> str:
    types = {equation.out: equation.type for equation in program.equations}
    types |= {variable.name: variable.type for variable in program.variables}
    shown: list[str] = []
    for key, value in program.outputs:
        kind = types[value]
        stack = f"{kind.stacked}, " if kind.stacked else ""
        shown.append(f"{key} ({stack}batch, {', '.join(map(str, kind.shape))})")
    return "; ".join(shown) if len(shown) <= 2 else "; ".join([shown[0], "…", shown[-1]])


def _docstring(graph: EnergyGraph, options: Options, spec_text: str) -> list[str]:
    """What the file is, and which spec and options made it."""
    passes = graph.passes if options.passes is None else options.passes
    sweeps = "one bottom-up pass" if passes == 1 else f"{passes} passes, up and down in turn,"
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


def _as_it_is(program: Program) -> Program:
    return program
