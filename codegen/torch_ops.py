"""Each op as a PyTorch expression."""

from __future__ import annotations

from dataclasses import MISSING, fields

from lvmc.codegen.expressions import Expression, Shape, Site, Writer, call, method, options, windowed
from lvmc.codegen.state_ops import move, render
from lvmc.codegen.torch_densities import WRITERS

from lvmc.ir import Geometry, Size, ops
from lvmc.ir.bounds import Reach


def expression(site: Site) -> Expression:
    """The equation's right-hand side."""
    return _WRITERS[type(site.equation.op)](site, site.equation.op)


def _geometry(geometry: Geometry) -> dict[str, Size | None]:
    plain = {
        "stride": (geometry.stride, (1, 1)),
        "padding": (geometry.padding, (0, 0)),
        "dilation": (geometry.dilation, (1, 1)),
    }
    return {name: value if value != default else None for name, (value, default) in plain.items()}


def _correlate(site: Site, op: ops.Correlate) -> Expression:
    x, *parameters = site.args
    module = site.attributes.conv_call(site.equation)
    if site.covers:
        function = "whole" if _exact(site) else "correlate"
        return Expression(f"{function}({', '.join(arg.text for arg in site.args)})")
    if site.pointwise:
        return Expression(f"pointwise({', '.join(arg.text for arg in site.args)})")
    if module:
        return Expression(f"{module}({x.text})")
    keys = _geometry(op.geometry)
    if op.geometry.circular and op.geometry.padding != (0, 0):
        x = Expression(f"wrap({x.text}, {tuple(op.geometry.padding)})")
        keys["padding"] = None
    weights = ", ".join(parameter.text for parameter in parameters)
    return Expression(f"F.conv2d({x.text}, {weights}{options(**keys)})")


def _adjoint(site: Site, op: ops.Adjoint) -> Expression:
    z, weight, *bias = (arg.text for arg in site.args)
    geometry, keys = op.geometry, _geometry(op.geometry)
    wraps = geometry.circular and geometry.padding != (0, 0)
    if site.covers:
        function = "whole_adjoint" if _exact(site) else "correlate_adjoint"
        return Expression(f"{function}({', '.join([z, weight, *bias])})")
    if site.pointwise:
        return Expression(f"pointwise_adjoint({', '.join([z, weight, *bias])})")
    if geometry.stride == (1, 1) and not wraps:
        return Expression(f"F.conv_transpose2d({', '.join([z, weight, *bias])}{options(**keys)})")
    size = _plane(op)
    if not wraps:
        given = f", {bias[0]}" if bias else ""
        return Expression(f"adjoint({z}, {weight}, {size}{given}{_tuples(keys)})")
    rows, columns = geometry.padding
    padded = f"({size}[0] + {2 * rows}, {size}[1] + {2 * columns})"
    folded = f"unwrap(adjoint({z}, {weight}, {padded}{_tuples(keys | {'padding': None})}), {tuple(geometry.padding)})"
    return Expression(f"{folded} + {bias[0]}[:, None, None]" if bias else folded, atomic=not bias)


def _exact(site: Site) -> bool:
    """Whether the plane below, or above, always has its nominal size."""
    origin = site.equation.origin
    ends = (origin.layer, origin.sender) if origin.role in ("bottom", "top") else ()
    return any(end in site.attributes.exact for end in ends)


def _plane(op: ops.Adjoint | ops.Beliefs | ops.Upsample) -> str:
    """Size of the plane that an op gives a value on."""
    size = f'size["{op.plane}"]'
    return (
        size
        if isinstance(op, ops.Beliefs) or op.replicate == (1, 1)
        else f'windows_of("{op.plane}", {size}, {tuple(op.replicate)})'
    )


def _tuples(keys: dict[str, Size | None]) -> str:
    """Keyword arguments, as `, padding=(1, 1)`, that are not None."""
    return "".join(f", {name}={tuple(value)}" for name, value in keys.items() if value is not None)


def _constant(site: Site, op: ops.Constant) -> Expression:
    if len(set(op.values)) == 1:
        return Expression(repr(op.values[0]), shape="scalar")
    return Expression(f"{site.like}.new_tensor({list(op.values)!r})", shape="channel")


