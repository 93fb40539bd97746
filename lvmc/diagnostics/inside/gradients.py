"""How much of a filter's gradient comes from each pass: where gradients vanish.

A filter is used in every pass; its gradient is the sum of the gradients of its uses (law 6). Here each use of a pass
reads a weight of its own that holds the same numbers, so that the parts are told apart. A message that is computed
once and used again counts for the pass that computes it, as with `tying: untied`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from lvmc.codegen import Method
from lvmc.diagnostics.inside.passes import passes_within
from lvmc.diagnostics.passes.stepping import DICT, emitted_class, evaluating
from lvmc.graph import EnergyGraph
from lvmc.ir import Equation, Program, Variable
from lvmc.methods.call import Call
from lvmc.rewrites import rewrite
from lvmc.rewrites.dead_code import dead_code
from lvmc.rewrites.share_equal_values import share_equal_values
from lvmc.runtime.module import compiled_of
from lvmc.unroll import unroll

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from lvmc.runtime.module import Model

Loss = Callable[[dict[str, "Tensor"]], "Tensor"]


@dataclass(frozen=True)
class GradientNorms:
    """Norms of a loss's gradient with respect to filters, pass by pass.

    Attributes:
        filters: Names of the filters, in file order (of untied copies, their common name).
        norms: ‖gradient of the uses in a pass‖, (passes, filters); 0 where a pass does not use it or nothing comes.
        used: Whether a pass uses the filter for what the loss reads, (passes, filters).
        total: ‖gradient‖ of each filter, the sum over passes taken first (untied copies are weights apart), (filters,).
        weights: ‖w‖ of each filter (of untied copies, the largest), (filters,).
    """

    filters: tuple[str, ...]
    norms: NDArray[np.float64]
    used: NDArray[np.bool_]
    total: NDArray[np.float64]
    weights: NDArray[np.float64]


def gradient_norms(
    model: torch.nn.Module,
    inputs: Sequence[Tensor],
    loss: Loss | Mapping[str, Tensor] | None = None,
    given: Mapping[str, Tensor] | None = None,
) -> GradientNorms:
    """Norms of the gradient by pass and filter; arguments as for `gradients_by_pass`."""
    parts, graph, held = gradients_by_pass(model, inputs, loss, given), compiled_of(model).graph, model.state_dict()
    filters = filters_of(graph)
    names = list(dict.fromkeys(_stem(graph, name) for name in filters))
    passes = max((number for own in parts.values() for number in own), default=0)
    norms, used = np.zeros((passes, len(names))), np.zeros((passes, len(names)), dtype=bool)
    squares, weights = np.zeros(len(names)), np.zeros(len(names))
    for name in filters:
        own, place = parts.get(name, {}), names.index(_stem(graph, name))
        for number, part in own.items():
            norms[number - 1, place], used[number - 1, place] = _norm(part), True
        squares[place] += _norm(sum(own.values(), 0.0 * held[name])) ** 2
        weights[place] = max(weights[place], _norm(held[name]))
    return GradientNorms(tuple(names), norms, used, np.sqrt(squares), weights)


def _norm(values: Tensor) -> float:
    return float(values.double().square().sum().sqrt())


def gradients_by_pass(
    model: torch.nn.Module,
    inputs: Sequence[Tensor],
    loss: Loss | Mapping[str, Tensor] | None = None,
    given: Mapping[str, Tensor] | None = None,
) -> dict[str, dict[int, Tensor]]:
    """The gradient of a loss with respect to the uses of each filter in each pass: filter → pass → gradient.

    The run is in evaluation mode, its passes unrolled (also with `gradient: implicit`). Filters are those of couplings
    and laterals; the heads' own are left out. Parts that nothing reaches are 0; passes that compute no message of the
    filter that the loss depends on have none.

    Args:
        model: Made by `lvmc.compile` or `lvmc.open`.
        inputs: As `model` takes them.
        loss: A number from the outputs of the model; or targets by head, for the sum of `model.losses`; or by default
            half the sum of squares of all outputs.
        given: Clamped layers, masks and start values by keyword, as `model` takes them.

    Raises:
        ValueError: There are too many passes to look at each.
    """
    import torch

    compiled = compiled_of(model)
    graph, options = compiled.graph, compiled.options
    with evaluating(model):
        passes = passes_within("gradients", model, inputs, given or {})
    program, uses = by_pass(graph, _read(graph, unroll(graph, passes, options.clamp, options.start)))
    call = Call.of(graph, options)
    bindings = call.bindings | {name: f'use["{name}"]' for name in uses}
    arguments = f"use: {DICT}, {call.signature}"
    method = Method("probe", arguments, DICT, ("Heads, from a filter for every pass.",), program, bindings)
    parameters = dict(model.named_parameters())
    leaves = {name: parameters[own].detach().requires_grad_() for name, (own, _) in uses.items()}
    with evaluating(model, gradients=True):
        out = emitted_class(graph, (method,)).probe(model, leaves, *inputs, **(given or {}))
        value = _loss(model, loss, out)
        reached = value.requires_grad and bool(leaves)
        parts = (
            torch.autograd.grad(value, list(leaves.values()), allow_unused=True) if reached else [None] * len(leaves)
        )
    found: dict[str, dict[int, Tensor]] = {}
    for (name, number), leaf, part in zip(uses.values(), leaves.values(), parts, strict=True):
        found.setdefault(name, {})[number] = torch.zeros_like(leaf) if part is None else part
    return found


def filters_of(graph: EnergyGraph) -> tuple[str, ...]:
    """State names of the filters of couplings and laterals."""
    couplings = {coupling.weight for layer in graph.layers for coupling in layer.couplings}
    laterals = {f"{layer.name}.lateral" for layer in graph.layers if layer.lateral is not None}
    return tuple(v.name for v in graph.parameters if _stem(graph, v.name) in couplings | laterals)


def by_pass(graph: EnergyGraph, program: Program) -> tuple[Program, dict[str, tuple[str, int]]]:
    """The program with a variable `<filter>@<pass>` for the uses of each filter in each pass; which ones those are."""
    split = _Split(frozenset(filters_of(graph)), {variable.name: variable for variable in program.variables})
    for equation in program.equations:
        split.add(equation)
    lean = replace(program, variables=tuple(split.variables.values()), equations=tuple(split.equations))
    lean = rewrite(lean, (dead_code,))
    read = {arg for equation in lean.equations for arg in equation.args}
    return lean, {name: use for name, use in split.uses.items() if name in read}


@dataclass(slots=True)
class _Split:
    """Equations written so far, those made of filters alone (`derived`) again for each pass that reads them."""

    filters: frozenset[str]
    variables: dict[str, Variable]
    equations: list[Equation] = field(default_factory=list[Equation])
    derived: dict[str, Equation] = field(default_factory=dict[str, Equation])
    copies: dict[tuple[str, int], str] = field(default_factory=dict["tuple[str, int]", str])
    uses: dict[str, tuple[str, int]] = field(default_factory=dict[str, "tuple[str, int]"])

    def add(self, equation: Equation) -> None:
        """Write an equation, or keep it for those that read it."""
        if not equation.type.batched and any(arg in self.filters or arg in self.derived for arg in equation.args):
            self.derived[equation.out] = equation
            return
        args = tuple(self._of_pass(arg, equation.origin.pass_) for arg in equation.args)
        self.equations.append(replace(equation, args=args))

    def _of_pass(self, value: str, number: int) -> str:
        """The value as a pass reads it."""
        if (value, number) in self.copies:
            return self.copies[value, number]
        if value in self.filters:
            copy = f"{value}@{number}"
            self.variables[copy] = replace(self.variables[value], name=copy)
            self.uses[copy] = (value, number)
        elif value in self.derived:
            equation, copy = self.derived[value], f"{value}_in_p{number}"
            args = tuple(self._of_pass(arg, number) for arg in equation.args)
            self.equations.append(replace(equation, out=copy, args=args))
        else:
            return value
        self.copies[value, number] = copy
        return copy


def _read(graph: EnergyGraph, program: Program) -> Program:
    """The program of what the model gives: its heads, or without heads its layers; each message computed once."""
    names = set(graph.outputs) or set(graph.layer)
    kept = replace(program, outputs=tuple(pair for pair in program.outputs if pair[0] in names))
    return rewrite(kept, (share_equal_values, dead_code))


def _loss(model: torch.nn.Module, loss: Loss | Mapping[str, Tensor] | None, out: dict[str, Tensor]) -> Tensor:
    if loss is None:
        squares = [value.square().sum() for value in out.values()]
        return 0.5 * sum(squares[1:], squares[0])
    if callable(loss):
        return loss(out)
    losses = list(cast("Model", model).losses(out, dict(loss)).values())
    return sum(losses[1:], losses[0])


def _stem(graph: EnergyGraph, name: str) -> str:
    """The name that untied copies have in common."""
    return name.rpartition("_p")[0] if graph.untied and ".lateral" not in name else name
