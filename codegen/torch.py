"""Emits a standalone PyTorch module that imports only torch."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from lvmc.codegen.attributes import Attributes, attributes
from lvmc.codegen.body import Body
from lvmc.codegen.plan import Method, ModulePlan, class_name
from lvmc.codegen.support import needed
from lvmc.codegen.tree import constructor_lines, reset_lines

from lvmc.ir import Plane

_TEMPLATES = Path(__file__).parent / "templates" / "torch"


def emit(plan: ModulePlan) -> str:
    """Source of a `.py` file with one `nn.Module`; the same plan gives the same bytes."""
    programs = [method.program for method in plan.methods if method.program is not None]
    where = attributes(plan.parameters, programs)
    methods = [(method, method_lines(plan, method, where)) for method in plan.methods]
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
    return _template("module.py.jinja").render(values | {"class_text": class_text, "support": needed(class_text)})


def method_lines(plan: ModulePlan, method: Method, where: Attributes) -> tuple[str, ...]:
    """The body of a method after its docstring."""
    if method.program is None:
        return ("raise NotImplementedError(", f"    {method.refusal!r}", ")")
    tensors = [v.name for v in method.program.variables if v.kind in ("input", "latent") and v.name in method.bindings]
    first = method.bindings[tensors[0]] if tensors else ""
    parameter = f"self.{plan.parameters[0].name}" if plan.parameters else "torch.zeros(())"
    lines = Body(method, method.program, where, first or parameter, f"{first}.shape[0]" if first else "batch").write()
    masks = [v.name for v in method.program.variables if v.kind == "mask"]
    before = [f"{mask} = {mask}.bool()" for mask in masks]
    if method.name != "losses" and plan.planes:
        arguments = ", ".join(method.bindings[name] for name in _inputs(plan))
        text = "\n".join(lines)
        before.append(("size = " if "size[" in text else "") + f"self._sizes({arguments})")
    return (*before, *lines)


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
