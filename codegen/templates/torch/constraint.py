"""What emitted files with a `constraint` carry: the factor that keeps their filters in the certified set."""

from math import gcd
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

Size = tuple[int, int]


class Coupling(NamedTuple):
    """A filter (C, c, kh, kw) from a lower to an upper layer, or inside one layer (symmetric).

    windows: most units of a replicated window that can be nonzero at once. wraps: of circular padding, how often one
    tap can meet one lower unit. signed: units of either layer take both signs.
    """

    upper: str
    lower: str
    filter: Tensor
    stride: Size = (1, 1)
    dilation: Size = (1, 1)
    windows: int = 1
    wraps: int = 0
    signed: bool = False


class Channels(NamedTuple):
    """A coupling between channels: what an upper unit gets (C, c), what a lower one does (phases, C, c)."""

    upper: str
    lower: str
    up: Tensor
    down: Tensor


def contractive_scale(limit: float, diagonals: dict[str, float | Tensor], *couplings: Coupling) -> Tensor:
    """The factor ≤ 1 on filters with which D − C is positive definite, at every image size: one maximum."""
    return safe_scale(limit, diagonals, couplings, [True] * len(couplings))


def copositive_scale(limit: float, diagonals: dict[str, float | Tensor], *couplings: Coupling) -> Tensor:
    """The factor ≤ 1 on filters with which D − C is strictly copositive, at every image size: S is bounded."""
    return safe_scale(limit, diagonals, couplings, [coupling.signed for coupling in couplings])


def safe_scale(
    limit: float, diagonals: dict[str, float | Tensor], couplings: tuple[Coupling, ...], absolute: list[bool]
) -> Tensor:
    """min(1, limit/θ), in float32 at least, for the smaller of two upper bounds θ on zᵀCz/zᵀDz.

    Source: zᵀCz ≤ Σ z² (C₊v)/v for every v > 0; |zᵀCz| ≤ ρ(norms of the blocks of D^-½ C D^-½) zᵀDz.
    """
    first = couplings[0].filter
    limit -= 2 * torch.finfo(first.dtype).eps  # what rounding the scaled filters may add
    with torch.autocast(first.device.type, enabled=False):
        kind = torch.promote_types(first.dtype, torch.float32)
        exact = [each._replace(filter=each.filter.to(kind)) for each in couplings]
        d = channel_diagonals(diagonals, exact)
        sums = [
            tap_sums(each, each.filter.abs() if both else F.relu(each.filter))
            for each, both in zip(exact, absolute, strict=True)
        ]
        theta = torch.minimum(dominance(d, sums), spectral(d, exact))
        return (limit / theta.clamp_min(limit)).to(first.dtype)


def channel_diagonals(diagonals: dict[str, float | Tensor], couplings: list[Coupling]) -> dict[str, Tensor]:
    """d of every layer, by channel."""
    ones: dict[str, Tensor] = {}
    for each in couplings:
        ones[each.upper] = each.filter.new_ones(each.filter.shape[0])
        ones[each.lower] = each.filter.new_ones(each.filter.shape[1])
    return {name: d * ones[name] for name, d in diagonals.items()}


def tap_phases(coupling: Coupling) -> list[tuple[slice, slice]]:
    """Rows and columns of the taps that can meet one lower unit, phase by phase; wrapped, any taps can."""
    if coupling.wraps:
        return [(slice(None), slice(None))]
    by_axis: list[list[slice]] = []
    for length, stride, dilation in zip(coupling.filter.shape[2:], coupling.stride, coupling.dilation, strict=True):
        step = stride // gcd(stride, dilation)
        by_axis.append([slice(first, None, step) for first in range(min(step, length))])
    return [(rows, columns) for rows in by_axis[0] for columns in by_axis[1]]


def tap_sums(coupling: Coupling, taps: Tensor) -> Channels:
    """Sums over the taps of a nonnegative filter: all of them upwards, those of each phase downwards."""
    phases = tap_phases(coupling)
    if len(phases) == 1:
        down = taps.sum((2, 3))[None]
    else:
        down = torch.stack([taps[:, :, rows, columns].sum((2, 3)) for rows, columns in phases])
    return Channels(coupling.upper, coupling.lower, coupling.windows * down.sum(0), max(1, coupling.wraps) * down)