def _zeros(site: Site, op: ops.Zeros) -> Expression:
    size = f'*size["{op.plane}"]'
    return Expression(f"{site.like}.new_zeros({site.batch}, {size}, {op.shape[0]}).permute(0, 3, 1, 2)")


def _add(site: Site, op: ops.Add) -> Expression:
    return Expression(" + ".join(arg.text for arg in site.args), atomic=len(site.args) == 1)


def _add_channel(site: Site, op: ops.AddChannel) -> Expression:
    return Expression(f"{site.args[0].text} + {site.args[1].meeting(2)}", atomic=False)


def _div_channel(site: Site, op: ops.DivChannel) -> Expression:
    x, diagonal = site.args
    if diagonal.shape == "scalar":
        return Expression(f"{x.operand} / {diagonal.operand}", atomic=False)
    return Expression(f"{x.operand} * (1.0 / {diagonal.operand})[:, None, None]", atomic=False)


def _div_filter(site: Site, op: ops.DivFilter) -> Expression:
    axes = len(site.equation.type.shape) - 1
    divisor = site.args[1].meeting(axes) if axes else site.args[1].operand
    return Expression(f"{site.args[0].operand} / {divisor}", atomic=False, shape="plane" if axes else "channel")


def _rectify(site: Site, op: ops.Rectify) -> Expression:
    x = site.args[0]
    if op.upper is not None:
        return Expression(f"{x.operand}.clamp(0.0, {op.upper!r})")
    return Expression(f"F.relu_({x.text})" if site.spare else f"F.relu({x.text})")


def _select(site: Site, op: ops.Select) -> Expression:
    mask, given, updated = site.args
    return Expression(f"torch.where({mask.text}, {given.text}, {updated.text})")


def _gain(site: Site, op: ops.Gain) -> Expression:
    drive, value, diagonal = site.args
    return Expression(
        f"{drive.operand} * {value.operand} - 0.5 * {diagonal.meeting(2)} * {value.operand} ** 2", atomic=False
    )


def _winners(site: Site, op: ops.Winners) -> Expression:
    *gain, drive = (arg.text for arg in site.args)
    second = f", {gain[0]}" if gain else ""
    return Expression(f"winners({drive}, {tuple(op.group)}{second})")


def _safe_scale(site: Site, op: ops.SafeScale) -> Expression:
    count = len(op.reaches)
    diagonals = [f'"{name}": {d.text}' for name, d in zip(op.layers, site.args[count:], strict=True)]
    couplings = [_coupling(reach, taps) for reach, taps in zip(op.reaches, site.args, strict=False)]
    given = ", ".join([repr(op.limit), f"{{{', '.join(diagonals)}}}", *couplings])
    return Expression(f"{op.claim}_scale({given})", shape="scalar")


def _coupling(reach: Reach, taps: Expression) -> str:
    """A filter and what it joins: `Coupling("h2", "h1", self.h2.weight, stride=(2, 2))`."""
    changed = [each for each in fields(reach) if each.default not in (MISSING, getattr(reach, each.name))]
    keys = "".join(f", {each.name}={getattr(reach, each.name)!r}" for each in changed)
    return f'Coupling("{reach.upper}", "{reach.lower}", {taps.text}{keys})'


def _scale_filter(site: Site, op: ops.ScaleFilter) -> Expression:
    taps, scale = site.args
    return Expression(f"{scale.operand} * {taps.operand}", atomic=False)


def _add_scaled(site: Site, op: ops.AddScaled) -> Expression:
    drive, value, scale = site.args
    return Expression(f"{drive.text} + {scale.operand} * {value.operand}", atomic=False)


def _add_scalar(site: Site, op: ops.AddScalar) -> Expression:
    diagonal, bound = site.args
    return Expression(f"{diagonal.text} + {bound.text}", atomic=False, shape=diagonal.shape)


def _running(site: Site, op: ops.RunningMoments) -> Expression:
    return Expression(f"({site.args[0].text}, {site.args[1].text})", shape="tuple")


def _norm_diagonal(site: Site, op: ops.NormDiagonal) -> Expression:
    return Expression(
        f"({site.args[0].operand}[1] + {op.eps!r}).sqrt() / {site.args[1].operand}", atomic=False, shape="channel"
    )


