"""Points read off maps, and maps of points, in emitted files with lifting heads; each file gets those it uses."""

import torch
from torch import Tensor


def soft_peaks(maps: Tensor, window: int, temperature: float) -> Tensor:
    """x and y of each map's peak, (B, C, 2): the softmax mean of places in a window about the largest value."""
    height, width = maps.shape[2:]
    flat = maps.to(torch.promote_types(maps.dtype, torch.float32)).flatten(2)
    place = flat.detach().argmax(2)
    steps = torch.arange(window, device=maps.device) - window // 2
    rows, columns = (place // width)[..., None] + steps, (place % width)[..., None] + steps
    inside = ((rows >= 0) & (rows < height))[..., :, None] & ((columns >= 0) & (columns < width))[..., None, :]
    near = rows.clamp(0, height - 1)[..., :, None] * width + columns.clamp(0, width - 1)[..., None, :]
    values = flat.gather(2, near.flatten(2)).masked_fill(~inside.flatten(2), -torch.inf)
    share = (values / temperature).softmax(2).unflatten(2, (window, window))
    x = (share.sum(2) * columns).sum(2)
    return torch.stack((x, (share.sum(3) * rows).sum(2)), 2).to(maps.dtype)


def quadrant_peaks(maps: Tensor) -> Tensor:
    """x and y of each map's largest value, (B, C, 2), with the paper's gradient."""
    return QuadrantPeaks.apply(maps)


class QuadrantPeaks(torch.autograd.Function):
    """Places of maxima. Where a place should move by u = −gradient, its map is lowered there by m = ‖u‖, and raised by
    m·N(·, 1) in the quadrant about it that u points to."""

    generate_vmap_rule = True

    @staticmethod
    def forward(maps: Tensor) -> Tensor:
        place = maps.flatten(2).argmax(2)
        return torch.stack((place % maps.shape[3], place // maps.shape[3]), 2).to(maps.dtype)

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.size = inputs[0].shape[2:]
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx, gradient) -> Tensor:
        (peaks,) = ctx.saved_tensors
        wanted = -gradient
        columns = torch.arange(ctx.size[1], device=peaks.device) - peaks[..., :1]
        rows = torch.arange(ctx.size[0], device=peaks.device) - peaks[..., 1:]
        ahead = columns * wanted[..., :1] >= 0
        normal = (torch.exp(-0.5 * columns**2) * ahead)[..., None, :]
        ahead = rows * wanted[..., 1:] >= 0
        normal = normal * (torch.exp(-0.5 * rows**2) * ahead)[..., :, None] / (2 * torch.pi)
        at_peak = (columns == 0)[..., None, :] & (rows == 0)[..., :, None]
        return wanted.norm(dim=2)[..., None, None] * torch.where(at_peak, 1.0, -normal)


def peak_confidence(maps: Tensor) -> Tensor:
    """The sigmoid of each map's largest logit, (B, C); a weight, through which no gradient passes."""
    return maps.detach().amax((2, 3)).sigmoid()


def peak_present(maps: Tensor, least: float) -> Tensor:
    """1 where the sigmoid of a map's largest logit is at least `least`, else 0: (B, C)."""
    return (peak_confidence(maps) >= least).to(maps.dtype)


def belief_maps(points: Tensor, sigma: float, size: tuple[int, int]) -> Tensor:
    """exp(−‖x − Y‖² / 2σ²) on a plane: (B, L, 2) → (B, L, H, W)."""
    columns, rows = (bells(points[..., axis], sigma, size[1 - axis]) for axis in (0, 1))
    return rows[..., :, None] * columns[..., None, :]


def bells(centres: Tensor, sigma: float, length: int) -> Tensor:
    """exp(−(x − c)² / 2σ²) at x = 0 … length − 1, in front of which stand the axes of the centres."""
    places = torch.arange(length, device=centres.device)
    return torch.exp(-((places - centres[..., None]) ** 2) / (2 * sigma**2))


def difference_maps(points: Tensor, sigma: float, size: tuple[int, int]) -> Tensor:
    """`belief_maps`, whose gradient is the paper's difference of Gaussians."""
    return DifferenceMaps.apply(points, sigma, size[0], size[1])


class DifferenceMaps(torch.autograd.Function):
    """Gaussians about points; d/dY is (G(Y + δ) − G(Y − δ)) / 2δ with δ one pixel (9)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(points: Tensor, sigma: float, height: int, width: int) -> Tensor:
        return belief_maps(points, sigma, (height, width))

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(inputs[0])
        ctx.sigma, ctx.lengths = inputs[1], (inputs[3], inputs[2])

    @staticmethod
    def backward(ctx, gradient) -> tuple[Tensor, None, None, None]:
        (points,) = ctx.saved_tensors
        here, change = [], []
        for axis in (0, 1):
            centres, length = points[..., axis], ctx.lengths[axis]
            here.append(bells(centres, ctx.sigma, length))
            ahead, behind = (bells(centres + step, ctx.sigma, length) for step in (1, -1))
            change.append(0.5 * (ahead - behind))
        x = torch.einsum("...hw,...h,...w->...", gradient, here[1], change[0])
        y = torch.einsum("...hw,...h,...w->...", gradient, change[1], here[0])
        return torch.stack((x, y), -1), None, None, None
