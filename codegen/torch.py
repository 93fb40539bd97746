"""Emits a standalone PyTorch module that imports only torch."""

from __future__ import annotations

import re
import textwrap
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from lvmc.codegen.attributes import Attributes, attributes
from lvmc.codegen.body import Body
from lvmc.codegen.plan import Method, ModulePlan, class_name
from lvmc.codegen.support import definitions, needed, needed_imports
from lvmc.codegen.tree import constructor_lines, reset_lines

from lvmc.ir import Plane, Program
from lvmc.ir.builder import with_names

_TEMPLATES = Path(__file__).parent / "templates" / "torch"
_LONGEST = 116
_GIVEN = ("input", "latent", "state")
_TENSOR = re.compile(r"(\w+): Tensor\b")


def emit(plan: ModulePlan) -> str:
    """Source of a `.py` file with one `nn.Module`; the same plan gives the same bytes."""
    programs = [method.program for method in plan.methods if method.program is not None]
    where = attributes(plan.parameters, programs)
    methods = [(method, head_lines(method), method_lines(plan, method, where)) for method in plan.methods]
    values = {
        "plan": plan,
        "class_name": class_name(plan.name),
        "constructor": tuple(constructor_lines(plan.parameters, where)),
        "resets": tuple(reset_lines(plan.parameters)),
        "draws": any(parameter.init and parameter.init.kind == "normal" for parameter in plan.parameters),
        "planes": tuple(_plane_line(plane) for plane in plan.planes),
        "methods": methods,
        "inputs": ", ".join(f"{name}: Tensor" for name in _inputs(plan)),
    }
    class_text = _template("class.py.jinja").render(values)
    support = needed(class_text)
    imports = needed_imports("\n\n".join((class_text, *support)))
    return _template("module.py.jinja").render(
        values | {"class_text": class_text, "support": support, "imports": imports}
    )


def head_lines(method: Method) -> tuple[str, ...]:
    """The `def` of a method, over several lines if it is long."""
    arguments = f"self, {method.arguments}" if method.arguments else "self"
    line = f"def {method.name}({arguments}) -> {method.returns}:"
    if len(line) <= _LONGEST:
        return (line,)
    parts = textwrap.wrap(arguments, _LONGEST - 4, break_long_words=False, break_on_hyphens=False)
    return (f"def {method.name}(", *(f"    {part}" for part in parts), f") -> {method.returns}:")


def method_lines(plan: ModulePlan, method: Method, where: Attributes) -> tuple[str, ...]:
    """The body of a method after its docstring."""
    if method.program is None:
        return method.setup
    program = _apart(method.program)
    given = [v.name for v in program.variables if v.kind in _GIVEN and v.name in method.bindings]
    first = method.bindings[given[0]] if given else ""
    parameter = f"self.{plan.parameters[0].name}" if plan.parameters else "torch.zeros(())"
    lines = Body(method, program, where, first or parameter, f"{first}.shape[0]" if first else "batch").write()
    masks = [method.bindings[v.name] for v in program.variables if v.kind == "mask"]
    before = [f"{name} = channels_last({name})" for name in _planes_given(plan, method)]
    before += [f"{mask} = {mask}.bool()" for mask in masks if mask.isidentifier()]
    if method.sizes == "found" and plan.planes:
        arguments = ", ".join(_inputs(plan))
        text = "\n".join((*method.setup, *lines))
        before.append(("size = " if re.search(r"\bsize\b(?!=)", text) else "") + f"self._sizes({arguments})")
    lines = (*method.setup, *lines)
    if method.name == "score":
        lines = _in_own_precision(plan, method, f"{first or parameter}.device.type", lines)
    if method.own_precision:
        lines = _without_autocast(f"{parameter}.device.type", lines)
    return (*before, *lines)


def _apart(program: Program) -> Program:
    """The program with values of heads not called like functions of the file: a head `softmax` has a `softmax_loss`."""
    heads = [each.out for each in program.equations if each.origin.role in ("head", "loss")]
    return with_names(program, {name: f"{name}_" for name in heads if name in definitions()})


def _planes_given(plan: ModulePlan, method: Method) -> list[str]:
    """The arguments of a public method that are planes: inputs, given layers and masks."""
    planes = {plane.name for plane in plan.planes}
    given: list[str] = _TENSOR.findall(method.arguments) if method.sizes == "found" else []
    return [name for name in given if name.removesuffix("_mask") in planes]


def _in_own_precision(plan: ModulePlan, method: Method, device: str, lines: tuple[str, ...]) -> tuple[str, ...]:
    """The lines without autocast, on values in the precision of the parameters."""
    kind = f".to(self.{plan.parameters[0].name}.dtype)" if plan.parameters else ""
    casts = [f"{name} = {name}{kind}" for name in _TENSOR.findall(method.arguments)]
    casts.append(f"z = {{name: value{kind} for name, value in z.items()}}")
    return _without_autocast(device, (*(casts if kind else ()), *lines))


def _without_autocast(device: str, lines: tuple[str, ...]) -> tuple[str, ...]:
    return (f"with torch.autocast({device}, enabled=False):", *(f"    {line}" if line else "" for line in lines))


def _inputs(plan: ModulePlan) -> list[str]:
    return [plane.name for plane in plan.planes if plane.below is None and not plane.fixed]


def _plane_line(plane: Plane) -> str:
    """The statement that finds a plane's size."""
    if plane.below is None:
        value = f"{plane.size}" if plane.fixed else f"({plane.name}.shape[2], {plane.name}.shape[3])"
    else:
        geometry = plane.geometry
        value = f'plane_above("{plane.below}", size["{plane.below}"], {plane.kernel}'
        for name, given, plain in (
            ("stride", geometry.stride, (1, 1)),
            ("dilation", geometry.dilation, (1, 1)),
            ("padding", geometry.padding, (0, 0)),
            ("replicate", plane.replicate, (1, 1)),
        ):
            value += f", {name}={given}" if given != plain else ""
        value += ")"
    return f'size["{plane.name}"] = {value}'


@cache
def _template(name: str) -> Template:
    loader = FileSystemLoader(_TEMPLATES)
    environment = Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    return environment.get_template(name)