def _norm_bias(site: Site, op: ops.NormBias) -> Expression:
    moments, shift, diagonal = site.args
    return Expression(f"{shift.operand} * {diagonal.operand} - {moments.operand}[0]", atomic=False, shape="channel")


def _upsample(site: Site, op: ops.Upsample) -> Expression:
    function = {"bilinear": "upsample", "nearest": "upsample_nearest", "fcn": "upsample_fcn"}[op.mode]
    return Expression(f"{function}({site.args[0].text}, {_plane(op)})")


def _reshape(site: Site, op: ops.Reshape) -> Expression:
    x = site.args[0].operand
    if len(op.shape) == 1:
        return Expression(f"{x}.flatten(1)")
    return Expression(f"{x}.flatten(1).unflatten(1, {tuple(op.shape)})")


def _inner(site: Site, op: ops.Inner) -> Expression:
    text = f"inner({site.args[0].text}, {site.args[1].text})"
    return Expression(text if op.scale == 1.0 else f"{op.scale!r} * {text}", atomic=op.scale == 1.0)


def _inner_channel(site: Site, op: ops.InnerChannel) -> Expression:
    return Expression(f"inner({site.args[0].text}, {site.args[1].meeting(2)})")


def _self_term(site: Site, op: ops.SelfTerm) -> Expression:
    z, diagonal = site.args
    if diagonal.text == "1.0":
        return Expression(f"-0.5 * inner({z.text}, {z.text})", atomic=False)
    return Expression(f"-0.5 * inner({z.text}, {diagonal.meeting(2)} * {z.operand})", atomic=False)


def _minus_diagonal(site: Site, op: ops.MinusDiagonal) -> Expression:
    return Expression(f"-{site.args[1].meeting(2)} * {site.args[0].operand}", atomic=False)


def _largest_change(site: Site, op: ops.LargestChange) -> Expression:
    return Expression(f"({site.args[0].text} - {site.args[1].operand}).abs().amax((1, 2, 3))")


def _largest(site: Site, op: ops.Largest) -> Expression:
    return Expression(f"torch.stack([{', '.join(arg.text for arg in site.args)}]).amax(0)")


def _between(site: Site, op: ops.Between) -> Expression:
    z = site.args[0]
    inside = f"{z.operand} > 0" if op.upper is None else f"({z.operand} > 0) & ({z.operand} < {op.upper!r})"
    return Expression(f"({inside}).to({z.operand}.dtype)")


def _nonzero(site: Site, op: ops.Nonzero) -> Expression:
    z = site.args[0].operand
    return Expression(f"({z} != 0).to({z}.dtype)")


def _sigmoid_slope(site: Site, op: ops.SigmoidSlope) -> Expression:
    z = site.args[0].operand
    return Expression(f"{z} * (1.0 - {z})", atomic=False)


def _times(site: Site, op: ops.Times) -> Expression:
    return Expression(f"{site.args[0].operand} * {site.args[1].operand}", atomic=False)


def _stack(site: Site, op: ops.Stack) -> Expression:
    return Expression(f"torch.stack([{', '.join(arg.text for arg in site.args)}])")


def _norm_call(method: str, shape: Shape) -> Writer:
    """A call of the norm module that holds the op's parameters."""

    def write(site: Site, op: ops.Op) -> Expression:
        module = site.attributes.owner(site.equation.args[1])
        return Expression(f"{module}{method}({site.args[0].text})", shape=shape)

    return write


def _distance(site: Site, op: ops.DistanceLoss) -> Expression:
    return Expression(f"distance_loss({site.args[0].text}, {site.args[1].text}, {op.power}, {op.ignore})")


def _known(site: Site, op: ops.KnownLoss) -> Expression:
    function = "shape_loss" if op.anywhere else "known_loss"
    return Expression(f"{function}({site.args[0].text}, {site.args[1].text})")


def _peaks(site: Site, op: ops.Peaks) -> Expression:
    maps = site.args[0]
    if op.gradient == "paper":
        return Expression(f"quadrant_peaks({maps.text})")
    given = f"{maps.operand}.detach()" if op.gradient == "none" else maps.text
    return Expression(f"soft_peaks({given}, {op.window}, {op.temperature!r})")


