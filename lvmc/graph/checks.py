"""Names that clash, keys that exclude each other, and models too large to unroll or allocate."""

from __future__ import annotations

import re
from math import prod
from unicodedata import normalize

from lvmc.graph.findings import Findings
from lvmc.graph.records import EnergyGraph
from lvmc.spec import Input, Layer, Spec
from lvmc.spec.names import name_fault
from lvmc.units import UNITS
from lvmc.values import Path

MAX_UPDATES = 10_000

_SECTIONS = ("inputs", "filters", "layers", "heads", "state")
_PLURAL = {"state": "states"}
_COUPLING_KEYS = ("filter", "stride", "dilation", "padding", "padding_mode", "replicate")


def check_names(spec: Spec, findings: Findings) -> None:
    """Every name can stand in the emitted module, and none is used twice."""
    fault = name_fault(spec.name)
    if fault:
        findings.add(("name",), fault, f"for example {_other(spec.name, set())}")
    extra = {point: name for name, each in spec.inputs.items() for point in getattr(each, "extra", ())}
    taken = {*spec.inputs, *spec.filters, *spec.layers, *spec.heads, *spec.state, *extra}
    seen: dict[str, str] = {}
    for section in ("inputs", "filters", "layers", "heads", "state", "points from outside"):
        for name in getattr(spec, section, extra):
            path = (section, name) if section in _SECTIONS else ("inputs", extra[name], "extra")
            fault = name_fault(name)
            if fault:
                findings.add(path, fault, f"choose another name, for example {_other(name, taken)}", on_key=True)
            if name in seen:
                fault = f"'{name}' is already the name of one of the {_PLURAL.get(seen[name], seen[name])}"
                findings.add(
                    path, fault, f"give each a name of its own, for example {_other(name, taken)}", on_key=True
                )
            seen.setdefault(name, section)


def check_inputs(spec: Spec, findings: Findings) -> None:
    """Normalisation has one mean and one deviation a channel."""
    for name, each in spec.inputs.items():
        if not isinstance(each, Input):
            continue
        for key in ("mean", "std"):
            values = getattr(each.normalize, key, None)
            path, channels = ("inputs", name, "normalize", key), ("inputs", name, "channels")
            if values is not None and len(values) != each.channels:
                fault = f"'{key}' has {_count(len(values), 'entry', 'entries')} for {_count(each.channels, 'channel')}"
                findings.add(path, fault, "write one a channel", needs=(channels,))
            if values is not None and key == "std" and min(values) <= 0:
                fault = f"a standard deviation is above 0, not {min(values)}"
                findings.add(path, fault, "write the deviation of each channel, of pixels divided by 'range'")


def check_layer(name: str, layer: Layer, findings: Findings) -> None:
    """Keys of one layer that exclude each other, or that its unit does not take."""
    path: Path = ("layers", name)
    _check_unit(path, layer, findings)
    _check_diagonal(path, layer, findings)
    if layer.from_ != {}:
        return
    if layer.size is None:
        fault = f"nothing lies below '{name}', so its size is unknown"
        findings.add((*path, "from"), fault, "write size: [H, W]", needs=((*path, "size"),))
    for key in _COUPLING_KEYS:
        if getattr(layer, key) is not None and not (key == "padding_mode" and layer.lateral):
            fault = f"'{key}' means nothing where nothing lies below"
            findings.add((*path, key), fault, f"leave '{key}' out", on_key=True, needs=((*path, "from"),))


def _check_unit(path: Path, layer: Layer, findings: Findings) -> None:
    unit, needs = UNITS[layer.unit], ((*path, "unit"),)
    if not unit.takes_upper and layer.upper is not None:
        fault = f"a {layer.unit} unit has no upper bound"
        findings.add((*path, "upper"), fault, "leave 'upper' out; rectified units take one", on_key=True, needs=needs)
    for key in () if unit.has_diagonal else ("diagonal", "lateral", "norm"):
        if key in layer.model_fields_set and getattr(layer, key) is not None:
            findings.add(
                (*path, key), f"a {layer.unit} unit has no '{key}'", f"leave '{key}' out", on_key=True, needs=needs
            )


def _check_diagonal(path: Path, layer: Layer, findings: Findings) -> None:
    own = (*path, "diagonal")
    drive = layer.norm is not None and layer.norm.kind == "drive" and UNITS[layer.unit].has_diagonal
    if drive and "diagonal" in layer.model_fields_set:
        fault = "norm: drive is the diagonal, so 'diagonal' cannot be given too"
        findings.add(own, fault, "keep one of the two", on_key=True, needs=((*path, "norm"),))
    if isinstance(layer.diagonal, tuple) and len(layer.diagonal) != layer.channels:
        fault = (
            f"'diagonal' has {_count(len(layer.diagonal), 'entry', 'entries')} for {_count(layer.channels, 'channel')}"
        )
        findings.add(own, fault, "write one a channel, or one number for all", needs=((*path, "channels"),))


