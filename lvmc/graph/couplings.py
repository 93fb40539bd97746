"""Resolves what a layer is coupled to: names, filters, and the size the layer gets from each block below."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import gcd

from lvmc.graph.findings import Findings
from lvmc.graph.records import Coupling
from lvmc.ir import Geometry, Size
from lvmc.records import nearest, shorten
from lvmc.spec import Coupling as Keys
from lvmc.spec import Layer, SharedFilter, Spec
from lvmc.spec.keys import section
from lvmc.values import Path

UNKNOWN: Size = (0, 0)

_SIZE_KEYS = ("filter", "stride", "dilation", "padding", "replicate", "from")


@dataclass(frozen=True, slots=True)
class Below:
    """A block that a layer can be coupled to. Its size is UNKNOWN where mistakes hide it."""

    name: str
    channels: int
    size: Size
    window: Size = (1, 1)


@dataclass(slots=True)
class Scope:
    """Blocks defined so far, from bottom to top, and the channels that each shared filter was first used with."""

    spec: Spec
    blocks: dict[str, Below] = field(default_factory=dict[str, Below])
    shared: dict[str, tuple[str, tuple[int, int]]] = field(default_factory=dict[str, tuple[str, tuple[int, int]]])


def resolve_couplings(name: str, layer: Layer, scope: Scope, findings: Findings) -> tuple[tuple[Coupling, Size], ...]:
    """Every coupling of a layer with the size it gives the layer; mistakes go to `findings`."""
    resolved: list[tuple[Coupling, Size]] = []
    below = _below(name, layer, scope, findings)
    for lower, keys, path in below:
        merged = keys.model_copy(update={k: getattr(layer, k) for k in Keys.model_fields if getattr(keys, k) is None})
        found = _Resolver(name, layer.channels, lower, merged, path, scope, findings, len(below) > 1).resolve()
        if found is not None:
            resolved.append(found)
    return tuple(resolved)


def _below(name: str, layer: Layer, scope: Scope, findings: Findings) -> list[tuple[Below, Keys, Path]]:
    path: Path = ("layers", name)
    if layer.from_ is None:
        first = all(block in scope.spec.inputs for block in scope.blocks)
        if not scope.blocks and not findings.lost("inputs"):
            findings.add(
                path, f"nothing lies below '{name}'", "add an input, or write from: none with a size", on_key=True
            )
        names = list(scope.blocks) if first else list(scope.blocks)[-1:]
        return [(scope.blocks[each], Keys(), path) for each in names]
    found: list[tuple[Below, Keys, Path]] = []
    for lower, keys in layer.from_.items():
        if lower in scope.blocks:
            found.append((scope.blocks[lower], keys, (*path, "from", lower)))
        elif not findings.lost("inputs"):
            findings.add((*path, "from", lower), *_unknown(lower, name, scope), on_key=True)
    return found


def _unknown(lower: str, name: str, scope: Scope) -> tuple[str, str]:
    if lower == name:
        return f"'{name}' cannot lie below itself", "couplings inside a layer are written lateral: {filter: 3}"
    if lower in scope.spec.layers:
        return (
            f"'{lower}' is listed after '{name}', but lies below it",
            f"list layers from bottom to top: '{lower}' first",
        )
    return f"no layer or input is named '{lower}'", nearest(lower, scope.blocks)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """One coupling on its way from keys to sizes."""

    upper: str
    channels: int
    lower: Below
    keys: Keys
    path: Path
    scope: Scope
    findings: Findings
    several: bool

    def resolve(self) -> tuple[Coupling, Size] | None:
        replicate = self.keys.replicate or self.lower.window
        pooled = self._pooled(replicate)
        kernel, shared = self._kernel(pooled)
        if kernel is None or pooled is None:
            return None
        geometry = self._geometry(kernel, pooled)
        if geometry is None:
            return None
        size = UNKNOWN if pooled == UNKNOWN else geometry.size_above(pooled, kernel)
        if pooled != UNKNOWN and min(size) < 1:
            extent = f"a {text(geometry.extent(kernel))} filter does not fit '{self.lower.name}'"
            fault = f"'{self.upper}' would be empty: {extent}, read at {text(pooled)}"
            self._add("filter", fault, "use a smaller filter, or more padding", _SIZE_KEYS)
            return None
        weight = shared or (f"{self.upper}.{self.lower.name}" if self.several else self.upper)
        full = self.keys.filter == "full"
        coupling = Coupling(
            self.upper, self.lower.name, f"{weight}.weight", kernel, geometry, replicate, pooled, shared, full
        )
        return coupling, size

    def _pooled(self, replicate: Size) -> Size | None:
        (height, width), (rows, columns) = self.lower.size, replicate
        if self.lower.size == UNKNOWN:
            return UNKNOWN
        if height % rows or width % columns:
            fault = f"windows of {text(replicate)} do not divide '{self.lower.name}', which is {text(self.lower.size)}"
            self._add("replicate", fault, dividing(self.lower.size, replicate))
            return None
        return (height // rows, width // columns)

    def _kernel(self, pooled: Size | None) -> tuple[Size | None, str | None]:
        match self.keys.filter:
            case None:
                path: Path = ("layers", self.upper)
                remedy = "a size such as filter: 3, or full, or the name of a shared filter"
                needs = ((*path, "filter"), (*path, "from"))
                self.findings.add(self.path, f"{section(self.path)} needs 'filter'", remedy, on_key=True, needs=needs)
                return None, None
            case "full":
                return (pooled if pooled != UNKNOWN else None), None
            case str() as name:
                return self._shared(name)
            case size:
                return size, None

    def _shared(self, name: str) -> tuple[Size | None, str | None]:
        record: SharedFilter | None = self.scope.spec.filters.get(name)
        if record is None:
            if not self.findings.lost("filters"):
                self._add(
                    "filter", f"no shared filter is named '{name}'", nearest(name, [*self.scope.spec.filters, "full"])
                )
            return None, None
        if self._unsure_channels() or self.findings.doubts(("filters", name)):
            return None, None
        channels = (self.channels, self.lower.channels)
        user, known = self.scope.shared.setdefault(name, (self.upper, channels))
        if known != channels:
            fault = f"'{name}' joins {known[1]} to {known[0]} channels in '{user}', here {channels[1]} to {channels[0]}"
            self._add("filter", fault, "a shared filter has one shape; give this coupling a filter of its own")
            return None, None
        return record.size, name

    def _unsure_channels(self) -> bool:
        blocks = (("layers", self.upper), ("layers", self.lower.name), ("inputs", self.lower.name))
        return any(self.findings.doubts((*block, "channels")) for block in blocks)

    def _geometry(self, kernel: Size, pooled: Size) -> Geometry | None:
        stride, dilation = self.keys.stride or (1, 1), self.keys.dilation or (1, 1)
        full = self.keys.filter == "full"
        padding = self.keys.padding
        if full and self._reach_beyond_plane(stride, dilation, padding):
            return None
        if not isinstance(padding, tuple):
            if not full and (kernel[0] % 2 == 0 or kernel[1] % 2 == 0):
                near = ((dilation[0] * (kernel[0] - 1) + 1) // 2, (dilation[1] * (kernel[1] - 1) + 1) // 2)
                remedy = f"write padding: {shorten(near)}, or use an odd filter"
                self._add("filter", f"an even filter ({text(kernel)}) has no 'same' padding", remedy, ("padding",))
                return None
            padding = (0, 0) if full else (dilation[0] * (kernel[0] - 1) // 2, dilation[1] * (kernel[1] - 1) // 2)
        circular = self.keys.padding_mode == "circular"
        if circular and pooled != UNKNOWN and (padding[0] > pooled[0] or padding[1] > pooled[1]):
            fault = f"circular padding of {text(padding)} wraps {text(pooled)} more than once"
            self._add("padding_mode", fault, "use less padding, or padding_mode: zeros", _SIZE_KEYS)
            return None
        return Geometry(stride, dilation, padding, circular)

    def _reach_beyond_plane(self, stride: Size, dilation: Size, padding: Size | str | None) -> bool:
        given = {
            "padding": padding not in (None, "same", (0, 0)),
            "stride": stride != (1, 1),
            "dilation": dilation != (1, 1),
        }
        for key in (key for key, wrong in given.items() if wrong):
            fault = f"filter: full covers the plane once, so '{key}' means nothing"
            self._add(key, fault, f"leave '{key}' out, or write a filter size", ("filter",), on_key=True)
        return any(given.values())

    def _add(self, key: str, fault: str, remedy: str, needs: tuple[str, ...] = (), *, on_key: bool = False) -> None:
        stem = self.path if len(self.path) > 2 and self._gives(key) else ("layers", self.upper)
        paths = [(*block, each) for each in needs for block in (self.path, ("layers", self.upper))]
        self.findings.add((*stem, key), fault, remedy, on_key=on_key, needs=tuple(paths))

    def _gives(self, key: str) -> bool:
        """Whether the coupling itself gives the key; otherwise it is its layer's."""
        couplings = self.scope.spec.layers[self.upper].from_ or {}
        return key in couplings[self.lower.name].model_fields_set


def dividing(size: Size, window: Size) -> str:
    """The square windows that divide a size, and the next sizes that a window divides."""
    below = tuple(side // step * step for side, step in zip(size, window, strict=True))
    above = tuple(-(-side // step) * step for side, step in zip(size, window, strict=True))
    sizes = [text((height, width)) for height, width in (below, above) if min(height, width) > 0]
    return f"windows that do: {divisors(gcd(*size))}; sizes that {text(window)} divides: {', '.join(sizes)}"


def divisors(number: int) -> str:
    """The divisors of a number up to 64: `1, 2, 4`."""
    return ", ".join(str(each) for each in range(1, min(number, 64) + 1) if number % each == 0)


def text(size: Size) -> str:
    """`64×64`."""
    return f"{size[0]}×{size[1]}"