def dominance(d: dict[str, Tensor], couplings: list[Channels]) -> Tensor:
    """The largest (T v)/(d v): a bound on zᵀCz/zᵀDz whatever v > 0, which is brought near the Perron vector of T.

    Its gradient is that of yᵀTv/yᵀDv with v and y fixed, y the left vector: that of the Perron root where no stride
    leaves several phases, and near it elsewhere. So it reaches all channels, not only the one with the largest ratio.
    """
    fixed = [each._replace(up=each.up.detach(), down=each.down.detach()) for each in couplings]
    diagonal = {name: value.detach() for name, value in d.items()}
    v = {name: value.rsqrt() for name, value in diagonal.items()}
    v, parts = balanced(diagonal, v, received(fixed, v))
    for _ in range(3):
        raised = {name: value / diagonal[name] for name, value in gathered(parts).items()}
        v = {name: (value / value.amax().clamp_min(1e-30)).clamp_min(1e-4) for name, value in raised.items()}
        v, parts = balanced(diagonal, v, received(fixed, v))
    total, weighted = gathered(parts), {name: value * v[name] for name, value in diagonal.items()}
    bound = torch.cat([total[name] / value for name, value in weighted.items()]).amax()
    if not torch.is_grad_enabled():
        return bound
    sizes = {name: v[name] @ value for name, value in weighted.items()}
    means = between(v, {(to, by): v[to] @ part / sizes[by] for (to, by), part in parts.items()})
    y = {name: v[name] * weight for name, weight in zip(v, perron_vector(means.T).unbind(), strict=True)}
    gains = [
        y[each.upper] @ each.up @ v[each.lower]
        + (v[each.upper] @ worst_phase(each, v) @ y[each.lower] if each.upper != each.lower else 0.0)
        for each in couplings
    ]
    return with_gradient(bound, sum(gains) / sum((y[name] * v[name] * d[name]).sum() for name in v))


def received(couplings: list[Channels], v: dict[str, Tensor]) -> dict[tuple[str, str], Tensor]:
    """The parts of T v, by receiver and sender."""
    parts: dict[tuple[str, str], Tensor] = {}
    for each in couplings:
        parts[each.upper, each.lower] = each.up @ v[each.lower]
        if each.upper != each.lower:
            parts[each.lower, each.upper] = (v[each.upper] @ each.down).amax(0)
    return parts


def balanced(
    d: dict[str, Tensor], v: dict[str, Tensor], parts: dict[tuple[str, str], Tensor]
) -> tuple[dict[str, Tensor], dict[tuple[str, str], Tensor]]:
    """v and the parts of T v, every layer multiplied by its entry of the Perron vector of T between layers.

    That is the matrix of vᵀTv/vᵀDv, layer by layer, so that a Perron vector of T stays as it is.
    """
    sizes = {name: v[name] @ (value * v[name]) for name, value in d.items()}
    means = between(v, {(to, by): v[to] @ part / sizes[to] for (to, by), part in parts.items()})
    factors = dict(zip(v, perron_vector(means).unbind(), strict=True))
    return (
        {name: value * factors[name] for name, value in v.items()},
        {ends: part * factors[ends[1]] for ends, part in parts.items()},
    )


def between(layers: dict[str, Tensor], entries: dict[tuple[str, str], Tensor]) -> Tensor:
    """Numbers by receiver and sender as a matrix."""
    zero = next(iter(layers.values())).new_zeros(())
    rows = [entries.get((to, by), zero) for to in layers for by in layers]
    return torch.stack(rows).unflatten(0, (len(layers), len(layers)))


def perron_vector(matrix: Tensor) -> Tensor:
    """t > 0 near the Perron vector of a small nonnegative matrix, by 256 steps of it plus the identity."""
    power = matrix / matrix.sum(1).amax().clamp_min(1e-30)
    power = power + torch.eye(len(matrix), dtype=matrix.dtype, device=matrix.device)
    for _ in range(2):
        power = torch.linalg.matrix_power(power, 16)
        power = power / power.amax()
    vector = power.sum(1)
    return (vector / vector.amax()).clamp_min(1e-12)


def gathered(parts: dict[tuple[str, str], Tensor]) -> dict[str, Tensor]:
    """T v by layer, from its parts: every layer of a connected net receives some."""
    total: dict[str, Tensor] = {}
    for (receiver, _), part in parts.items():
        total[receiver] = total[receiver] + part if receiver in total else part
    return total


