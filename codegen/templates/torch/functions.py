"""Functions and modules that emitted files carry with them; each file gets those it uses."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

Size = tuple[int, int]


def plane_above(
    name: str,
    size: Size,
    kernel: Size,
    stride: Size = (1, 1),
    dilation: Size = (1, 1),
    padding: Size = (0, 0),
    replicate: Size = (1, 1),
) -> Size:
    """Height and width of the layer above a plane; its windows must divide the plane."""
    height, width = windows_of(name, size, replicate)
    height = (height + 2 * padding[0] - dilation[0] * (kernel[0] - 1) - 1) // stride[0] + 1
    width = (width + 2 * padding[1] - dilation[1] * (kernel[1] - 1) - 1) // stride[1] + 1
    return (height, width)


def windows_of(name: str, size: Size, window: Size) -> Size:
    """Height and width in windows; raises where they do not divide the plane."""
    if size[0] % window[0] != 0 or size[1] % window[1] != 0:
        shown = f"{size[0]}×{size[1]}, which windows of {window[0]}×{window[1]}"
        raise ValueError(f"{name} would be {shown} do not divide")
    return (size[0] // window[0], size[1] // window[1])


def require_size(name: str, size: Size, nominal: Size) -> None:
    """Raise unless the plane has its nominal size: something reads the whole of it."""
    if size[0] != nominal[0] or size[1] != nominal[1]:
        wanted = f"{nominal[0]}×{nominal[1]}"
        raise ValueError(f"{name} must be {wanted}, not {size[0]}×{size[1]}: its whole plane is read")


def channels_last(x: Tensor) -> Tensor:
    """The same numbers with channels innermost in memory, as convolutions and groups read them fastest."""
    return x.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2)


def whole(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`w ⋆ x` where the filter covers the plane: a matrix product."""
    return F.linear(x.flatten(1), weight.flatten(1), bias)[:, :, None, None]


