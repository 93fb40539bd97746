"""Methods of density heads: what their losses draw, f(x, y), and `densities`, which hands both on as objects."""

from __future__ import annotations

from lvmc.codegen import Method
from lvmc.graph import EnergyGraph, HeadNode
from lvmc.graph.densities import density_heads, mean_program, value_program
from lvmc.heads.density import Density


def draws_of(graph: EnergyGraph) -> tuple[tuple[str, ...], dict[str, str]]:
    """Statements of `losses` that cast targets and draw samples, and how its program's variables are written then."""
    casts: list[str] = []
    draws: list[str] = []
    bound: dict[str, str] = {}
    for head, record in density_heads(graph):
        name, own = head.name, f"self.heads.{head.name}.{head.readings[0].layer}.weight"
        casts.append(f'{name}_target = targets["{name}"].to({own}.dtype)')
        bound[f"targets.{name}"] = f"{name}_target"
        if record.model == "energy":
            draws.append(f'        "{name}": proposals({name}_target, {record.samples}, {_sigmas(record)}),')
            bound[f"samples.{name}"] = f'samples["{name}"]'
    drawn = ["if samples is None:", "    samples = {", *draws, "    }"] if draws else []
    return (*casts, *drawn), bound


def takes_samples(graph: EnergyGraph) -> bool:
    """Whether `losses` draws samples, or is given them."""
    return any(record.model == "energy" for _, record in density_heads(graph))


def density_methods(graph: EnergyGraph) -> list[Method]:
    """`densities`, and what it calls; nothing without density heads."""
    heads = density_heads(graph)
    inner = [method for head, record in heads for method in _inner(graph, head, record)]
    return [*([_densities(heads, graph.feedback is not None)] if heads else []), *inner]


def _densities(heads: tuple[tuple[HeadNode, Density], ...], stacked: bool) -> Method:
    """With `stacked`, a call gives what every step predicts; the densities are those of the last."""
    entries = [line for head, record in heads for line in _entry(head, record, stacked)]
    docstring = ("p(y | x) of every sample by density head, from what a call gave.",)
    setup = ("return {", *entries, "}")
    return Method(
        "densities", "out: dict[str, Tensor]", "dict[str, Density]", docstring, None, {}, setup=setup, sizes="unused"
    )


def _entry(head: HeadNode, record: Density, stacked: bool) -> list[str]:
    name = head.name
    given = f'out["{name}"]' + ("[-1]" if stacked or record.at == "each" else "")
    if record.model != "energy":
        keys = [f"mean=self._{name}_mean({given})"]
    else:
        refine = record.refine
        keys = [
            f"samples={record.samples}",
            f"sigmas={_sigmas(record)}",
            f"steps={refine.steps}",
            f"step={list(refine.step)}",
            f"decay={refine.decay!r}",
        ]
    return [
        f'    "{name}": Density(',
        *(f"        {part}," for part in (f"self._{name}_value", given, str(record.dims), *keys)),
        "    ),",
    ]


def _inner(graph: EnergyGraph, head: HeadNode, record: Density) -> list[Method]:
    name, bound = head.name, {"given": "given", "y": "y"}
    what = "f(x, y)" if record.model == "energy" else "log p(y | x)"
    docstring = (f"{what} at candidates: given (batch, {record.outputs}), y (batch, n, {record.dims}) → (batch, n).",)
    methods = [
        Method(
            f"_{name}_value", "given: Tensor, y: Tensor", "Tensor", docstring,
            value_program(graph, head, record), bound, "value", sizes="unused", headings=False, shapes=False,
        )
    ]  # fmt: skip
    mean = mean_program(graph, head, record)
    if mean is not None:
        docstring = (f"The mean of p(y | x): given (batch, {record.outputs}) → (batch, {record.dims}).",)
        methods.append(
            Method(
                f"_{name}_mean", "given: Tensor", "Tensor", docstring, mean, bound, "value",
                sizes="unused", headings=False, shapes=False,
            )
        )  # fmt: skip
    return methods


def _sigmas(record: Density) -> str:
    return repr([list(sigma) for sigma in record.deviations])
