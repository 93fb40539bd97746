"""The docstring of an emitted file: what it is, and which spec and options made it."""

from __future__ import annotations

from hashlib import sha256
from math import prod

from lvmc import __version__
from lvmc.assemble import Options
from lvmc.graph import EnergyGraph
from lvmc.graph.states import FeedbackNode


def class_docstring(graph: EnergyGraph, options: Options, spec_text: str) -> list[str]:
    """What the file is, and which spec and options made it."""
    passes = options.passes or graph.passes
    sweeps = "one bottom-up pass" if passes == 1 else f"{passes} passes, up and down in turn,"
    energy = "model" if graph.why_no_energy else "energy"
    title = f"{graph.name}: {sweeps} of coordinate ascent on a hierarchical {energy} of {len(graph.layers)} layers."
    if graph.until is not None and options.passes is None:
        ends = f"until the residual is {graph.until.residual} (at most {passes})"
        title = f"{graph.name}: passes up and down, {ends}, on an {energy} of {len(graph.layers)} layers."
    digest = sha256(spec_text.encode()).hexdigest()[:16]
    made = (
        f"Emitted by lvmc {__version__} from spec sha256:{digest}{_option_text(options)}. Do not edit: change the spec."
    )
    formula = (
        "S(z; x) = Σ ⟨z_upper, w ⋆ P(z_lower)⟩ + Σ ⟨b, z⟩ − ½ Σ ⟨z, d z⟩, maximised layer by layer over its domain."
    )
    formula = formula if not graph.why_no_energy else f"No single score is maximised: {graph.why_no_energy}."
    kept = [
        f"Filters between layers are used scaled down as far as needed (constraint: {claim})."
        for claim in _claims(graph)
    ]
    loop = [_told_loop(graph.feedback)] if graph.feedback else []
    return [title, "", made, "", formula, *kept, *loop, "", "Layers, bottom to top:", *_layer_lines(graph)]


def _told_loop(feedback: FeedbackNode) -> str:
    """What a step changes, and how often."""
    changes = [f"{s.name} {'plus' if s.change.how == 'add' else 'becomes'} {s.change.key}" for s in feedback.states]
    return f"In each of {feedback.steps} steps all passes are run, and then: {', '.join(changes)}."


def _claims(graph: EnergyGraph) -> list[str]:
    return list(dict.fromkeys(part.claim for part in graph.constraints))


def _option_text(options: Options) -> str:
    shown = [
        *(["the plain unrolling"] if not options.optimize else []),
        *([f"passes={options.passes}"] if options.passes is not None else []),
        *([f"clamp={dict(options.clamp)}"] if options.clamp else []),
        *(["start=given"] if options.start else []),
        *([f"memory={options.memory}"] if options.memory else []),
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