def whole_adjoint(z: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`wᵀ z` where the filter covers the plane below: a matrix product."""
    below = channels_last((z.flatten(1) @ weight.flatten(1)).unflatten(1, weight.shape[1:]))
    return below if bias is None else below + bias[:, None, None]


def correlate(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`w ⋆ x`: a matrix product where the filter covers the plane, a convolution on larger planes and in exports."""
    if torch.compiler.is_exporting() or x.shape[2:] != weight.shape[2:]:
        return F.conv2d(x, weight, bias)
    return whole(x, weight, bias)


def correlate_adjoint(z: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """`wᵀ z`, the adjoint of `correlate`."""
    if torch.compiler.is_exporting() or z.shape[2:] != (1, 1):
        return F.conv_transpose2d(z, weight, bias)
    return whole_adjoint(z, weight, bias)


def pointwise(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """A 1×1 convolution, as the matrix product over channels that it is."""
    return F.linear(x.permute(0, 2, 3, 1), weight.flatten(1), bias).permute(0, 3, 1, 2)


def pointwise_adjoint(z: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """The adjoint of a 1×1 convolution."""
    return F.linear(z.permute(0, 2, 3, 1), weight.flatten(1).t(), bias).permute(0, 3, 1, 2)


def adjoint(
    z: Tensor,
    weight: Tensor,
    size: Size,
    bias: Tensor | None = None,
    stride: Size = (1, 1),
    dilation: Size = (1, 1),
    padding: Size = (0, 0),
) -> Tensor:
    """The exact adjoint of a strided correlation on planes of `size`: rows that no filter reached get 0."""
    extra: list[int] = []
    for axis in (0, 1):
        reached = (z.shape[axis + 2] - 1) * stride[axis] + dilation[axis] * (weight.shape[axis + 2] - 1) + 1
        extra.append(size[axis] + 2 * padding[axis] - reached)
    return F.conv_transpose2d(z, weight, bias, stride, padding, extra, 1, dilation)


def wrap(x: Tensor, padding: Size) -> Tensor:
    """Circular padding by rows and columns."""
    return F.pad(x, (padding[1], padding[1], padding[0], padding[0]), mode="circular")


def unwrap(x: Tensor, padding: Size) -> Tensor:
    """The adjoint of `wrap`: the border is added where it was wrapped from."""
    for axis, border in ((2, padding[0]), (3, padding[1])):
        length = x.shape[axis] - 2 * border
        before, inner, after = x.split((border, length, border), axis)
        rest = length - border
        zeros = x.new_zeros([rest if a == axis else n for a, n in enumerate(before.shape)])
        x = inner + torch.cat((zeros, before), axis) + torch.cat((after, zeros), axis)
    return x


def sum_windows(x: Tensor, window: Size) -> Tensor:
    """P: the sum over each window."""
    return F.avg_pool2d(x, window, divisor_override=1)


def repeat_windows(x: Tensor, window: Size) -> Tensor:
    """The adjoint of `sum_windows`: every value repeated over its window."""
    if max(window) > 40:  # interpolation finds its places in float32
        return x.repeat_interleave(window[0], 2).repeat_interleave(window[1], 3)
    return F.interpolate(x, size=(x.shape[2] * window[0], x.shape[3] * window[1]), mode="nearest")


def largest(x: Tensor, window: Size) -> tuple[Tensor, Tensor]:
    """The largest value of each window and its place, row × width + column; of equal values the first."""
    if torch.compiler.is_compiling():
        return F.max_pool2d(x, window, return_indices=True)
    return Largest.apply(x, window)


class Largest(torch.autograd.Function):
    """Max-pooling that keeps the places of the maxima for its gradients, but not the tensor they were found in."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, window: Size) -> tuple[Tensor, Tensor]:
        """Values and places."""
        return F.max_pool2d(x, window, return_indices=True)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        """Keep the places and the window."""
        ctx.window = inputs[1]
        ctx.mark_non_differentiable(output[1])
        ctx.save_for_backward(output[1])
        ctx.save_for_forward(output[1])

    @staticmethod
    def backward(ctx, gradient, _) -> tuple[Tensor, None]:
        """Gradients go to the places of the maxima."""
        return spread(gradient, *ctx.saved_tensors, ctx.window), None

    @staticmethod
    def jvp(ctx, tangent, _) -> tuple[Tensor, None]:
        """A change of the maxima is that at their places."""
        return take(tangent, *ctx.saved_tensors), None


def max_windows(x: Tensor, window: Size) -> Tensor:
    """The largest value of each window: max-pooling."""
    return largest(x, window)[0]


def winners(drive: Tensor, group: tuple[int, int, int], gain: Tensor | None = None) -> Tensor:
    """Each group's winner: largest gain, then largest drive, then first in (channel, row, column) order.

    Groups in one channel: its place in the plane, row × width + column. Groups of several channels: its place among
    all units, (row × width + column) × channels + channel.
    """
    channels, *window = group
    key = drive.detach()
    if gain is not None:
        key = torch.where(gain.detach() == group_maxima(gain.detach(), group), key, -torch.inf)
    values, places = F.max_pool2d(key, window, return_indices=True)
    if channels == 1:
        return places
    first = values.unflatten(1, (-1, channels)).argmax(2, keepdim=True)
    place = places.unflatten(1, (-1, channels)).gather(2, first).squeeze(2)
    channel = first.squeeze(2) + torch.arange(0, drive.shape[1], channels, device=drive.device)[:, None, None]
    return place * drive.shape[1] + channel


def group_maxima(x: Tensor, group: tuple[int, int, int]) -> Tensor:
    """Each group's largest value, at all its units."""
    channels, *window = group
    values = F.max_pool2d(x, window)
    if channels > 1:
        values = channels_last(values.unflatten(1, (-1, channels)).amax(2).repeat_interleave(channels, 1))
    return repeat_windows(values, (window[0], window[1]))


def clamped_key(mask: Tensor, given: Tensor, key: Tensor) -> Tensor:
    """A clamped nonzero unit wins its group, a clamped zero never does."""
    return torch.where(mask, torch.where(given != 0, torch.inf, -torch.inf).to(key.dtype), key)


def keep(x: Tensor, winner: Tensor) -> Tensor:
    """x at the winners, 0 elsewhere."""
    plane = x.permute(0, 2, 3, 1)
    places_end = 2 if winner.shape[1] == x.shape[1] else 3
    units, index = plane.flatten(1, places_end), winner.permute(0, 2, 3, 1).flatten(1, places_end)
    kept = x.new_zeros(()).expand(units.shape).scatter(1, index, units.gather(1, index))
    return kept.view(plane.shape).permute(0, 3, 1, 2)


def take(x: Tensor, winner: Tensor) -> Tensor:
    """The winners' values, one a window."""
    places = winner.permute(0, 2, 3, 1)
    values = x.permute(0, 2, 3, 1).flatten(1, 2).gather(1, places.flatten(1, 2))
    return values.unflatten(1, places.shape[1:3]).permute(0, 3, 1, 2)


def spread(x: Tensor, winner: Tensor, window: Size) -> Tensor:
    """Values, one a window, back at the winners' places; 0 elsewhere."""
    size = (x.shape[2] * window[0], x.shape[3] * window[1])
    zeros = x.new_zeros(()).expand(x.shape[0], size[0] * size[1], x.shape[1])
    units = zeros.scatter(1, winner.permute(0, 2, 3, 1).flatten(1, 2), x.permute(0, 2, 3, 1).flatten(1, 2))
    return units.unflatten(1, size).permute(0, 3, 1, 2)


def symmetric(taps: Tensor) -> Tensor:
    """½ (V + V with channels swapped and taps flipped), without self-coupling."""
    both = 0.5 * (taps + taps.transpose(0, 1).flip(2, 3))
    own = torch.zeros_like(both, dtype=torch.bool)
    own[:, :, both.shape[2] // 2, both.shape[3] // 2] = torch.eye(both.shape[0], dtype=torch.bool, device=both.device)
    return torch.where(own, 0.0, both).clone(memory_format=torch.channels_last)


def positive(x: Tensor) -> Tensor:
    """|x|, at least 1e-4: a learned diagonal or scale stays above 0."""
    return x.abs().clamp_min(1e-4)


def upsample(x: Tensor, size: Size) -> Tensor:
    """Bilinear, with corners not aligned."""
    return F.interpolate(x, size=size, mode="bilinear", align_corners=False)


def upsample_nearest(x: Tensor, size: Size) -> Tensor:
    """The nearest value."""
    return F.interpolate(x, size=size, mode="nearest")


def upsample_fcn(x: Tensor, size: Size) -> Tensor:
    """The fixed bilinear transposed convolution of fully convolutional networks, by whole factors."""
    kernels, factors, borders = [], [], []
    for before, after in zip(x.shape[2:], size, strict=True):
        factor = after // before
        length = 2 * factor - factor % 2
        centre = factor - 1 if length % 2 == 1 else factor - 0.5
        kernels.append(1 - (torch.arange(length, dtype=x.dtype, device=x.device) - centre).abs() / factor)
        factors.append(factor)
        borders.append((length - factor) // 2)
    weight = (kernels[0][:, None] * kernels[1]).expand(x.shape[1], 1, -1, -1)
    return F.conv_transpose2d(x, weight, stride=factors, padding=borders, groups=x.shape[1])


def entropy(z: Tensor) -> Tensor:
    """Entropy of the binary units whose means are z, summed over each sample."""
    return (torch.special.entr(z) + torch.special.entr(1 - z)).sum((1, 2, 3))


def inner(x: Tensor, y: Tensor) -> Tensor:
    """⟨x, y⟩ for each sample, in float32 at least."""
    kind = torch.promote_types(x.dtype, torch.float32)
    return (x.to(kind) * y.to(kind)).sum((1, 2, 3))


def mean_where(values: Tensor, counted: Tensor) -> Tensor:
    """Mean of the counted entries; 0 where nothing counts."""
    counted = counted.expand(values.shape)
    return torch.where(counted, values, 0.0).sum() / counted.count_nonzero().clamp_min(1)


def logistic_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean of log(1 + eˣ) − t x over entries with t ≥ 0."""
    targets = targets.to(logits.dtype)
    if torch.compiler.is_compiling():
        return mean_where(F.softplus(logits, threshold=40.0) - targets * logits, targets >= 0)
    return LogisticLoss.apply(logits, channels_last(targets) if logits.dim() == 4 else targets)


class LogisticLoss(torch.autograd.Function):
    """The logistic loss with one tensor of the logits' size beside logits and targets, forward and backward."""

    generate_vmap_rule = True

    @staticmethod
    def forward(logits: Tensor, targets: Tensor) -> Tensor:
        """The mean."""
        values = F.softplus(logits, threshold=40.0).addcmul_(targets, logits, value=-1)
        count = (targets >= 0).expand(logits.shape).count_nonzero().clamp_min(1)
        return values.masked_fill_(targets < 0, 0.0).sum() / count

    @staticmethod
    def setup_context(ctx, inputs, _) -> None:
        """Keep logits and targets."""
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, gradient) -> tuple[Tensor, None]:
        """(sigmoid(x) − t)/n at the n entries that count."""
        logits, targets = ctx.saved_tensors
        scale = gradient / (targets >= 0).expand(logits.shape).count_nonzero().clamp_min(1)
        if torch.is_grad_enabled():  # gradients of gradients are wanted
            return torch.where(targets >= 0, (logits.sigmoid() - targets) * scale, 0.0), None
        return logits.sigmoid().sub_(targets).mul_(scale).masked_fill_(targets < 0, 0.0), None

    @staticmethod
    def jvp(ctx, tangent, _) -> Tensor:
        """The mean of the entries' changes."""
        logits, targets = ctx.saved_tensors
        return mean_where((logits.sigmoid() - targets) * tangent, targets >= 0)


def softmax_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of −log softmax(x)[t] over labels t that are neither negative nor 255."""
    axis = logits.dim() - labels.dim()
    counted = (labels >= 0) & (labels != 255)
    index = torch.where(counted, labels, 0).long().expand(*logits.shape[: axis - 1], *labels.shape)
    return mean_where(-logits.log_softmax(axis).gather(axis, index.unsqueeze(axis)).squeeze(axis), counted)


def distance_loss(values: Tensor, targets: Tensor, power: int, ignore: bool) -> Tensor:
    """Mean of |x − t|ᵖ over entries with t ≥ 0 (`ignore`), else over those whose target is not NaN."""
    counted = targets >= 0 if ignore else ~targets.isnan()
    return mean_where((values - targets.nan_to_num()).abs() ** power, counted)


def known_loss(values: Tensor, targets: Tensor) -> Tensor:
    """Mean of squared differences over entries whose target is not NaN."""
    return mean_where((values - targets.nan_to_num()) ** 2, ~targets.isnan())


def shape_loss(values: Tensor, targets: Tensor) -> Tensor:
    """Mean of squared differences of points whose target is known, both about their mean point: (…, L, 3)."""
    known = ~targets.isnan().any(-1, keepdim=True)
    apart = (values - targets.nan_to_num()) * known
    apart = (apart - apart.sum(-2, keepdim=True) / known.sum(-2, keepdim=True).clamp_min(1)) ** 2
    return mean_where(apart, known.expand_as(targets))


def draw(parameter: Tensor, deviation: float, random: torch.Generator) -> None:
    """Fill a parameter from a normal with mean 0."""
    with torch.no_grad():
        parameter.copy_(torch.randn(parameter.shape, generator=random, device="cpu") * deviation)


class DriveNorm(nn.Module):
    """Batch norm of a whole drive as an energy: the diagonal d = √(variance + ε)/γ and an addition to the bias."""

    def __init__(self, channels: int, momentum: float) -> None:
        super().__init__()
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def moments(self, drive: Tensor) -> Tensor:
        """Mean and variance by channel: the batch's in training, the running ones in evaluation."""
        if not self.training:
            return torch.stack((self.running_mean, self.running_var))
        exact = drive.to(torch.promote_types(drive.dtype, torch.float32))
        mean = exact.mean((0, 2, 3))
        # Gradients go through E[x²] − E[x]², which keeps x alone; the value is E[(x − E[x])²], which does not cancel.
        squares = exact.square().mean((0, 2, 3)) - mean.square()
        centred = (exact.detach() - mean.detach()[:, None, None]).square().mean((0, 2, 3))
        variance = squares + (centred - squares.detach())
        with torch.no_grad():
            count = drive.numel() // drive.shape[1]
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
            self.running_var.lerp_(variance.to(self.running_var.dtype) * count / max(1, count - 1), self.momentum)
        return torch.stack((mean, variance)).to(self.weight.dtype)


class MessageNorm(nn.Module):
    """Batch norm of one message, without a count of batches in the state."""

    def __init__(self, channels: int, eps: float, momentum: float) -> None:
        super().__init__()
        self.eps, self.momentum = eps, momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, message: Tensor) -> Tensor:
        """γ (m − μ)/√(σ² + ε) + β."""
        running = (self.running_mean, self.running_var)
        return F.batch_norm(message, *running, self.weight, self.bias, self.training, self.momentum, self.eps)


def render(
    points: Tensor,
    size: Size,
    whole: Size,
    sigma: float,
    truncate: float | None = None,
    scale: float = 1.0,
    offset: float = 0.0,
) -> Tensor:
    """A map of `size` for every point (x, y in pixels of a plane of size `whole`): a Gaussian around it."""
    kind = {"dtype": points.dtype, "device": points.device}
    squares: list[Tensor] = []
    for axis in (0, 1):
        places = (torch.arange(size[axis], **kind) + 0.5) * (whole[axis] / size[axis]) - 0.5
        squares.append((places[:, None] - points[:, None, :, 1 - axis]).square())
    down, across = squares[0][:, :, None], squares[1][:, None]
    maps = (down * (-0.5 / sigma**2)).exp() * (across * (-0.5 / sigma**2)).exp()
    if truncate is not None:
        maps = torch.where(down + across <= (truncate * sigma) ** 2, maps, 0.0)
    return (scale * maps + offset).permute(0, 3, 1, 2)


def bounded(change: Tensor, limit: float, training: bool, each: bool = False) -> Tensor:
    """In training, every vector along the last axis no longer than `limit`, or each number within ±`limit`."""
    if not training:
        return change
    if each:
        return change.clamp(-limit, limit)
    return change * (limit / torch.linalg.vector_norm(change, dim=-1, keepdim=True).clamp_min(limit))


def first_of(steps: list[Callable[..., dict[str, Tensor]]], count: int) -> list[Callable[..., dict[str, Tensor]]]:
    """The first `count` of the steps that have weights of their own; one stands for as many as are asked for."""
    if count < 1 or 1 < len(steps) < count:
        most = "" if len(steps) == 1 else f" and at most {len(steps)}, each with weights of its own"
        raise ValueError(f"steps: at least 1{most}, not {count}")
    return steps * count if len(steps) == 1 else steps[:count]


def run_steps(
    steps: list[Callable[..., dict[str, Tensor]]],
    fixed: dict[str, Tensor],
    carried: dict[str, Tensor],
    size: dict[str, Size],
    stop: float = 0.0,
    through: bool = True,
) -> dict[str, Tensor]:
    """What every step gives, stacked in front; each works on what the one before it carries on.

    With `stop` above 0 they end after one that moved no point (of maps, no number) of the batch by more. Gradients go
    `through` what is carried, or stop there.
    """
    found: list[dict[str, Tensor]] = []
    for step in steps:
        before = carried if through else {name: value.detach() for name, value in carried.items()}
        found.append(step(fixed | before, size))
        carried = {name: found[-1][name] for name in carried}
        if stop > 0:
            moves = [carried[name] - before[name] for name in carried]
            lengths = [torch.linalg.vector_norm(move, dim=-1) if move.dim() == 3 else move.abs() for move in moves]
            if all(bool((length <= stop).all()) for length in lengths):
                break
    return {name: torch.stack([each[name] for each in found]) for name in found[0]}


def rows_within(budget: int, whole: float, part: float, x: Tensor) -> int:
    """How many samples fit a budget beside what all of them take; at least one. Bytes are for a unit of x's plane."""
    units = x.shape[2] * x.shape[3]
    return max(1, int((budget / units - whole * x.shape[0]) / part))


def in_parts(
    method: Callable[..., dict[str, Tensor]], rows: int, given: tuple[Tensor, ...], axes: dict[str, int]
) -> dict[str, Tensor]:
    """A method's outputs, put together along the given axes; with gradients, `rows` samples at a time.

    What the samples need for the backward pass is then not kept, but worked out again when it comes.
    """
    if not torch.is_grad_enabled() or given[0].shape[0] <= rows:
        return method(*given)
    parts = [
        checkpoint(method, *part, use_reentrant=False, preserve_rng_state=False)
        for part in zip(*(x.split(rows) for x in given), strict=True)
    ]
    return {name: torch.cat([part[name] for part in parts], axis) for name, axis in axes.items()}


def rounds(
    state: dict[str, Tensor],
    size: dict[str, Size],
    down: Callable[..., dict[str, Tensor]],
    up: Callable[..., dict[str, Tensor]],
    count: int,
    every: int,
) -> dict[str, Tensor]:
    """`count` times a pass down and a pass up; with gradients, only the state after each `every` is kept."""

    def run(state: dict[str, Tensor], times: int) -> dict[str, Tensor]:
        for _ in range(times):
            state = up(down(state, size), size)
        return state

    if not torch.is_grad_enabled():
        return run(state, count)
    for start in range(0, count, every):
        times = min(every, count - start)
        state = checkpoint(run, state, times, use_reentrant=False, preserve_rng_state=False)
    return state


def settle(
    state: dict[str, Tensor],
    size: dict[str, Size],
    methods: tuple[Callable[..., dict[str, Tensor]], Callable[..., dict[str, Tensor]], Callable[..., Tensor]],
    layers: list[str],
    shared: list[str],
    tolerance: float,
    max_passes: int,
) -> tuple[dict[str, Tensor], Tensor, Tensor]:
    """Passes down and up in turn, each sample until its residual is small; its layers, passes, and whether it is.

    After a pass that moved no unit of a sample by more than `tolerance`, the sample's residual is worked out; once it
    is no larger either, the sample leaves the batch. `shared` entries of the state belong to no sample. A tolerance
    of 0 stands for `max_passes` passes.
    """
    down, up, residual = methods
    rows = torch.arange(state[layers[0]].shape[0], device=state[layers[0]].device)
    passes, converged = torch.full_like(rows, max_passes), torch.zeros_like(rows, dtype=torch.bool)
    left: list[tuple[Tensor, dict[str, Tensor]]] = []
    for number in range(2, max_passes + 1):
        if rows.numel() == 0:
            break
        before = {name: state[name] for name in layers if tolerance > 0}
        state = (up if number % 2 else down)(state, size)
        if tolerance == 0:
            continue
        with torch.no_grad():
            done = torch.ones_like(rows, dtype=torch.bool)
            for name in layers:
                done &= (state[name] - before[name]).abs().amax((1, 2, 3)) <= tolerance
                if not done.any():
                    break
            else:
                done &= residual(state, size) <= tolerance
        if done.any():
            passes[rows[done]], converged[rows[done]] = number, True
            left.append((rows[done], {name: state[name][done] for name in layers}))
            rows = rows[~done]
            state = {name: value if name in shared else value[~done] for name, value in state.items()}
    if rows.numel() > 0 or not left:
        left.append((rows, {name: state[name] for name in layers}))
    if len(left) == 1:
        return left[0][1], passes, converged
    order = torch.cat([rows for rows, _ in left]).argsort()
    return {name: torch.cat([found[name] for _, found in left])[order] for name in layers}, passes, converged


class FixedPoint(torch.autograd.Function):
    """The layers as they are; backward, their gradient becomes that of their drives at the fixed point."""

    @staticmethod
    def forward(ctx, adjoint, count, *layers_and_excess):
        ctx.adjoint = adjoint
        return tuple(value.view_as(value) for value in layers_and_excess[:count])

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, *gradients):
        return None, None, *gradients, *ctx.adjoint(gradients)


def fixed_point(
    state: dict[str, Tensor],
    excess: dict[str, Tensor],
    adjoint: Callable[..., dict[str, Tensor]],
    size: dict[str, Size],
) -> dict[str, Tensor]:
    """The state, with gradients as if it were the fixed point that its drives lead to."""
    names, fixed = list(excess), {name: value.detach() for name, value in state.items()}

    def solve(gradients: tuple[Tensor, ...]) -> list[Tensor]:
        """Gradients of the drives; the largest entry of every sample is brought to 1 and back."""
        largest = torch.stack([gradient.abs().amax((1, 2, 3)) for gradient in gradients]).amax(0)
        scale = torch.where(largest > 0, largest, 1.0)[:, None, None, None]
        found = adjoint(fixed, {name: gradient / scale for name, gradient in zip(names, gradients, strict=True)}, size)
        return [found[name] * scale for name in names]

    layers = FixedPoint.apply(solve, len(names), *(state[name] for name in names), *excess.values())
    return state | dict(zip(names, layers, strict=True))
