"""Finds the loop in an unrolled program: from the second pass on, a pass down and a pass up repeat."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from lvmc.ir import Equation, Program, TensorType, Variable
from lvmc.ir.builder import is_layer_value, with_names
from lvmc.ir.naming import tidy
from lvmc.ir.ops import Winners
from lvmc.ir.rolled import Rolled, state_name
from lvmc.rewrites.dead_code import dead_code

SHORTEST = 7
"""Fewer passes than this stay straight-line code."""

_MARKS = re.compile(r"_p\d+(?=_|$)|(_biased|_scaled|_rest|__\d+)+$")


def sample_passes(passes: int) -> int:
    """A number of passes, odd or even as `passes`, in which both the loop and whatever ends the program show."""
    return 10 + passes % 2


def roll(sample: Program, passes: int, tails: Mapping[str, Iterable[str]]) -> Rolled | None:
    """The sample's loop, to run `passes` passes.

    Args:
        sample: The rewritten program of `sample_passes(passes)` passes.
        passes: How many passes the rolled program has.
        tails: Names of the methods to end in, each with the keys of the outputs that it gives.

    Returns:
        None where passes are no repetition of each other (parameters of their own, say), or where too few do anything.
    """
    cut = _Cut.of(sample)
    for length in (1, 3) if cut.last % 2 == 0 else (2, 4):
        loop = _loop(cut, cut.last - length)
        if loop is not None and loop.translated:
            skipped = sample_passes(passes) - cut.last
            return _rolled(cut, loop, (passes - skipped - 1 - length) // 2, passes - sample_passes(passes), tails)
    return None


def roll_watched(sample: Program) -> Rolled | None:
    """The loop of a watched sample (see `unroll`), whose state holds every watched entry after every pass.

    It has no tail: how often its rounds run is found as they do. None where the passes do not repeat.
    """
    cut = _Cut.of(sample)
    loop = _loop(cut, sample_passes(0) - 1)
    return _rolled(cut, loop, 0, 0, {}) if loop is not None else None


def does_nothing_between(sample: Program) -> bool:
    """Whether nothing is computed between the first pass and the last: more passes are then the same program."""
    cut = _Cut.of(sample)
    return not cut.between(2, cut.last - 1)


@dataclass(frozen=True, slots=True)
class _Cut:
    """A program cut into its passes: the equations of each, and in which one each value is made (0: given)."""

    program: Program
    passes: Mapping[int, tuple[Equation, ...]]
    made: Mapping[str, int]
    constants: frozenset[str]
    types: Mapping[str, TensorType]

    @staticmethod
    def of(program: Program) -> _Cut:
        """A value belongs to its pass, or to that of its latest argument, if later; winners, and what no sample has a
        part in, to that of their latest argument. Numbers by channel are worked out in every pass that reads them."""
        made = {variable.name: 0 for variable in program.variables}
        types = {variable.name: variable.type for variable in program.variables}
        passes: dict[int, list[Equation]] = {}
        by_channel: dict[str, Equation] = {}
        for equation in program.equations:
            own = max([1, *(made[arg] for arg in equation.args)])
            if equation.type.batched and not isinstance(equation.op, Winners):
                own = max(own, equation.origin.pass_)
            made[equation.out], types[equation.out] = own, equation.type
            if equation.type.batched or len(equation.type.shape) != 1:
                passes.setdefault(own, []).append(equation)
            else:
                by_channel[equation.out] = equation
        parameters = {v.name for v in program.variables if v.kind in ("parameter", "statistic", "basis")}
        whole = {number: _with(by_channel, found) for number, found in passes.items()}
        return _Cut(program, whole, made, frozenset(parameters | by_channel.keys()), types)

    @property
    def last(self) -> int:
        """Number of the last pass that does anything."""
        return max(self.passes, default=0)

    def between(self, start: int, stop: int) -> tuple[Equation, ...]:
        """Equations of the passes from `start` to `stop`, both included."""
        found = (equation for number in range(start, stop + 1) for equation in self.passes.get(number, ()))
        return tuple(dict.fromkeys(found))


def _with(by_channel: Mapping[str, Equation], equations: Sequence[Equation]) -> tuple[Equation, ...]:
    """Equations, each after those numbers by channel that it reads."""
    whole: dict[str, Equation] = {}

    def add(equation: Equation) -> None:
        for arg in equation.args:
            if arg in by_channel and arg not in whole:
                add(by_channel[arg])
        whole[equation.out] = equation

    for each in equations:
        add(each)
    return tuple(whole.values())


@dataclass(frozen=True, slots=True)
class _Loop:
    """Passes 2 and 3 as the body of a loop up to pass `end`.

    `carried` maps each value that the body reads from before it to the one that takes its place in the next round;
    `translated` maps the body's values to those of the last round before `end`.
    """

    end: int
    carried: Mapping[str, str]
    translated: Mapping[str, str]


def _loop(cut: _Cut, end: int) -> _Loop | None:
    """The loop that ends after pass `end`, if all its rounds are alike."""
    rounds = [cut.between(start, start + 1) for start in range(2, end, 2)]
    matches = [_match(cut, here, there) for here, there in pairwise(rounds)]
    if len(matches) < 2:
        return None
    made = [equation.out for equation in rounds[0]]
    reads = [arg for arg in _read(rounds[0]) if arg not in cut.constants and arg not in made]
    stands = [{value: value for value in (*reads, *made)}]
    for match in matches:
        if match is None or any(value not in match for value in stands[-1].values()):
            return None
        stands.append({value: match[now] for value, now in stands[-1].items()})
    carried = {value: stands[1][value] for value in reads}
    if any(value not in stands[0] for value in carried.values()):
        return None
    for now, following in pairwise(stands[1:]):
        if any(now.get(carried[value]) != following[value] for value in reads):
            return None
    return _Loop(end, carried, stands[-1])


def _match(cut: _Cut, here: Sequence[Equation], there: Sequence[Equation]) -> dict[str, str] | None:
    """For every value of a round the one that stands in its place in another round; None if the two differ."""
    if len(here) != len(there):
        return None
    match: dict[str, str] = {}
    for one, other in zip(here, there, strict=True):
        if one.op != other.op or one.type != other.type or len(one.args) != len(other.args):
            return None
        for mine, its in zip(one.args, other.args, strict=True):
            constant = mine in cut.constants
            if (constant and mine != its) or (not constant and match.setdefault(mine, its) != its):
                return None
        match[one.out] = other.out
    return match


def _read(equations: Iterable[Equation]) -> list[str]:
    """Arguments of equations, each once, in order."""
    return list(dict.fromkeys(arg for equation in equations for arg in equation.args))


@dataclass(slots=True)
class _Boundary:
    """The values handed on between two parts, each with the name of its entry."""

    entries: dict[str, str] = field(default_factory=dict[str, str])
    kept: frozenset[str] = frozenset()

    @staticmethod
    def of(watched: Mapping[str, str]) -> _Boundary:
        """A boundary with some entries; of two that are one value, the first stands for both."""
        entries: dict[str, str] = {}
        for entry, value in watched.items():
            entries.setdefault(value, entry)
        return _Boundary(entries, frozenset(watched))

    def entry(self, value: str, *same: str) -> str:
        """The entry of a value: the first of the `same`; or `h2_bottom` for `h2_bottom_p3__2`, made unique."""
        if value not in self.entries and same:
            self.entries[value] = same[0]
        if value not in self.entries:
            stem = _MARKS.sub("", value)
            taken, count, name = {*self.entries.values(), *self.kept}, 2, stem
            while name in taken:
                name, count = f"{stem}_{count}", count + 1
            self.entries[value] = name
        return self.entries[value]


def _rolled(cut: _Cut, loop: _Loop, rounds: int, shift: int, tails: Mapping[str, Iterable[str]]) -> Rolled | None:
    """The loop's parts: what enters a round, what leaves its first pass, what leaves it."""
    outputs = dict(cut.program.outputs)
    rest = cut.between(loop.end + 1, cut.last)
    late = [*_read(rest), *(outputs[key] for keys in tails.values() for key in keys)]
    late = [value for value in dict.fromkeys(late) if cut.made[value] <= loop.end and value not in cut.constants]
    seen = [_watched(cut, number) for number in (1, 2, 3)]
    enter, middle = _Boundary(kept=frozenset(seen[0])), _Boundary.of(seen[1])
    leave, ends = dict(seen[2]), dict[str, str]()
    for value, following in loop.carried.items():
        same = [entry for entry, start in seen[0].items() if (start, seen[2][entry]) == (value, following)]
        leave[enter.entry(value, *same)] = following
    last = {now: value for value, now in reversed(list(loop.translated.items()))}
    for value in late:
        if value not in last and cut.made[value] > 1:
            return None
        inner = last.get(value, value)
        known = [entry for entry, leaving in leave.items() if leaving == inner]
        ends[value] = known[0] if known else enter.entry(inner)
        leave[ends[value]] = inner
    whole = {entry: value for entry, value in seen[0].items() if value in (seen[1][entry], seen[2][entry])}
    for value in dict.fromkeys([*_read(cut.passes.get(3, ())), *leave.values()]):
        if cut.made[value] <= 2 and value not in cut.constants:
            middle.entry(value)
    starts = seen[0] | {entry: value for value, entry in enter.entries.items() if cut.made[value] <= 1}
    before = {entry: value for value, entry in enter.entries.items() if cut.made[value] <= 1} | whole
    if any(cut.made[value] <= 1 and value not in before.values() for value in middle.entries):
        return None
    turned = seen[1] | {entry: value for value, entry in middle.entries.items()}
    halfway = {entry: value for value, entry in middle.entries.items()}
    halfway |= {entry: value for entry, value in whole.items() if seen[1][entry] == value}
    return Rolled(
        first=_part(cut, cut.passes.get(1, ()), {}, starts),
        down=_in_loop(_part(cut, cut.passes.get(2, ()), before, turned)),
        up=_in_loop(_part(cut, cut.passes.get(3, ()), halfway, leave)),
        rounds=rounds,
        tails={
            name: _tail(
                cut, rest, {entry: value for value, entry in ends.items()}, {key: outputs[key] for key in keys}, shift
            )
            for name, keys in tails.items()
        },
    )


