"""Methods of passes that settle: their test, and what gradients through a fixed point need."""

from __future__ import annotations

import json
import textwrap
from dataclasses import replace

from lvmc.assemble import Settling
from lvmc.codegen import Method
from lvmc.fixed_point import Adjoint, bindings
from lvmc.ir import Program
from lvmc.ir.rolled import Rolled, entry_of
from lvmc.methods.call import STATE, Call, state_bindings
from lvmc.methods.loops import loop_methods, next_state


def _residual_method(name: str, program: Program, call: Call) -> Method:
    docstring = ("Largest |z − update(z)| over all layers and units, (batch,).",)
    bound = state_bindings(program, call)
    return Method(name, STATE, "Tensor", docstring, program, bound, "value", sizes="given", headings=False)


def settling_methods(settling: Settling, call: Call) -> list[Method]:
    """The passes with their test, and what gradients through a fixed point need."""
    methods = [_settle_method(settling, call), *loop_methods(settling.loop, call, "")]
    methods.append(_residual_method("_residual", settling.residual, call))
    if settling.adjoint is not None:
        methods += _adjoint_methods(settling.adjoint, settling, call)
    return methods


def _settle_method(settling: Settling, call: Call) -> Method:
    until = settling.until
    run = _settle_call(f"self._first({call.arguments})", settling.loop, settling, "")
    lines = [f"found = {run[0]}", *run[1:], "state, self.passes_used, self.converged = found"]
    if until.residual > 0:
        docstring = f"Passes until the residual is at most {until.residual}, {until.max_passes} of them at most."
    else:
        docstring = f"The layers after {until.max_passes} passes."
    entries = {layer: layer for layer, how in call.clamp.items() if how == "all"} | bindings(call.clamp)
    entries |= {} if settling.adjoint is None else {name: name for name in call.inputs}
    kept = [f'"{entry}": {name}' for name, entry in entries.items()]
    given = f"state |= {{{', '.join(kept)}}}"
    if settling.adjoint is None:
        lines += [*([given] if kept else []), "return state"]
        more: tuple[str, ...] = ()
    else:
        more = ("Gradients go through the last state alone, as if it were a fixed point.",)
        lines = ["with torch.no_grad():", *(f"    {line}" for line in lines), *([given] if kept else [])]
        for name, how in call.clamp.items():
            if how == "mask":
                lines.append(f'state["{name}"] = torch.where({name}_mask.bool(), {name}, state["{name}"])')
        lines += [
            "if not torch.is_grad_enabled():",
            "    return state",
            "return fixed_point(state, self._excess(state, size), self._adjoint, size)",
        ]
    return Method(
        "_settle", call.inner, "dict[str, Tensor]", (docstring, *more), None, {}, setup=tuple(lines), sizes="given"
    )


def _settle_call(first: str, loop: Rolled, settling: Settling, stem: str) -> list[str]:
    """The call of `settle` on a first state, over several lines."""
    variables = {entry_of(v): v for v in (*loop.down.variables, *loop.up.variables)}
    keys = [key for key, _ in loop.up.outputs]
    layers = [key for key in keys if key in {eq.origin.layer for eq in (*loop.up.equations, *loop.first.equations)}]
    shared = [key for key in keys if key in variables and not variables[key].type.batched]
    until = settling.until
    return [
        "settle(",
        f"    {first},",
        "    size,",
        f"    (self._{stem}down, self._{stem}up, self._{stem}residual),",
        *_wrapped(f"    layers={json.dumps(layers)},"),
        *_wrapped(f"    shared={json.dumps(shared)},"),
        f"    tolerance={until.residual!r},",
        f"    max_passes={until.max_passes},",
        ")",
    ]


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(line, 100, subsequent_indent="        ", break_long_words=False, break_on_hyphens=False)


def _adjoint_methods(adjoint: Adjoint, settling: Settling, call: Call) -> list[Method]:
    layers = [key for key, _ in adjoint.slopes.outputs]
    cotangents = {f"{layer}_cotangent": f'cotangent["{layer}"]' for layer in layers}
    slopes = {f"{layer}_slope": f'slope["{layer}"]' for layer in layers}
    first = "self._adjoint_first(cotangent, self._slopes(state, size), size)"
    run = _settle_call(first, adjoint.loop, settling, "adjoint_")
    solve = (f"found = {run[0]}", *run[1:], "return found[0]")
    inner = Call((), (), {})
    begin = Method(
        "_adjoint_first", "cotangent: dict[str, Tensor], slope: dict[str, Tensor], size: dict[str, Size]",
        "dict[str, Tensor]", ("λ after pass 1, bottom-up.",), adjoint.loop.first, cotangents | slopes,
        sizes="given", headings=False,
    )  # fmt: skip
    given = {name: f'state["{name}"]' for name in (*cotangents, *slopes)}
    residual = _residual_method("_adjoint_residual", adjoint.residual, inner)
    return [
        next_state(
            "_excess", "a − d z of every layer: what moves z, as a function of parameters and inputs.",
            adjoint.excess, call,
        ),
        next_state(
            "_slopes", "How far z follows its drive, unit by unit: 0 where it stays as it is.", adjoint.slopes, call
        ),
        Method(
            "_adjoint", "state: dict[str, Tensor], cotangent: dict[str, Tensor], size: dict[str, Size]",
            "dict[str, Tensor]",
            ("λ = slope (cotangent + W λ) / d of every layer, by the same passes: gradients with respect to drives.",),
            None, {}, setup=solve, sizes="given",
        ),
        begin,
        *loop_methods(adjoint.loop, inner, "adjoint_")[1:],
        replace(residual, bindings=dict(residual.bindings) | given),
    ]  # fmt: skip