def check_inference(spec: Spec, findings: Findings) -> None:
    """The passes can be unrolled or looped, and no filter is both shared and untied."""
    inference = spec.inference
    own = _passes_of_their_own(spec)
    updates = inference.passes * len(spec.layers)
    if own and not inference.until and updates > MAX_UPDATES:
        path, why = own
        fault = f"{_many(updates)} updates to unroll, more than the {MAX_UPDATES:,} allowed where {why}"
        most = MAX_UPDATES // len(spec.layers)
        findings.add(
            ("inference", "passes"), fault, f"for {_count(len(spec.layers), 'layer')}, at most {most} passes",
            needs=(path,),
        )  # fmt: skip
    if inference.until is not None and "passes" in inference.model_fields_set:
        fault = "'until' says when the passes end, so 'passes' cannot be given too"
        remedy = f"keep one of the two; the most passes: until: {{max_passes: {inference.passes}}}"
        findings.add(("inference", "passes"), fault, remedy, on_key=True, needs=(("inference", "until"),))
    if own and own[0][0] != "heads":
        path, why = own
        for key, given in (("until", inference.until is not None), ("gradient", inference.gradient == "implicit")):
            if given:
                fault = f"'{key}' needs one energy whose maximum the passes come to, but {why}"
                findings.add(
                    ("inference", key), fault, f"leave '{key}' or '{path[-1]}' out", on_key=True, needs=(path,)
                )
    for name, layer in spec.layers.items() if inference.gradient == "implicit" else ():
        if layer.norm is not None and layer.norm.kind == "drive":
            fault = "the statistics of 'norm: drive' come from pass 1, which gradient: implicit does not go through"
            remedy = "write diagonal: learned instead, or gradient: unrolled"
            findings.add(("layers", name, "norm"), fault, remedy, on_key=True, needs=(("inference", "gradient"),))
    _check_constraint(spec, findings)
    for name, layer in spec.layers.items() if inference.tying == "untied" else ():
        uses = {(): layer.filter} | {("from", lower): keys.filter for lower, keys in (layer.from_ or {}).items()}
        for stem, used in uses.items():
            if used in spec.filters:
                fault = f"'{used}' is shared, but tying: untied gives each use of a filter weights of its own"
                remedy = "give the coupling a filter size, or write tying: tied"
                findings.add(("layers", name, *stem, "filter"), fault, remedy, needs=(("inference", "tying"),))


def _check_constraint(spec: Spec, findings: Findings) -> None:
    """A constrained net has one energy, and diagonals that are known before a batch comes."""
    inference, needs = spec.inference, (("inference", "constraint"),)
    if inference.constraint == "none":
        return
    if inference.tying == "untied":
        fault = f"'constraint: {inference.constraint}' is about one energy, but with tying: untied there is none"
        remedy = "write tying: tied, or constraint: none"
        findings.add(("inference", "tying"), fault, remedy, needs=needs)
    for name, layer in spec.layers.items():
        if layer.norm is None or not UNITS[layer.unit].has_diagonal:
            continue
        if layer.norm.kind == "drive":
            fault = f"'constraint: {inference.constraint}' needs a diagonal that no batch changes, unlike 'norm: drive'"
            findings.add(("layers", name, "norm"), fault, "write diagonal: learned instead", needs=needs)
        else:
            fault = f"'constraint: {inference.constraint}' is about one energy, but with 'norm: message' there is none"
            findings.add(("layers", name, "norm"), fault, "write diagonal: learned, or constraint: none", needs=needs)


def _passes_of_their_own(spec: Spec) -> tuple[Path, str] | None:
    """What makes passes differ from each other, if anything: where it stands, and a word on it."""
    if spec.inference.tying == "untied":
        return ("inference", "tying"), "each pass has weights of its own (tying: untied)"
    for name, layer in spec.layers.items():
        if layer.norm is not None and layer.norm.kind == "message":
            return ("layers", name, "norm"), f"each pass has norms of its own (norm: message of '{name}')"
    for name, head in spec.heads.items():
        if head.at != "last":
            return ("heads", name, "at"), f"'{name}' reads at {head.at}"
    return None


def check_limits(graph: EnergyGraph, findings: Findings, max_parameters: int, max_units: int) -> None:
    """The model's size, computed before anything is allocated."""
    parameters = sum(prod(variable.type.shape) for variable in graph.parameters)
    if parameters > max_parameters:
        largest = max(graph.parameters, key=lambda variable: prod(variable.type.shape)).name
        fault = f"{_many(parameters)} parameters, more than the {max_parameters:,} allowed; most of them in {largest}"
        remedy = "use fewer channels or smaller filters, or allow more: load(..., max_parameters=...)"
        findings.add(_home(largest, graph), fault, remedy, on_key=True)
    units = sum(layer.units for layer in graph.layers)
    if units > max_units:
        widest = max(graph.layers, key=lambda layer: layer.units)
        fault = f"{_many(units)} latent units, more than the {max_units:,} allowed; most of them in {widest.name}"
        remedy = "use fewer channels or smaller sizes, or allow more: load(..., max_units=...)"
        findings.add(("layers", widest.name), fault, remedy, on_key=True)


def _home(parameter: str, graph: EnergyGraph) -> Path:
    """The entry of the spec that a parameter belongs to."""
    first, second = re.sub(r"^step\d+\.", "", parameter).split(".")[:2]
    if first == "heads":
        return ("heads", second)
    return ("layers" if first in graph.layer else "filters", first)


def _many(number: int) -> str:
    return f"{number:,}" if number < 10**18 else f"about 10^{len(str(number)) - 1}"


def _count(number: int, one: str, several: str = "") -> str:
    return f"{number} {one if number == 1 else several or one + 's'}"


def _other(name: str, taken: set[str]) -> str:
    """A name like this one that a spec can give."""
    letters = normalize("NFKD", name.casefold() if not name.isascii() else name).encode("ascii", "ignore").decode()
    plain = re.sub(r"\W+", "_", letters).lstrip("_0123456789")[:40].rstrip("_") or "block"
    return plain if plain not in taken and not name_fault(plain) else f"{plain}_x"
