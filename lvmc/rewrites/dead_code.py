"""What no output reads is not computed."""

from __future__ import annotations

from dataclasses import replace

from lvmc.ir import Program


def dead_code(program: Program) -> Program:
    """Drop every equation that no output depends on.

    Layers above the last one read, blocks never read, and their passes go: the dotted layers of the
    rectified-Gaussian paper's Fig. 4. Values are pure, so nothing else can notice.
    """
    needed = {value for _, value in program.outputs}
    kept = len(program.equations)
    for equation in reversed(program.equations):
        if equation.out in needed:
            needed.update(equation.args)
        else:
            kept -= 1
    if kept == len(program.equations):
        return program
    return replace(program, equations=tuple(equation for equation in program.equations if equation.out in needed))
