"""Outer feedback as programs: what does not depend on the states once, and a body for the steps.

A step is the unrolling of all passes, given the states. Whatever in it depends neither on them nor on parameters that
are a step's own has one value in all steps, and is worked out before the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Set
from dataclasses import replace

from lvmc.graph import EnergyGraph
from lvmc.graph.states import FeedbackNode, own_name
from lvmc.ir import Program, Variable
from lvmc.ir.builder import with_names
from lvmc.ir.naming import tidy
from lvmc.ir.stepped import Carried, Stepped, entry_name
from lvmc.rewrites import rewrite
from lvmc.rewrites.dead_code import dead_code
from lvmc.unroll import Clamp, unroll

Improve = Callable[[Program], Program]


def stepped(graph: EnergyGraph, passes: int, clamp: Clamp, start: bool, optimize: bool) -> Stepped:
    """The steps of a graph with outer feedback.

    Args:
        graph: What a step maximises.
        passes: How many passes each step runs.
        clamp: Layers given from outside, the same in all steps.
        start: Whether latents start every step at given values instead of 0.
        optimize: Whether to rewrite, and to compute once what no step changes.
    """
    feedback = graph.feedback
    assert feedback is not None
    plain = unroll(graph, passes, clamp, start)
    improve: Improve = rewrite if optimize else _as_it_is
    carried = [state.name for state in feedback.states]
    names = [*graph.outputs, *carried]
    step = tidy(improve(_with_outputs(plain, names)))
    layers = tidy(improve(_with_outputs(plain, [layer.name for layer in graph.layers])))
    own = frozenset(variable.name for variable in feedback.own)
    moving = own | set(carried)
    fixed = _fixed(step, moving) if optimize else frozenset[str]()
    body = _body(step, fixed)
    before = _before(step, body)
    return Stepped(
        replace(before, variables=_common(graph, before)),
        tuple(_of_step(body, graph, number) for number in _numbers(feedback)),
        tuple(_of_step(layers, graph, number) for number in _numbers(feedback)),
        tuple(Carried(state.name, state.shape, state.start) for state in feedback.states),
        feedback.steps,
    )


def _numbers(feedback: FeedbackNode) -> Iterable[int]:
    return range(1, feedback.steps + 1) if feedback.untied else (0,)


def _of_step(program: Program, graph: EnergyGraph, number: int) -> Program:
    """The program with the parameters of step `number`; 0 stands for all steps."""
    assert graph.feedback is not None
    names = {v.name: own_name(v.name, number) for v in graph.feedback.own if number}
    known = {v.name: v for v in graph.parameters}
    variables = tuple(
        known[names.get(v.name, v.name)] if v.kind in ("parameter", "statistic") else v for v in program.variables
    )
    return replace(with_names(program, names), variables=variables)


def _common(graph: EnergyGraph, program: Program) -> tuple[Variable, ...]:
    """What a program is given but for the parameters that are a step's own."""
    assert graph.feedback is not None
    return tuple(variable for variable in program.variables if variable not in graph.feedback.own)


def _with_outputs(program: Program, keys: list[str]) -> Program:
    return replace(program, outputs=tuple(pair for pair in program.outputs if pair[0] in keys))


def _as_it_is(program: Program) -> Program:
    return program


def _fixed(program: Program, moving: Set[str]) -> frozenset[str]:
    """Values that are the same in all steps. Those of no argument, and numbers by channel, every part makes itself."""
    moved, fixed = set(moving), set[str]()
    for equation in program.equations:
        by_channel = not equation.type.batched and len(equation.type.shape) == 1
        if any(arg in moved for arg in equation.args):
            moved.add(equation.out)
        elif equation.args and not by_channel:
            fixed.add(equation.out)
    return frozenset(fixed)


def _before(program: Program, body: Program) -> Program:
    """What is the same in all steps; its outputs are the values that a body reads, under their own names."""
    read = {arg for equation in body.equations for arg in equation.args} | {value for _, value in body.outputs}
    made = (equation.out for equation in program.equations)
    outputs = tuple((value, value) for value in made if entry_name(value) in read)
    return dead_code(replace(program, name=f"{program.name}.before", outputs=outputs))


def _body(program: Program, fixed: Set[str]) -> Program:
    """A step, given what is the same in all of them."""
    types = {equation.out: equation.type for equation in program.equations if equation.out in fixed}
    names = {value: entry_name(value) for value in types}
    equations = tuple(equation for equation in program.equations if equation.out not in fixed)
    body = dead_code(with_names(replace(program, equations=equations), names))
    read = {arg for equation in body.equations for arg in equation.args} | {value for _, value in body.outputs}
    entries = tuple(Variable(names[value], kind, "state") for value, kind in types.items() if names[value] in read)
    return replace(body, variables=(*program.variables, *entries))