def worst_phase(coupling: Channels, v: dict[str, Tensor]) -> Tensor:
    """Of `down` (phases, C, c) the phase that gives each lower channel most: (C, c)."""
    if len(coupling.down) == 1:
        return coupling.down[0]
    phase = (v[coupling.upper] @ coupling.down.detach()).argmax(0)
    return coupling.down.gather(0, phase.expand(1, *coupling.down.shape[1:]))[0]


def spectral(d: dict[str, Tensor], couplings: list[Coupling]) -> Tensor:
    """ρ(N) ≤ max (N t)/t for bounds N on the norms of the blocks of D^-½ C D^-½; its gradient is that of tᵀNt/tᵀt."""
    norms = {(each.upper, each.lower): coupling_norm(each, d[each.upper], d[each.lower]) for each in couplings}
    matrix = between(d, norms | {(lower, upper): norm for (upper, lower), norm in norms.items()})
    fixed = matrix.detach()
    t = perron_vector(fixed)
    return with_gradient((fixed @ t / t).amax(), t @ matrix @ t / (t @ t))


def coupling_norm(coupling: Coupling, above: Tensor, below: Tensor) -> Tensor:
    """Bound on the norm of D_upper^-½ C D_lower^-½: that of the filter as a matrix (C, kh·kw·c).

    Taps are divided by shares s with Σ s² ≤ 1 over those that meet one unit, so that it counts at most once. Its
    gradient is that of the largest singular value, uᵀ(δW)w.
    """
    taps = coupling.filter.permute(0, 2, 3, 1)
    factor = shares(coupling).reciprocal()[:, :, None] * (coupling.windows * max(1, coupling.wraps)) ** 0.5
    bound, u = largest_singular_value((taps.detach() * (factor * below.detach().rsqrt())).flatten(1), above.detach())
    if not torch.is_grad_enabled():
        return bound
    right = ((u * above.rsqrt()) @ taps.flatten(1)).unflatten(0, taps.shape[1:]) * factor * below.rsqrt()
    return with_gradient(bound, (right.square().sum() + 1e-30).sqrt())


def shares(coupling: Coupling) -> Tensor:
    """s (kh, kw): s² is a tap's part of the Frobenius norms of all taps that meet one unit."""
    sizes = torch.linalg.vector_norm(coupling.filter.detach().permute(0, 2, 3, 1), dim=3).square().sum(0).sqrt()
    phases = tap_phases(coupling)
    total = sizes.sum()
    if len(phases) > 1:
        total = torch.empty_like(sizes)
        for rows, columns in phases:
            total[rows, columns] = sizes[rows, columns].sum()
    return torch.where(sizes > 0, sizes / total.clamp_min(1e-30), 1.0).sqrt()


def largest_singular_value(matrix: Tensor, diagonal: Tensor, squarings: int = 3) -> tuple[Tensor, Tensor]:
    """A bound (tr G^q)^(1/2q) ≥ ‖M‖, for M = D^-½ matrix, G = M Mᵀ and q = 2^(squarings + 1), and its left vector."""
    wide, root = matrix.shape[0] <= matrix.shape[1], diagonal.rsqrt()
    power = gram(matrix) * root * root[:, None] if wide else gram((root[:, None] * matrix).T)
    whole = power.trace()
    power = power / whole.clamp_min(1e-30)
    traces = [power.square().sum()]
    for _ in range(squarings):
        power = gram(power) / traces[-1].clamp_min(1e-30)
        traces.append(power.square().sum())
    found = traces[-1].sqrt()
    for trace in traces[-2::-1]:
        found = (trace * found).sqrt()
    u = power[power.diagonal().argmax()]
    u = u if wide else root * (matrix @ u)
    return (whole * found).sqrt(), u / u.norm().clamp_min(1e-30)


def gram(matrix: Tensor) -> Tensor:
    """M Mᵀ; of many rows, each pair once."""
    if len(matrix) < 256:
        return matrix @ matrix.T
    one, other = matrix.chunk(2)
    corner = one @ other.T
    return torch.cat((torch.cat((gram(one), corner), 1), torch.cat((corner.T, gram(other)), 1)))


def with_gradient(value: Tensor, other: Tensor) -> Tensor:
    """The value, whose relative changes are those of another."""
    still = other.detach()
    return value.detach() * (1.0 + (other - still) / still.clamp_min(1e-30))
