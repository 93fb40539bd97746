"""load → … → module: the one place that knows every stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from lvmc.assemble import Options
from lvmc.codegen import class_name, emit
from lvmc.graph import EnergyGraph
from lvmc.loading import Source, load, resolve
from lvmc.memory import bytes_of
from lvmc.methods import plan
from lvmc.spec import Spec, dump

if TYPE_CHECKING:
    import torch

    from lvmc.diagnostics.answers import Check
    from lvmc.diagnostics.passes.trace import Trace
    from lvmc.runtime.backends import Backend
    from lvmc.runtime.module import Compiled, Model

Clamp = list[str] | tuple[str, ...] | Mapping[str, Literal["all", "mask"]]


def compile(
    spec: Spec | Source,
    *,
    optimize: bool = True,
    passes: int | None = None,
    clamp: Clamp | None = None,
    start: Literal["given"] | None = None,
    seed: int = 0,
    backend: Backend | None = None,
    memory: str | int | None = None,
) -> Model:
    """A spec as a live PyTorch module, with initial weights drawn from `seed`, or from the files its layers name.

    Args:
        spec: A `Spec`, a path, a zoo name, a text stream or a dict.
        optimize: False for the plain unrolling: every update recomputes every message.
        passes: k, instead of the spec's; the parameters stay the same.
        clamp: Layers that become further inputs, by keyword. A mapping says `all`, or `mask` for a layer
            that is given only where its mask `<layer>_mask` is 1.
        start: "given" to take the latents' first state by keyword, brought into their domain, instead of 0.
        seed: Of the initial weights.
        backend: How its methods run; none changes a result beyond rounding.
            None: on the CPU as "eager", on a GPU as "cudagraph".
            "eager": The emitted class as it is.
            "inductor": Through `torch.compile`, with gradients too. The first call of each method takes some seconds,
            the first one at another size again; further sizes do not. Needs a C++ compiler, on a GPU Triton.
            "cudagraph": On a GPU, calls without gradients (under `torch.no_grad` or `inference_mode`) are captured
            when their sizes come a second time, and replayed from then on; `model.max_graphs`, 8, bounds how
            many are held. Calls that need gradients run eagerly: a captured backward pass would hand out the same
            gradient buffers again and again, and so spoil gradients accumulated over micro-batches. So do calls
            while submodules have forward hooks, or keep running statistics in training.
            What cannot be had here runs eagerly, with one `UserWarning` that says why.
        memory: Bytes ("2GB") that a training step may take besides parameters, gradients and the optimiser's state:
            batches go forward a few samples at a time, and what they keep is recomputed for the backward pass; in
            loops of many passes only some states are kept. `lvmc show --memory 2GB` shows the plan.

    Returns:
        `model(*inputs)` is a dict of heads (of layers, where the spec has no heads); `model.latents(*inputs)`,
        `model.score(*inputs, z)` and `model.losses(out, targets)` as in the emitted file.

    Raises:
        SpecError: The spec has mistakes.
        ValueError: An option does not fit the spec, no backend has that name, or a file of weights does not fit its
            layer.
        FileNotFoundError: There is no such file of weights.
    """
    from lvmc.runtime.backends import check_backend
    from lvmc.runtime.initial import initialised

    backend = check_backend(backend)
    budget = None if memory is None else bytes_of(memory)
    options = Options(optimize, passes, _clamped(clamp), start == "given", seed, budget)
    return initialised(emitted(spec, options), backend)


def emitted(spec: Spec | Source, options: Options) -> Compiled:
    """A spec as source text, with what it was made from; needs no torch. Raises as `compile` does."""
    from lvmc.runtime.module import Compiled

    resolved, graph = resolve(spec)
    source = emit(plan(graph, check_options(graph, options), dump(resolved)))
    return Compiled(resolved, graph, options, source, class_name(graph.name))


def open(folder: str | Path, *, backend: Backend | None = None) -> Model:
    """A folder written by `lvmc compile`, with its weights if it holds any; `backend` as in `compile`."""
    from lvmc.runtime.backends import check_backend
    from lvmc.runtime.folder import open_folder

    return open_folder(Path(folder), check_backend(backend))


def trace(model: torch.nn.Module, *inputs: torch.Tensor, **given: torch.Tensor) -> Trace:
    """S and the residual after every update of a compiled model's run on some inputs."""
    from lvmc.diagnostics.passes.trace import trace_model

    return trace_model(model, inputs, given)


