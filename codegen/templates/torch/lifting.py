"""Functions and modules of lifting heads that emitted files carry with them; each file gets those it uses."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

LEAST = 1e-12
ROWS = 32


def soft_peaks(maps: Tensor, window: int, temperature: float) -> Tensor:
    """x and y of each map's peak, (B, C, 2): the softmax mean of places in a window about the largest value."""
    height, width = maps.shape[2:]
    flat = widened(maps).flatten(2)
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


def widened(x: Tensor) -> Tensor:
    """In float32 at least: half precision does not resolve places."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class LiftTables(NamedTuple):
    """What lifting needs of a basis, whatever the points; N = components × rotations.

    design E (N, L, 2, J) and projected p (N, L, 2), weights not yet at work; `noise` τ² (N,) and `ridge` diag(σ/τ)²
    (N, J, J); `products` p_l · p_m on average (L, L). With equal weights: `inverse` (EᵀE + ridge)⁻¹Eᵀ (N, J, 2L), and
    each candidate's cost as a quadratic form: `quadratic` (y_i y_j for i ≤ j, then y; N) and `constant` (N,).
    """

    design: Tensor
    projected: Tensor
    noise: Tensor
    ridge: Tensor
    products: Tensor
    inverse: Tensor
    quadratic: Tensor
    constant: Tensor


class Lifting(nn.Module):
    """3D poses from 2D points: R, k, a = argmin τ_k² Σ w ‖Y − c − s ΠR(μ_k + a·e_k)‖² / s² + ‖σ_k a‖².

    The basis (mean μ, basis e, sigma σ, noise τ, rotations R) comes with the weights (`load_state_dict`). What does
    not depend on the points is worked out once, and again after the basis has changed.
    """

    mean: Tensor
    basis: Tensor
    sigma: Tensor
    noise: Tensor
    rotations: Tensor

    def __init__(self, components: int, dimensions: int, points: int, rotations: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(components, 3, points))
        self.register_buffer("basis", torch.zeros(components, dimensions, 3, points))
        self.register_buffer("sigma", torch.ones(components, dimensions))
        self.register_buffer("noise", torch.ones(components))
        self.register_buffer("rotations", torch.zeros(rotations, 3, 3))
        self._known: tuple[tuple[Tensor, ...], tuple[int, ...], LiftTables] | None = None

    def forward(
        self, points: Tensor, weights: Tensor | None = None, scale: float | None = None, by_paper: bool = False
    ) -> Tensor:
        """(B, L, 5): reprojected x and y in pixels, then the pose in the view, in units of the basis.

        Args:
            points: (B, L, 2), x and y in pixels.
            weights: (B, L), 0 for missing points.
            scale: Pixels a unit; None: what gives points the spread that projected means have.
            by_paper: Whether gradients are the paper's, as one function of the points, or autograd's.
        """
        with torch.autocast(points.device.type, enabled=False):
            return self._lifted(widened(points), weights, scale, by_paper).to(points.dtype)

    def _lifted(self, points: Tensor, weights: Tensor | None, scale: float | None, by_paper: bool) -> Tensor:
        tables = self.tables(points.dtype)
        weighing = torch.ones_like(points[..., 0]) if weights is None else weights.to(points.dtype)
        total = weighing.sum(1, keepdim=True).clamp_min(LEAST)
        centre = ((weighing[..., None] * points).sum(1) / total)[:, None]
        offsets = points - centre
        length = scale or spread_ratio(offsets, weighing, total, tables.products)[:, None, None]
        y = offsets / length
        with torch.no_grad():
            best, inverse, projected = (
                best_candidate(y, tables) if weights is None else best_weighed(y, weighing, tables)
            )
        pose = self._by_paper if by_paper else self._by_autograd
        lifted = pose(y.flatten(1), best, inverse, projected, weighing / total)
        return torch.cat((centre + length * lifted[..., :2], lifted[..., 2:]), 2)

    def _by_autograd(self, y: Tensor, best: Tensor, inverse: Tensor, projected: Tensor, share: Tensor) -> Tensor:
        """(B, L, 5) of the chosen candidate: a = Ē⁺(y − p); x and y of R(μ + a·e) about their mean, then all of it."""
        a = (inverse @ (y - projected)[:, :, None])[..., 0]
        component, rotation = best // len(self.rotations), best % len(self.rotations)
        means, bases, rotations = (each.to(y.dtype) for each in (self.mean, self.basis, self.rotations))
        pose = means[component] + (a[:, None] @ bases.flatten(2)[component]).unflatten(2, (3, -1))[:, 0]
        seen = (rotations[rotation] @ pose).transpose(1, 2)
        flat = seen[..., :2] - (share[..., None] * seen[..., :2]).sum(1, keepdim=True)
        return torch.cat((flat, seen), 2)

    def _by_paper(self, y: Tensor, best: Tensor, inverse: Tensor, projected: Tensor, share: Tensor) -> Tensor:
        """The same as one function of y with the gradients of (3) and (8)."""
        with torch.no_grad():
            value = self._by_autograd(y, best, inverse, projected, share)
            component, rotation = best // len(self.rotations), best % len(self.rotations)
            moved = torch.einsum(
                "bdx,bjxl->bjld", self.rotations.to(y.dtype)[rotation], self.basis.to(y.dtype)[component]
            )
            flat = moved[..., :2] - torch.einsum("bl,bjld->bjd", share, moved[..., :2])[:, :, None]
        return SubGradient.apply(y, value, torch.cat((flat, moved), 3), inverse)

    def tables(self, dtype: torch.dtype) -> LiftTables:
        """What does not depend on the points, as long as the basis stays as it is."""
        buffers = (self.mean, self.basis, self.sigma, self.noise, self.rotations)
        if torch.compiler.is_compiling() or any(each.is_inference() for each in buffers):
            return tables_of(*buffers, dtype)
        versions = tuple(each._version for each in buffers)
        known = self._known
        same = known is not None and all(one is other for one, other in zip(known[0], buffers, strict=True))
        if known is not None and same and known[1] == versions and known[2].design.dtype == dtype:
            return known[2]
        with torch.inference_mode(False), torch.no_grad():
            self._known = (buffers, versions, tables_of(*buffers, dtype))
        return self._known[2]


class SubGradient(torch.autograd.Function):
    """A pose as a function of 2D points at the chosen rotation and component: d/dy = (d/da) Ē⁺ (3, 8)."""

    generate_vmap_rule = True

    @staticmethod
    def forward(y: Tensor, value: Tensor, moved: Tensor, inverse: Tensor) -> Tensor:
        return value.clone()

    @staticmethod
    def setup_context(ctx, inputs, output) -> None:
        ctx.save_for_backward(*inputs[2:])

    @staticmethod
    def backward(ctx, gradient) -> tuple[Tensor, None, None, None]:
        moved, inverse = ctx.saved_tensors
        by_a = torch.einsum("bjld,bld->bj", moved, gradient)
        return (by_a[:, None] @ inverse)[:, 0], None, None, None


def tables_of(
    mean: Tensor, basis: Tensor, sigma: Tensor, noise: Tensor, rotations: Tensor, dtype: torch.dtype
) -> LiftTables:
    """Worked out in float64: once, and for sums of squares that nearly cancel."""
    mean, basis, sigma, noise, rotations = (each.double() for each in (mean, basis, sigma, noise, rotations))
    count, views = len(rotations), rotations[:, :2]
    design = torch.einsum("rdx,kjxl->krldj", views, basis).flatten(0, 1)
    projected = torch.einsum("rdx,kxl->krld", views, mean).flatten(0, 1)
    ridge = torch.diag_embed((sigma / noise[:, None]) ** 2).repeat_interleave(count, 0)
    spare = (noise**2).repeat_interleave(count)
    products = torch.einsum("nld,nmd->lm", projected, projected) / len(projected)
    e = (design - design.mean(1, keepdim=True)).flatten(1, 2)
    p = (projected - projected.mean(1, keepdim=True)).flatten(1)
    inverse = torch.cholesky_solve(e.mT, torch.linalg.cholesky(e.mT @ e + ridge))
    form = spare[:, None, None] * (torch.eye(e.shape[1], dtype=e.dtype, device=e.device) - e @ inverse)
    linear = (form @ p[:, :, None])[..., 0]
    rows, columns = torch.triu_indices(e.shape[1], e.shape[1], device=e.device)
    upper = form[:, rows, columns] * torch.where(rows == columns, 1.0, 2.0)
    quadratic = torch.cat((upper, -2 * linear), 1).mT.contiguous()
    found = (design, projected, spare, ridge, products, inverse, quadratic, (linear * p).sum(1))
    return LiftTables(*(each.to(dtype) for each in found))


def best_candidate(y: Tensor, tables: LiftTables) -> tuple[Tensor, Tensor, Tensor]:
    """The best candidate (B,) with all points alike, its inverse (B, J, 2L), and its projected mean (B, 2L)."""
    flat = y.flatten(1)
    rows, columns = torch.triu_indices(flat.shape[1], flat.shape[1], device=y.device)
    products = torch.cat((flat[:, rows] * flat[:, columns], flat), 1)
    best = torch.addmm(tables.constant, products, tables.quadratic).argmin(1)
    projected = tables.projected[best]
    return best, tables.inverse[best], (projected - projected.mean(1, keepdim=True)).flatten(1)


def best_weighed(y: Tensor, weights: Tensor, tables: LiftTables) -> tuple[Tensor, Tensor, Tensor]:
    """As `best_candidate`, each sample with weights of its own: a factorisation for every candidate of every sample."""
    if torch.compiler.is_compiling():
        return weighed_rows(y, weights, tables)
    parts = [weighed_rows(*rows, tables) for rows in zip(y.split(ROWS), weights.split(ROWS), strict=True)]
    best, inverse, projected = zip(*parts, strict=True)
    return torch.cat(best), torch.cat(inverse), torch.cat(projected)


def weighed_rows(y: Tensor, weights: Tensor, tables: LiftTables) -> tuple[Tensor, Tensor, Tensor]:
    """The samples of some rows."""
    total = weights.sum(1).clamp_min(LEAST)[:, None]
    share = weights / total
    design, projected = tables.design, tables.projected
    grams = torch.einsum("nldi,nldj->lnij", design, design)
    middle = torch.einsum("bl,nldj->bndj", share, design)
    squares = torch.einsum("bl,lnij->bnij", weights, grams) - total[..., None, None] * (middle.mT @ middle)
    rest = y[:, None] - projected + torch.einsum("bl,nld->bnd", share, projected)[:, :, None]
    pull = torch.einsum("bl,bnld,nldj->bnj", weights, rest, design)
    factor = torch.linalg.cholesky(squares + tables.ridge)
    explained = torch.linalg.solve_triangular(factor, pull[..., None], upper=False)[..., 0]
    cost = tables.noise * (torch.einsum("bl,bnld->bn", weights, rest**2) - (explained**2).sum(2))
    best = cost.argmin(1)
    row = torch.arange(len(y), device=y.device)
    e = (design[best] - middle[row, best][:, None]).flatten(1, 2)
    inverse = torch.cholesky_solve(e.mT * weights.repeat_interleave(2, 1)[:, None], factor[row, best])
    p = projected[best]
    return best, inverse, (p - (share[..., None] * p).sum(1, keepdim=True)).flatten(1)


def spread_ratio(offsets: Tensor, weights: Tensor, total: Tensor, products: Tensor) -> Tensor:
    """Pixels a unit of the basis (B,): the spread of the points over that of projected means, each about its mean."""
    of_model = weights @ products.diagonal() - ((weights @ products) * weights).sum(1) / total[:, 0]
    of_points = (weights[..., None] * offsets**2).sum((1, 2))
    return (of_points.clamp_min(LEAST) / of_model.clamp_min(LEAST)).sqrt()
