"""A program as the lines of a method: one line a value, small values written inside their only reader."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass, field

from lvmc.codegen.attributes import Attributes, covers, pointwise, types_of
from lvmc.codegen.expressions import Expression, Shape, Site
from lvmc.codegen.plan import Method
from lvmc.codegen.writers import expression

from lvmc.ir import Equation, Program, TensorType, Variable, uses
from lvmc.ir.listing import pass_heading
from lvmc.ir.ops import (
    Add,
    AddChannel,
    AddEach,
    Adjoint,
    Constant,
    Correlate,
    DivChannel,
    LargestChange,
    Linear,
    MaxWindows,
    MessageNorm,
    Upsample,
    Winners,
)

WIDTH = 98
_NAME = re.compile(r"[A-Za-z_]\w*")
_TEXT = re.compile(r'"[^"]*"')
_FORGETFUL = (Add, AddChannel, AddEach, Adjoint, Correlate, DivChannel, Linear, MessageNorm)


@dataclass(slots=True)
class Body:
    """Lines written so far, and how each value is written."""

    method: Method
    program: Program
    attributes: Attributes
    like: str
    batch: str
    written: dict[str, Expression] = field(default_factory=dict[str, Expression])
    lines: list[str] = field(default_factory=list[str])
    inside: dict[str, Equation] = field(default_factory=dict[str, Equation])
    heading: str = ""
    types: dict[str, TensorType] = field(init=False)
    spare: frozenset[str] = field(init=False)

    def write(self) -> tuple[str, ...]:
        """All lines, the return statement last."""
        for variable in self.program.variables:
            text = self.method.bindings.get(variable.name, f"self.{variable.name}")
            self.written[variable.name] = Expression(text, shape=_shape(variable))
        count, reader, pairs = uses(self.program), _only_reader(self.program), _pairs(self.program)
        self.types = types_of(self.program)
        self.spare = frozenset(
            equation.out
            for equation in self.program.equations
            if count.get(equation.out) == 1 and equation.out not in pairs and self._may_be_overwritten(equation)
        )
        for equation in self.program.equations:
            if equation.out in self.written:
                continue
            if equation.out in pairs:
                self._pair(equation, *pairs[equation.out])
                continue
            value = self._expression(equation)
            inside = count.get(equation.out) == 1 and self._fits_inside(equation, value, reader.get(equation.out))
            if inside or (value.shape == "scalar" and isinstance(equation.op, Constant)):
                self.written[equation.out] = value
                self.inside[equation.out] = equation
            else:
                self._line(equation, self._shortened(equation, value))
        result = f"return {self._result()}"
        self.lines += broken(result) if self.method.headings else filled(result)
        values = {equation.out for equation in self.program.equations}
        return tuple(_with_deletions(self.lines, values, each_line=self.method.frees))

    def _expression(self, equation: Equation) -> Expression:
        args = tuple(self.written[arg] for arg in equation.args)
        whole, single = covers(equation, self.types), pointwise(equation, self.types)
        spare = equation.args[:1] != () and equation.args[0] in self.spare
        return expression(Site(equation, args, self.attributes, self.like, self.batch, whole, single, spare))

    def _may_be_overwritten(self, equation: Equation) -> bool:
        """Whether a value is a tensor of its own that its op does not need again for gradients."""
        return isinstance(equation.op, _FORGETFUL) and not covers(equation, self.types)

    def _pair(self, first: Equation, largest: Equation, winner: Equation) -> None:
        """Write maxima and their places as one statement, where the first of the two stands."""
        assert isinstance(largest.op, MaxWindows)
        self._head(first)
        call = f"largest({self.written[largest.args[0]].text}, {tuple(largest.op.window)})"
        self.lines.append(f"{largest.out}, {winner.out} = {call}  # {largest.type}")
        for equation in (largest, winner):
            self.written[equation.out] = Expression(equation.out)

    def _fits_inside(self, equation: Equation, value: Expression, reader: Equation | None) -> bool:
        """Whether a value is written inside its one reader: same layer, pass and part, and short enough."""
        if reader is None or isinstance(equation.op, Adjoint | LargestChange | Winners | Upsample):
            return False
        here, there = equation.origin, reader.origin
        near = (here.layer, here.pass_) == (there.layer, there.pass_) or here.role == "derived"
        layer_value = equation.out in (here.layer, f"{here.layer}_p{here.pass_}")
        return near and not layer_value and len(value.text) < WIDTH - 30

    def _shortened(self, equation: Equation, value: Expression) -> Expression:
        """The value with its longest arguments on lines of their own, if it would be one line too long to break."""
        while len(broken(f"{equation.out} = {value.text}")) == 1 and len(equation.out) + len(value.text) > WIDTH + 7:
            within = [arg for arg in equation.args if arg in self.inside and not self._short(arg)]
            if not within or isinstance(equation.op, Add):
                return value
            longest = max(within, key=self._length)
            self._line(self.inside[longest], self.written[longest])
            value = self._expression(equation)
        return value

    def _length(self, name: str) -> int:
        return len(self.written[name].text)

    def _short(self, name: str) -> bool:
        return self._length(name) <= len(name)

    def _line(self, equation: Equation, value: Expression) -> None:
        self._head(equation)
        text, shape = f"{equation.out} = {value.text}", f"# {_shown(equation)}"
        if len(text) > WIDTH + 10 and isinstance(equation.op, Add):
            terms = [self.written[arg].text for arg in equation.args]
            self.lines += [
                f"{equation.out} = (  {shape}",
                f"    {terms[0]}",
                *(f"    + {term}" for term in terms[1:]),
                ")",
            ]
        elif len(text) > WIDTH + 10:
            self.lines += broken(text)
        else:
            shown = self.method.shapes and len(text) + len(shape) < WIDTH + 8
            self.lines.append(f"{text}  {shape}" if shown else text)
        self.written[equation.out] = Expression(equation.out, shape=value.shape)

    def _head(self, equation: Equation) -> None:
        """Say what part of the program begins here."""
        heading = _heading(equation)
        if self.method.headings and heading != self.heading:
            self.lines += [""] * bool(self.lines) + [f"# {heading}"]
            self.heading = heading

    def _result(self) -> str:
        values = [(key, self.written[value].text) for key, value in self.program.outputs]
        if self.method.result == "value":
            return values[0][1]
        return "{" + ", ".join(f'"{key}": {text}' for key, text in values) + "}"


def broken(text: str) -> list[str]:
    """A statement that ends in a bracket, over several lines if it is long: one argument a line."""
    start = _matching_bracket(text)
    if len(text) <= WIDTH + 10 or start is None or not _lists_items(text, start):
        return [text]
    parts, depth, last = list[str](), 0, start + 1
    for place in range(start + 1, len(text) - 1):
        depth += (text[place] in "([{") - (text[place] in ")]}")
        if text[place] == "," and depth == 0:
            parts.append(text[last:place].strip())
            last = place + 1
    parts.append(text[last:-1].strip())
    return [text[: start + 1], *(f"    {part}," for part in parts), text[-1]]


def _lists_items(text: str, start: int) -> bool:
    """Whether the bracket opens a call or a dict; in a subscript or a group of terms a comma would mean more."""
    return text[start] == "{" or (text[start] == "(" and (text[start - 1].isalnum() or text[start - 1] == "_"))


def _matching_bracket(text: str) -> int | None:
    """Where the bracket opens that closes at the end of the text."""
    depth = 0
    for place in range(len(text) - 1, -1, -1):
        depth += (text[place] in ")]}") - (text[place] in "([{")
        if depth == 0:
            return place if place < len(text) - 1 else None
    return None


def filled(text: str) -> list[str]:
    """A statement that ends in a bracket, over several lines if it is long: as many arguments a line as fit."""
    first, *parts = broken(text)
    if not parts:
        return [first]
    lines = [parts[0]]
    for part in parts[1:-1]:
        if len(lines[-1]) + 1 + len(part.strip()) <= WIDTH + 10:
            lines[-1] += f" {part.strip()}"
        else:
            lines.append(part)
    return [first, *lines, parts[-1]]


def _with_deletions(lines: list[str], values: set[str], each_line: bool) -> list[str]:
    """The lines with a `del` of every value after the last line that names it, or where the next part begins."""
    last = {name: index for index, line in enumerate(lines) for name in _names(line) if name in values}
    ended: dict[int, list[str]] = {}
    for name, index in last.items():
        ended.setdefault(index, []).append(name)
    out: list[str] = []
    free: list[str] = []
    for index, line in enumerate(lines):
        if not line and free:
            out += _deletion(free)
            free = []
        out.append(line)
        free += ended.get(index, [])
        if each_line and free and not _inside(lines, index):
            out += _deletion(free)
            free = []
    return out


def _names(line: str) -> list[str]:
    """Names in a line, outside of text."""
    return _NAME.findall(_TEXT.sub("", line))


def _deletion(names: list[str]) -> list[str]:
    """Statements that free values."""
    return [f"del {line.rstrip(',')}" for line in textwrap.wrap(", ".join(names), WIDTH)]


def _inside(lines: list[str], index: int) -> bool:
    """Whether a line is part of the return statement or of a statement that goes on."""
    start = next((i for i, line in enumerate(lines) if line.startswith("return")), len(lines))
    return index >= start or lines[index].rstrip().endswith(("(", "{", "[")) or lines[index].startswith("    ")


def _shape(variable: Variable) -> Shape:
    """How a given value meets a plane."""
    if variable.type.batched:
        return "plane"
    match len(variable.type.shape):
        case 0:
            return "scalar"
        case 2:
            return "tuple"
        case _:
            return "channel"


def _heading(equation: Equation) -> str:
    return f"head {equation.origin.layer}" if equation.origin.role == "head" else pass_heading(equation.origin)


def _shown(equation: Equation) -> str:
    """Shape of the tensor: winners are places, one a group."""
    if not isinstance(equation.op, Winners):
        return str(equation.type)
    sizes = zip(equation.type.shape, equation.op.group, strict=True)
    return "×".join(str(size // part) for size, part in sizes) + " places"


def _pairs(program: Program) -> dict[str, tuple[Equation, Equation]]:
    """The maxima of windows with the winners of the same windows of the same value, by the names of both."""
    winners = {
        (equation.args[0], equation.op.group.window): equation
        for equation in program.equations
        if isinstance(equation.op, Winners) and equation.op.group.channels == 1 and len(equation.args) == 1
    }
    pairs: dict[str, tuple[Equation, Equation]] = {}
    for equation in program.equations:
        if isinstance(equation.op, MaxWindows):
            winner = winners.get((equation.args[0], equation.op.window))
            if winner is not None:
                pairs |= {equation.out: (equation, winner), winner.out: (equation, winner)}
    return pairs


def _only_reader(program: Program) -> dict[str, Equation]:
    return {arg: equation for equation in program.equations for arg in equation.args}
