"""What flows where in a program: its states, the messages between them, and which of those are used again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from lvmc.ir import Equation, Program, Variable
from lvmc.ir.ops import Adjoint, Confidence, Correlate, Peaks, ScaleFilter

Link = Literal["state", "winner", "inside", "cached"]
_MESSAGES = ("bottom", "top", "lateral")
_UPDATES = ("start", "drive", "winner", "update")
_LOOKED_THROUGH = (*_MESSAGES, "head")
_OF_HEADS = (Peaks, Confidence)
"""Ops that take what another head says."""


class State(NamedTuple):
    """A block after a pass; 0: an input, a given value, or a layer before the first pass. Also a head at a pass."""

    block: str
    pass_: int


@dataclass(frozen=True, slots=True)
class Message:
    """A correlation or adjoint: its value, its filter's state name, its sender, and the update it was computed for."""

    value: str
    filter: str
    transposed: bool
    source: State
    target: State


@dataclass(frozen=True, slots=True)
class Flow:
    """A program as states and what links them.

    `uses` pairs a message's value with each update that takes it in; `carries` are updates that keep the
    state or the winners of another pass (and, where runs are folded, messages inside them); `readings` pair
    a state with the head, at a pass, that reads it.
    """

    states: frozenset[State]
    messages: tuple[Message, ...]
    uses: tuple[tuple[str, State], ...]
    carries: tuple[tuple[State, State, Link], ...]
    readings: tuple[tuple[State, State], ...]


@dataclass(frozen=True, slots=True)
class _Index:
    """Equations and variables by name, and the values that stand for the state of a block: others read them."""

    made: dict[str, Equation]
    given: dict[str, Variable]
    standing: frozenset[str] = frozenset()


def flow(program: Program) -> Flow:
    """Read a program, plain or rewritten, by the origins of its equations and what they depend on."""
    bare = _Index({each.out: each for each in program.equations}, {each.name: each for each in program.variables})
    index = _Index(bare.made, bare.given, frozenset(_standing(program, bare)))
    states = {_state(value, index) for value in index.standing}
    states |= {_place(each) for each in program.equations if each.origin.role == "update"}
    uses, carries = _links(program, index, states)
    messages = tuple(_message(each, index) for each in program.equations if _is_message(each))
    readings = tuple(dict.fromkeys(_readings(program, index)))
    return Flow(frozenset(states), messages, uses, carries, readings)


def _standing(program: Program, index: _Index) -> Iterator[str]:
    """What messages are computed from, heads read, and callers get of the layers."""
    for equation in program.equations:
        if _is_message(equation):
            yield _root(equation.args[0], index)
        if equation.origin.role == "head":
            yield from () if isinstance(equation.op, _OF_HEADS) else _read(equation, index)
    for _, value in program.outputs:
        made = index.made.get(value)
        if made is None or made.origin.role not in ("head", "score", "loss"):
            yield _root(value, index)


def _root(value: str, index: _Index) -> str:
    """The value that a message or a head starts from, whatever pools it on the way."""
    made = index.made.get(value)
    if made is None or made.origin.role not in _LOOKED_THROUGH or _is_message(made):
        return value
    return _root(made.args[0], index)


def _read(equation: Equation, index: _Index) -> Iterator[str]:
    """States, and what other heads say, that an equation of a head takes directly."""
    if isinstance(equation.op, _OF_HEADS):
        yield from equation.args
        return
    for arg in equation.args:
        made, given = index.made.get(arg), index.given.get(arg)
        own = made is not None and made.origin.role == "head" and made.origin.layer == equation.origin.layer
        if not own and (made is not None or (given is not None and given.type.batched)):
            yield _root(arg, index)


def _readings(program: Program, index: _Index) -> Iterator[tuple[State, State]]:
    for equation in program.equations:
        if equation.origin.role == "head":
            for value in _read(equation, index):
                yield _state(value, index), _place(equation)


def _links(
    program: Program, index: _Index, states: set[State]
) -> tuple[tuple[tuple[str, State], ...], tuple[tuple[State, State, Link], ...]]:
    """Which update uses which message, and what updates keep; a message may itself be the state (a Gaussian's)."""
    uses = {(value, _state(value, index)): None for value in index.standing if _is_message(index.made.get(value))}
    carries: dict[tuple[State, State, Link], None] = {}
    for equation in program.equations:
        here = _place(equation)
        if equation.origin.role not in _UPDATES or here not in states:
            continue
        for fed in _feeds(equation.args, here, index):
            if isinstance(fed, str):
                uses[fed, here] = None
            else:
                carries[fed[0], here, fed[1]] = None
    return tuple(uses), tuple(carries)


def _feeds(args: tuple[str, ...], here: State, index: _Index) -> Iterator[str | tuple[State, Link]]:
    """Messages and earlier states that an update depends on, through whatever was computed of them before."""
    for arg in args:
        made = index.made.get(arg)
        if made is None or made.origin.role in ("derived", "norm"):
            continue
        if _is_message(made):
            yield arg
        elif made.origin.role in _LOOKED_THROUGH:
            yield from _feeds(made.args[:1], here, index)
        elif _place(made) == here:
            continue
        elif made.type.mask:
            yield _place(made), "winner"
        elif made.origin.role in ("update", "start") and arg in index.standing:
            yield _place(made), "state"
        else:
            yield from _feeds(made.args, here, index)


def _message(equation: Equation, index: _Index) -> Message:
    source = _state(_root(equation.args[0], index), index)
    filters = "+".join(dict.fromkeys(_filters(equation.args[1], index)))
    return Message(equation.out, filters, isinstance(equation.op, Adjoint), source, _place(equation))


def _filters(value: str, index: _Index) -> Iterator[str]:
    """Learned filters that a filter derives from."""
    if value in index.given:
        if len(index.given[value].type.shape) == 4:
            yield value
        return
    made = index.made[value]
    for arg in made.args[:1] if isinstance(made.op, ScaleFilter) else made.args:
        yield from _filters(arg, index)


def _is_message(equation: Equation | None) -> bool:
    if equation is None or equation.origin.role not in _MESSAGES:
        return False
    return isinstance(equation.op, Correlate | Adjoint)


def _state(value: str, index: _Index) -> State:
    made = index.made.get(value)
    return State(value, 0) if made is None else _place(made)


def _place(equation: Equation) -> State:
    return State(equation.origin.layer, equation.origin.pass_)
