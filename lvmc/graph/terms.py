"""What a layer contributes to any program: its messages, its diagonal, its symmetric lateral filter."""

from __future__ import annotations

from lvmc.graph.records import Coupling, InputNode, LayerNode
from lvmc.graph.states import Rendering, StateNode
from lvmc.ir import Builder, Origin
from lvmc.ir.ops import (
    Adjoint,
    Constant,
    Correlate,
    LateralBound,
    Move,
    NormBias,
    NormDiagonal,
    Positive,
    Render,
    RepeatWindows,
    Reshape,
    Sigmoid,
    SumWindows,
    SymmetricTaps,
    Upsample,
    Weighted,
)


def bottom_message(build: Builder, coupling: Coupling, value: str, weight: str, name: str, origin: Origin) -> str:
    """`w ⋆ P(z_lower)`."""
    if coupling.replicate != (1, 1):
        value = build.add(SumWindows(coupling.replicate), value, name=f"{name}_pooled", origin=origin)
    return build.add(Correlate(coupling.geometry), value, weight, name=name, origin=origin)


def top_message(build: Builder, coupling: Coupling, value: str, weight: str, name: str, origin: Origin) -> str:
    """`wᵀ z_upper`, before Pᵀ spreads it."""
    op = Adjoint(coupling.geometry, coupling.pooled, coupling.lower, coupling.replicate)
    return build.add(op, value, weight, name=name, origin=origin)


def spread(build: Builder, coupling: Coupling, message: str, name: str, origin: Origin) -> str:
    """Pᵀ of a top-down message."""
    if coupling.replicate == (1, 1):
        return message
    return build.add(RepeatWindows(coupling.replicate), message, name=name, origin=origin)


def own_diagonal(build: Builder, layer: LayerNode, origin: Origin) -> str:
    """d of a layer without a drive norm; empty for units that have none."""
    if layer.diagonal is None:
        return ""
    if layer.diagonal == "learned":
        return build.add(Positive(), f"{layer.name}.diagonal", name=f"{layer.name}_diagonal", origin=origin)
    return build.add(Constant(layer.diagonal), name=f"{layer.name}_diagonal", origin=origin)


def norm_diagonal(build: Builder, layer: LayerNode, moments: str, origin: Origin) -> tuple[str, str]:
    """d = s/γ and the addition β d − μ to the bias that a drive norm amounts to."""
    norm = layer.norm
    assert norm is not None
    stem = f"{layer.name}.norm"
    scale = build.add(Positive(), f"{stem}.weight", name=f"{layer.name}_scale", origin=origin)
    diagonal = build.add(NormDiagonal(norm.eps), moments, scale, name=f"{layer.name}_diagonal", origin=origin)
    shift = build.add(NormBias(), moments, f"{stem}.bias", diagonal, name=f"{layer.name}_shift", origin=origin)
    return diagonal, shift


def lateral_filter(build: Builder, layer: LayerNode, origin: Origin, taps: str = "") -> tuple[str, str]:
    """The symmetric filter L, unless `taps` are it, and its bound σ."""
    taps = taps or build.add(SymmetricTaps(), f"{layer.name}.lateral", name=f"{layer.name}_lateral", origin=origin)
    return taps, build.add(LateralBound(), taps, name=f"{layer.name}_bound", origin=origin)


def rendered(build: Builder, node: InputNode, rendering: Rendering) -> str:
    """The input that shows a state."""
    origin = Origin(node.name, 0, "derived")
    match rendering.how:
        case "map":
            return rendering.state
        case "sigmoid":
            return build.add(Sigmoid(), rendering.state, name=node.name, origin=origin)
        case "gaussian":
            shape = (node.size, node.name, rendering.whole, rendering.canvas)
            op = Render(*shape, rendering.sigma, rendering.truncate, rendering.scale, rendering.offset)
            return build.add(op, rendering.state, *rendering.extra, name=node.name, origin=origin)


def changed(build: Builder, state: StateNode, value: str) -> str:
    """The state after a step, from the output of the head that changes it."""
    change, origin, stem = state.change, Origin(state.name, 0, "state"), f"{state.name}_by"
    if build.types[value].shape != state.shape:
        op = (
            Upsample("bilinear", (state.shape[1], state.shape[2]), state.plane)
            if state.is_map
            else Reshape(state.shape)
        )
        value = build.add(op, value, name=stem, origin=origin)
    if change.how == "add":
        op = Move(change.scale, change.limit, change.each)
        return build.add(op, state.name, value, name=f"{state.name}_next", origin=origin)
    if change.scale == 1.0:
        return value
    return build.add(Weighted(change.scale), value, name=f"{state.name}_next", origin=origin)
