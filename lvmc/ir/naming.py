"""Short names for the values of a finished program: `h2_p1`, `h2_bottom`, `h2_winner`."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace

from lvmc.ir.builder import is_layer_value, with_names
from lvmc.ir.program import Equation, Program

_MARKS = re.compile(r"(_biased|_scaled|_rest|__\d+)+$")
_PASS = re.compile(r"_p\d+(?=_|$)")


def tidy(program: Program) -> Program:
    """The same program with the marks of rewrites taken off its names, and pass numbers where one value needs none.

    Layers after an update keep their pass (`h2_p1`); any other value keeps it only to be told from another.
    """
    taken = {variable.name for variable in program.variables}
    names = {equation.out: equation.out for equation in program.equations}
    for shorten in (_unmarked, _without_pass):
        wanted = {equation.out: shorten(names[equation.out], equation) for equation in program.equations}
        count = Counter(wanted.values())
        current = set(names.values())
        for old, new in wanted.items():
            if count[new] == 1 and new not in taken and (new == names[old] or new not in current):
                names[old] = new
    return with_names(program, names)


def _unmarked(name: str, equation: Equation) -> str:
    return _MARKS.sub("", name)


def _without_pass(name: str, equation: Equation) -> str:
    return name if is_layer_value(replace(equation, out=name)) else _PASS.sub("", name)