def _confidence(site: Site, op: ops.Confidence) -> Expression:
    maps = site.args[0].text
    return Expression(f"peak_confidence({maps})" if op.least is None else f"peak_present({maps}, {op.least!r})")


def _lift(site: Site, op: ops.LiftPoints) -> Expression:
    module, weights = site.attributes.owner(site.equation.args[1]), [arg.text for arg in site.args[6:]]
    keys = [f"scale={op.scale!r}"] if op.scale is not None else []
    keys += ["by_paper=True"] if op.gradient == "paper" else []
    return Expression(f"{module}({', '.join([site.args[0].text, *weights, *keys])})")


def _columns(site: Site, op: ops.Columns) -> Expression:
    return Expression(f"{site.args[0].operand}[..., {op.start}:{op.stop}]")


def _beliefs(site: Site, op: ops.Beliefs) -> Expression:
    function = "difference_maps" if op.gradient == "paper" else "belief_maps"
    return Expression(f"{function}({site.args[0].text}, {op.sigma!r}, {_plane(op)})")


def _weighted(site: Site, op: ops.Weighted) -> Expression:
    return Expression(f"{op.weight!r} * {site.args[0].operand}", atomic=False)


_WRITERS: dict[type[ops.Op], Writer] = {
    ops.Constant: _constant,
    ops.Zeros: _zeros,
    ops.Add: _add,
    ops.AddChannel: _add_channel,
    ops.DivChannel: _div_channel,
    ops.DivFilter: _div_filter,
    ops.Rectify: _rectify,
    ops.Sigmoid: call("torch.sigmoid"),
    ops.ClipUnit: method(".clamp(0.0, 1.0)"),
    ops.Select: _select,
    ops.Positive: call("positive", "channel"),
    ops.Correlate: _correlate,
    ops.Adjoint: _adjoint,
    ops.SumWindows: windowed("sum_windows"),
    ops.RepeatWindows: windowed("repeat_windows"),
    ops.Gain: _gain,
    ops.ClampedKey: call("clamped_key"),
    ops.Winners: _winners,
    ops.Keep: call("keep"),
    ops.Take: call("take"),
    ops.Spread: windowed("spread"),
    ops.MaxWindows: windowed("max_windows"),
    ops.SymmetricTaps: call("symmetric"),
    ops.LateralBound: method(".abs().sum((1, 2, 3)).amax()", "scalar"),
    ops.SafeScale: _safe_scale,
    ops.ScaleFilter: _scale_filter,
    ops.AddScaled: _add_scaled,
    ops.AddScalar: _add_scalar,
    ops.Moments: _norm_call(".moments", "tuple"),
    ops.RunningMoments: _running,
    ops.NormDiagonal: _norm_diagonal,
    ops.NormBias: _norm_bias,
    ops.MessageNorm: _norm_call("", "plane"),
    ops.Upsample: _upsample,
    ops.MeanPlane: method(".mean((2, 3), keepdim=True)"),
    ops.Reshape: _reshape,
    ops.Stack: _stack,
    ops.Inner: _inner,
    ops.InnerChannel: _inner_channel,
    ops.SelfTerm: _self_term,
    ops.MinusDiagonal: _minus_diagonal,
    ops.Entropy: call("entropy"),
    ops.LargestChange: _largest_change,
    ops.Largest: _largest,
    ops.Between: _between,
    ops.Nonzero: _nonzero,
    ops.Ones: call("torch.ones_like"),
    ops.SigmoidSlope: _sigmoid_slope,
    ops.Times: _times,
    ops.Peaks: _peaks,
    ops.Confidence: _confidence,
    ops.LiftPoints: _lift,
    ops.Columns: _columns,
    ops.Beliefs: _beliefs,
    ops.KnownLoss: _known,
    ops.Render: render,
    ops.Move: move,
    ops.LogisticLoss: call("logistic_loss"),
    ops.SoftmaxLoss: call("softmax_loss"),
    ops.DistanceLoss: _distance,
    ops.Weighted: _weighted,
    **WRITERS,
}
