"""Functions and modules that emitted files carry with them; each file gets those it uses."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

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
    return x.unflatten(3, (-1, window[1])).unflatten(2, (-1, window[0])).sum((3, 5))


def repeat_windows(x: Tensor, window: Size) -> Tensor:
    """The adjoint of `sum_windows`: every value repeated over its window."""
    repeated = x[:, :, :, None, :, None].expand(-1, -1, -1, window[0], -1, window[1])
    return repeated.flatten(4, 5).flatten(2, 3)


def winners(drive: Tensor, group: tuple[int, int, int], gain: Tensor | None = None) -> Tensor:
    """The mask of each group's winner: largest gain, then largest drive, then first in (channel, row, column) order."""
    g, h, w = group
    key = drive.detach() if gain is None else gain.detach()
    blocks = key.unflatten(3, (-1, w)).unflatten(2, (-1, h)).unflatten(1, (-1, g)).permute(0, 1, 3, 5, 2, 4, 6)
    flat = blocks.flatten(4)
    if gain is not None:
        second = drive.detach().unflatten(3, (-1, w)).unflatten(2, (-1, h)).unflatten(1, (-1, g))
        second = second.permute(0, 1, 3, 5, 2, 4, 6).flatten(4)
        flat = torch.where(flat == flat.amax(-1, keepdim=True), second, -torch.inf)
    first = flat.argmax(-1, keepdim=True)
    mask = first == torch.arange(g * h * w, device=drive.device)
    mask = mask.unflatten(4, (g, h, w)).permute(0, 1, 4, 2, 5, 3, 6)
    return mask.flatten(5, 6).flatten(3, 4).flatten(1, 2)


def clamped_key(mask: Tensor, given: Tensor, key: Tensor) -> Tensor:
    """A clamped nonzero unit wins its group, a clamped zero never does."""
    return torch.where(mask, torch.where(given != 0, torch.inf, -torch.inf).to(key.dtype), key)


def keep(x: Tensor, winner: Tensor) -> Tensor:
    """x at the winners, 0 elsewhere."""
    return torch.where(winner, x, 0.0)


def take(x: Tensor, winner: Tensor, window: Size) -> Tensor:
    """The winners' values, one a window."""
    return sum_windows(torch.where(winner, x, 0.0), window)


def spread(x: Tensor, winner: Tensor, window: Size) -> Tensor:
    """Values, one a window, back at the winners' places; 0 elsewhere."""
    return torch.where(winner, repeat_windows(x, window), 0.0)


def symmetric(taps: Tensor) -> Tensor:
    """½ (V + V with channels swapped and taps flipped), without self-coupling."""
    both = 0.5 * (taps + taps.transpose(0, 1).flip(2, 3))
    own = torch.zeros_like(both, dtype=torch.bool)
    own[:, :, both.shape[2] // 2, both.shape[3] // 2] = torch.eye(both.shape[0], dtype=torch.bool, device=both.device)
    return torch.where(own, 0.0, both)


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
    return (torch.special.entr(z) + torch.special.entr(1 - z)).flatten(1).sum(1)


def inner(x: Tensor, y: Tensor) -> Tensor:
    """⟨x, y⟩ for each sample, in float32 at least."""
    kind = torch.promote_types(x.dtype, torch.float32)
    return (x.to(kind) * y.to(kind)).flatten(1).sum(1)


def mean_where(values: Tensor, counted: Tensor) -> Tensor:
    """Mean of the counted entries; 0 where nothing counts."""
    counted = counted.expand(values.shape)
    return torch.where(counted, values, 0.0).sum() / counted.sum().clamp_min(1)


def logistic_loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Mean of log(1 + eˣ) − t x over entries with t ≥ 0."""
    return mean_where(torch.logaddexp(logits, logits.new_zeros(())) - targets * logits, targets >= 0)


def softmax_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean of −log softmax(x)[t] over labels t that are neither negative nor 255."""
    axis = logits.dim() - labels.dim()
    counted = (labels >= 0) & (labels != 255)
    index = torch.where(counted, labels, 0).long().expand(*logits.shape[: axis - 1], *labels.shape)
    return mean_where(-logits.log_softmax(axis).gather(axis, index.unsqueeze(axis)).squeeze(axis), counted)


def distance_loss(values: Tensor, targets: Tensor, power: int, ignore: bool) -> Tensor:
    """Mean of |x − t|ᵖ; with `ignore`, over entries with t ≥ 0."""
    counted = targets >= 0 if ignore else torch.ones_like(targets, dtype=torch.bool)
    return mean_where((values - targets).abs() ** power, counted)


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
        variance, mean = torch.var_mean(drive, (0, 2, 3), correction=0)
        with torch.no_grad():
            count = drive.numel() // drive.shape[1]
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
            self.running_var.lerp_(variance.to(self.running_var.dtype) * count / max(1, count - 1), self.momentum)
        return torch.stack((mean, variance))


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
