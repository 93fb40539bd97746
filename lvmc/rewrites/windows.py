"""Which equations pick a winner, or its value, by a drive alone; and who reads what."""

from __future__ import annotations

from lvmc.ir import Equation, Program, Size
from lvmc.ir.ops import Take, Winners

Readers = dict[str, list[Equation | None]]


def window_of(equation: Equation) -> Size | None:
    """The window over which an equation picks a winner by its first argument alone."""
    match equation.op:
        case Take(window):
            return window
        case Winners(group) if group.channels == 1 and len(equation.args) == 1:
            return group.window
        case _:
            return None


def readers_of(program: Program) -> Readers:
    """The equations that read each value; None among them for an output."""
    readers: Readers = {}
    for equation in program.equations:
        for arg in equation.args:
            readers.setdefault(arg, []).append(equation)
    for _, value in program.outputs:
        readers.setdefault(value, []).append(None)
    return readers


def read_over_windows_only(value: str, window: Size, readers: Readers) -> bool:
    """Whether every reader of a value takes winners, or their values, over these windows by the value alone."""
    return all(
        reader is not None and window_of(reader) == window and reader.args[0] == value
        for reader in readers.get(value, [])
    )
