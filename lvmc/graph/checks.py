"""Names that clash, keys that exclude each other, and models too large to allocate."""

from __future__ import annotations

from math import prod

from lvmc.graph.findings import Findings
from lvmc.graph.records import EnergyGraph
from lvmc.spec import Layer, Spec
from lvmc.spec.names import name_fault
from lvmc.units import UNITS


def check_names(spec: Spec, findings: Findings) -> None:
    """Every name can stand in the emitted module, and none is used twice."""
    fault = name_fault(spec.name)
    if fault:
        findings.add(("name",), fault, "for example my_model")
    seen: dict[str, str] = {}
    for section in ("inputs", "filters", "layers", "heads"):
        for name in getattr(spec, section):
            path = (section, name)
            fault = name_fault(name)
            if fault:
                findings.add(path, fault, f"choose another name, for example {_plain(name)}", on_key=True)
            if name in seen:
                findings.add(path, f"'{name}' is already the name of one of the {seen[name]}", "names are distinct", on_key=True)
            seen[name] = section


def check_keys(name: str, layer: Layer, spec: Spec, findings: Findings) -> None:
    """Keys of one layer that exclude each other, or that its unit does not take."""
    unit, given = UNITS[layer.unit], layer.model_fields_set
    path = ("layers", name)
    if not unit.takes_upper and layer.upper is not None:
        findings.add((*path, "upper"), f"a {layer.unit} unit has no upper bound", "only rectified units take one")
    if not unit.has_diagonal:
        for key in {"diagonal", "lateral", "norm"} & given:
            if getattr(layer, key) is not None:
                findings.add((*path, key), f"a {layer.unit} unit has no '{key}'", f"leave '{key}' out", on_key=True)
    if layer.norm is not None and layer.norm.kind == "drive" and "diagonal" in given:
        fault = "norm: drive is the diagonal, so 'diagonal' cannot be given too"
        findings.add((*path, "diagonal"), fault, "keep one of the two", on_key=True)
    if isinstance(layer.diagonal, tuple) and len(layer.diagonal) != layer.channels:
        fault = f"{len(layer.diagonal)} diagonal entries for {layer.channels} channels"
        findings.add((*path, "diagonal"), fault, "one a channel, or one number for all")
    if layer.from_ == {} and layer.size is None:
        findings.add((*path, "from"), f"nothing lies below '{name}', so its size is unknown", "write size: [H, W]")
    if layer.from_ == {}:
        for key in ("filter", "stride", "dilation", "padding", "replicate"):
            if getattr(layer, key) is not None:
                findings.add((*path, key), f"'{key}' means nothing where nothing lies below", f"leave '{key}' out", on_key=True)
    _check_untied(name, layer, spec, findings)
    _check_normalize(spec, findings)


def _check_untied(name: str, layer: Layer, spec: Spec, findings: Findings) -> None:
    filters = [layer.filter, *(keys.filter for keys in (layer.from_ or {}).values())]
    if spec.inference.tying == "untied" and any(isinstance(f, str) and f != "full" for f in filters):
        fault = f"'{name}' shares a filter, but tying: untied gives each use its own"
        findings.add(("layers", name, "filter"), fault, "give the layer a filter size, or write tying: tied")


def _check_normalize(spec: Spec, findings: Findings) -> None:
    for name, each in spec.inputs.items():
        for key in ("mean", "std") if each.normalize else ():
            values = getattr(each.normalize, key)
            if values is not None and len(values) != each.channels:
                path = ("inputs", name, "normalize", key)
                fault = f"{len(values)} entries of '{key}' for {each.channels} channels"
                if all(finding.path != path for finding in findings.found):
                    findings.add(path, fault, "one a channel")
            if key == "std" and values is not None and min(values) <= 0:
                findings.add(("inputs", name, "normalize", key), "a standard deviation is above 0")


def check_limits(graph: EnergyGraph, findings: Findings, max_parameters: int, max_units: int) -> None:
    """The model's size, computed before anything is allocated."""
    parameters = sum(prod(variable.type.shape) for variable in graph.parameters)
    if parameters > max_parameters:
        largest = max(graph.parameters, key=lambda variable: prod(variable.type.shape))
        fault = f"{parameters:,} parameters, more than the {max_parameters:,} allowed; most of them in {largest.name}"
        findings.add(("layers",), fault, "use fewer channels or smaller filters, or allow more: load(..., max_parameters=...)")
    units = sum(layer.units for layer in graph.layers)
    if units > max_units:
        widest = max(graph.layers, key=lambda layer: layer.units)
        fault = f"{units:,} latent units, more than the {max_units:,} allowed; most of them in {widest.name}"
        findings.add(("layers", widest.name), fault, "use smaller sizes, or allow more: load(..., max_units=...)", on_key=True)


def _plain(name: str) -> str:
    letters = "".join(c if c.isalnum() and c.isascii() else "_" for c in name).strip("_0123456789")
    return f"{letters or 'block'}_x"
