"""The constructor of the emitted class: its modules and parameters, and how they start."""

from __future__ import annotations

from collections.abc import Iterator

from lvmc.codegen.attributes import Attributes, Conv, Norm
from lvmc.codegen.expressions import pair

from lvmc.ir import Variable


def constructor_lines(parameters: tuple[Variable, ...], attributes: Attributes) -> Iterator[str]:
    """Statements that make every module and parameter, in the order of `state_dict`."""
    made: set[str] = set()
    for parameter in parameters:
        path, _, leaf = parameter.name.rpartition(".")
        yield from _modules(path, attributes, made)
        if not _made_by_module(path, leaf, attributes):
            zeros = f"torch.zeros({', '.join(map(str, parameter.type.shape))})"
            if parameter.kind == "statistic":
                yield f'self.{path}.register_buffer("{leaf}", {zeros})'
            else:
                yield f"self.{parameter.name} = nn.Parameter({zeros})"
    if any(len(parameter.type.shape) == 4 for parameter in parameters):
        yield "self.to(memory_format=torch.channels_last)"
    for path in attributes.wholes:
        yield f"self.{path}.to(memory_format=torch.contiguous_format)"


def reset_lines(parameters: tuple[Variable, ...]) -> Iterator[str]:
    """Statements that give every parameter and statistic its first value."""
    for parameter in (each for each in parameters if each.kind != "basis"):
        init = parameter.init
        assert init is not None
        if init.kind == "normal":
            yield f"draw(self.{parameter.name}, {init.scale!r}, random)"
        else:
            yield f"nn.init.constant_(self.{parameter.name}, {init.scale!r})"


def _modules(path: str, attributes: Attributes, made: set[str]) -> Iterator[str]:
    """Statements for the module at `path` and those above it that do not exist yet."""
    parts = path.split(".")
    for depth in range(1, len(parts) + 1):
        module = ".".join(parts[:depth])
        if module not in made:
            made.add(module)
            yield f"self.{module} = {_module(module, attributes)}"


def _module(path: str, attributes: Attributes) -> str:
    if path in attributes.convs:
        return _conv(attributes.convs[path])
    if path in attributes.norms:
        return _norm(attributes.norms[path])
    if path in attributes.lifts:
        return f"Lifting({', '.join(map(str, attributes.lifts[path]))})"
    if path in attributes.matrices:
        outputs, inputs = attributes.matrices[path].shape
        return f"nn.Linear({inputs}, {outputs}{'' if attributes.matrices[path].bias else ', bias=False'})"
    return "nn.Module()"


def _conv(conv: Conv) -> str:
    geometry, kernel = conv.geometry, (conv.shape[2], conv.shape[3])
    text = f"nn.Conv2d({conv.shape[1]}, {conv.shape[0]}, {pair(kernel)}"
    for name, value, plain in (
        ("stride", geometry.stride, (1, 1)),
        ("padding", geometry.padding, (0, 0)),
        ("dilation", geometry.dilation, (1, 1)),
    ):
        text += f", {name}={pair(value)}" if value != plain else ""
    text += ", bias=False" if not conv.bias else ""
    return text + (', padding_mode="circular")' if geometry.circular else ")")


def _norm(norm: Norm) -> str:
    if norm.eps is None:
        return f"DriveNorm({norm.channels}, momentum={norm.momentum!r})"
    return f"MessageNorm({norm.channels}, eps={norm.eps!r}, momentum={norm.momentum!r})"


def _made_by_module(path: str, leaf: str, attributes: Attributes) -> bool:
    if path in attributes.norms or path in attributes.lifts:
        return True
    return (path in attributes.convs or path in attributes.matrices) and leaf in ("weight", "bias")
