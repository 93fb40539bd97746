"""The module of lifting heads that emitted files carry with them."""

from collections.abc import Callable
from typing import Any

import torch
from lvmc.codegen.templates.torch.candidates import (
    LEAST,
    LiftTables,
    costs_without,
    equal_costs,
    graph_is_made,
    inverse_of,
    normals_of,
    points_missing,
    tables_of,
    weighed_costs,
)
from torch import Tensor, nn

ROWS = 32


def widened(x: Tensor) -> Tensor:
    """In float32 at least: half precision does not resolve places."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


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
        self._known: dict[str, tuple[tuple[Tensor, ...], tuple[int, ...], Any]] = {}

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
        tables = self.tables(tables_of, points.dtype)
        weighing = torch.ones_like(points[..., 0]) if weights is None else weights.to(points.dtype)
        total = weighing.sum(1, keepdim=True).clamp_min(LEAST)
        centre = ((weighing[..., None] * points).sum(1) / total)[:, None]
        offsets = points - centre
        length = scale or spread_ratio(offsets, weighing, total, tables.products)[:, None, None]
        y = offsets / length
        share = weighing / total
        with torch.no_grad():
            best = equal_costs(y, tables).argmin(1) if weights is None else self._best(y, weighing, tables)
            projected = tables.projected[best]
            projected = (projected - (share[..., None] * projected).sum(1, keepdim=True)).flatten(1)
            inverse = tables.inverse[best] if weights is None else inverse_of(best, weighing, share, tables)
        pose = self._by_paper if by_paper else self._by_autograd
        lifted = pose(y.flatten(1), best, inverse, projected, share)
        return torch.cat((centre + length * lifted[..., :2], lifted[..., 2:]), 2)

    def _best(self, y: Tensor, weights: Tensor, tables: LiftTables) -> Tensor:
        """The best candidate (B,) of samples with weights of their own, the first where fewer than two points count.

        Samples that miss the same number of points, not too many, are taken together, and so are all others.
        """
        if graph_is_made(y):
            best = weighed_costs(y, weights, tables, self.tables(normals_of, y.dtype)).argmin(1)
        else:
            best = weights.new_zeros(len(y), dtype=torch.int64)
            missing = points_missing(weights, tables.design.shape[3])
            for number in missing.unique().tolist():
                for rows in (missing == number).nonzero()[:, 0].split(ROWS):
                    best[rows] = self._some_costs(y[rows], weights[rows], number, tables).argmin(1)
        return best.masked_fill((weights > 0).sum(1) < 2, 0)

    def _some_costs(self, y: Tensor, weights: Tensor, missing: int, tables: LiftTables) -> Tensor:
        if missing < 0:
            return weighed_costs(y, weights, tables, self.tables(normals_of, y.dtype))
        return costs_without(y, weights, tables) if missing else equal_costs(y, tables)

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

    def tables(self, work_out: Callable[..., Any], dtype: torch.dtype) -> Any:
        """What does not depend on the points, as long as the basis stays as it is."""
        buffers = (self.mean, self.basis, self.sigma, self.noise, self.rotations)
        if torch.compiler.is_compiling() or any(each.is_inference() for each in buffers):
            return tables_in(work_out(*(each.double() for each in buffers)), dtype)
        versions = tuple(each._version for each in buffers)
        known = self._known.get(work_out.__name__)
        same = known is not None and all(one is other for one, other in zip(known[0], buffers, strict=True))
        if known is not None and same and known[1] == versions and known[2][0].dtype == dtype:
            return known[2]
        with torch.inference_mode(False), torch.no_grad():
            found = tables_in(work_out(*(each.double() for each in buffers)), dtype)
        self._known[work_out.__name__] = (buffers, versions, found)
        return found


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


def tables_in(tables: Any, dtype: torch.dtype) -> Any:
    """Tables that were worked out in float64: once, and for sums of squares that nearly cancel."""
    return type(tables)(*(each.to(dtype) for each in tables))


def spread_ratio(offsets: Tensor, weights: Tensor, total: Tensor, products: Tensor) -> Tensor:
    """Pixels a unit of the basis (B,): the spread of the points over that of projected means, each about its mean."""
    of_model = weights @ products.diagonal() - ((weights @ products) * weights).sum(1) / total[:, 0]
    of_points = (weights[..., None] * offsets**2).sum((1, 2))
    return (of_points.clamp_min(LEAST) / of_model.clamp_min(LEAST)).sqrt()