def _watched(cut: _Cut, number: int) -> dict[str, str]:
    """Entries that a watched sample has after a pass."""
    after = f"@{number}"
    return {key.removesuffix(after): value for key, value in cut.program.outputs if key.endswith(after)}


def _part(cut: _Cut, equations: Sequence[Equation], given: Mapping[str, str], outputs: Mapping[str, str]) -> Program:
    """Equations as a program of their own, that finds what was made before them under entries of the state.

    Where two entries are one value so far, an entry that is handed on is handed on from its own.
    """
    if not given:
        return tidy(dead_code(replace(cut.program, equations=tuple(equations), outputs=tuple(outputs.items()))))
    kept = tuple(v for v in cut.program.variables if v.kind in ("parameter", "statistic", "basis"))
    entries = tuple(Variable(state_name(entry), cut.types[value], "state") for entry, value in given.items())
    names = {value: state_name(entry) for entry, value in reversed(list(given.items()))}
    handed = {entry: state_name(entry) for entry, value in outputs.items() if given.get(entry) == value}
    program = replace(
        cut.program,
        variables=(*entries, *kept),
        equations=tuple(equations),
        outputs=tuple({**outputs, **handed}.items()),
    )
    return tidy(dead_code(with_names(program, names)))


def _in_loop(program: Program) -> Program:
    """Layers under their own names: the same lines serve many passes."""
    return with_names(program, {eq.out: eq.origin.layer for eq in program.equations if is_layer_value(eq)})


def _tail(
    cut: _Cut, rest: Sequence[Equation], ends: Mapping[str, str], outputs: Mapping[str, str], shift: int
) -> Program:
    """The last passes and the heads, numbered as the passes they are."""
    program = _part(cut, rest, ends, outputs)
    names: dict[str, str] = {}
    equations: list[Equation] = []
    for equation in program.equations:
        origin = equation.origin
        moved = replace(origin, pass_=origin.pass_ + shift)
        names[equation.out] = re.sub(rf"_p{origin.pass_}(?=_|$)", f"_p{moved.pass_}", equation.out)
        equations.append(replace(equation, origin=moved))
    return with_names(replace(program, equations=tuple(equations)), names)