def check(model: torch.nn.Module, *inputs: torch.Tensor, time_limit: float = 60.0, **given: torch.Tensor) -> Check:
    """Whether S is bounded and the passes converge, with certificates or witnesses; what to change if not.

    Args:
        model: Made by `compile` or `open`; its weights as they are.
        inputs: As `model` takes them, to watch the passes too, and to check at their size instead of the nominal one.
        time_limit: Seconds; what does not fit stays undecided.
        given: Clamped layers, masks and start values by keyword, as `model` takes them.
    """
    from lvmc.budget import Budget
    from lvmc.diagnostics.check import check_model

    return check_model(model, inputs, given, Budget(time_limit))


def draw(
    spec: Spec | Source, path: str | Path, view: Literal["energy", "unrolled"] = "unrolled", fold: bool = False
) -> Path:
    """A picture of the energy or of the unrolled net; svg, png, pdf, dot or mermaid (.mmd), by the path's ending."""
    from lvmc import diagrams

    _, graph = resolve(spec)
    if view == "energy":
        return diagrams.write(diagrams.energy(graph, fold), Path(path))
    if view != "unrolled":
        raise ValueError(f"no view is called {view!r}: energy or unrolled")
    return diagrams.write(diagrams.net(graph, Options(), fold), Path(path))


def check_options(graph: EnergyGraph, options: Options) -> Options:
    """The options, if they fit the graph; ValueError otherwise."""
    layers = ", ".join(layer.name for layer in graph.layers)
    for name, how in options.clamp.items():
        if name not in graph.layer:
            raise ValueError(f"clamp: no layer is named {name!r}; layers are {layers}")
        if how not in ("all", "mask"):
            raise ValueError(f"clamp: {name!r} is given 'all' or where a 'mask' is 1, not {how!r}")
    if options.passes is not None and options.passes < 1:
        raise ValueError(f"passes: at least 1, not {options.passes}")
    changed = [name for name in ("passes", "clamp", "start") if getattr(options, name)]
    if changed and graph.why_no_energy:
        raise ValueError(f"{changed[0]}: {graph.why_no_energy}, and other passes need parameters that the spec has not")
    if options.memory and graph.feedback is not None:
        raise ValueError(
            "memory: not planned for the steps of outer feedback; gradient: stopped keeps less, or fewer steps"
        )
    if options.memory and (graph.implicit or (graph.until and options.passes is None)):
        why = (
            "gradient: implicit keeps one state, however many passes" if graph.implicit else "'until' has no fixed cost"
        )
        raise ValueError(
            f"memory: {why}; leave memory out" + ("" if graph.implicit else ", or write gradient: implicit")
        )
    passes = options.passes or graph.passes
    for head in graph.heads:
        if isinstance(head.record.at, int) and head.record.at > passes:
            raise ValueError(f"passes: head {head.name!r} reads after pass {head.record.at}, but only {passes} are run")
    return options


def _clamped(clamp: Clamp | None) -> dict[str, Literal["all", "mask"]]:
    if isinstance(clamp, str):
        raise ValueError(f"clamp: a list of layers, for example [{clamp!r}]")
    return dict(clamp) if isinstance(clamp, Mapping) else dict.fromkeys(clamp or (), "all")


__all__ = ["check", "compile", "draw", "load", "open", "trace"]
