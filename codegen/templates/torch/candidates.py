"""What the candidates of a lifting head cost, in emitted files: N components and rotations, B samples of L points."""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

LEAST = 1e-12


class LiftTables(NamedTuple):
    """What lifting needs of a basis, whatever the points; N = components × rotations.

    design E (N, L, 2, J) and projected p (N, L, 2), weights not yet at work; `noise` τ² (N,) and `ridge` diag(σ/τ)²
    (N, J, J); `products` p_l · p_m on average (L, L). With equal weights and the best shift: `inverse`
    Ē⁺ = (EᵀE + ridge)⁻¹Eᵀ (N, J, 2L), and each candidate's cost (y − p)ᵀF(y − p), F = τ²(1 − mean − EĒ⁺): F, and beside
    it −Fp, as `form` (2L, 2L + 1, N); also as `quadratic` (y_i y_j for i ≤ j, then y; N) and `constant` (N,).
    """

    design: Tensor
    projected: Tensor
    noise: Tensor
    ridge: Tensor
    products: Tensor
    inverse: Tensor
    form: Tensor
    quadratic: Tensor
    constant: Tensor


class NormalTables(NamedTuple):
    """By what weights w make the normal equations of (shift, a), n = 2 + J unknowns.

    Of (w, 1) the columns of their matrix from the diagonal on, one by one: `squares` (n(n + 1)/2, L + 1, N); of
    (w y, w) their right side: `pull` (n, 3L, N); of (w y, w, Σ w y²) what is left at 0: `rest` (3L + 1, N).
    """

    squares: Tensor
    pull: Tensor
    rest: Tensor


def tables_of(mean: Tensor, basis: Tensor, sigma: Tensor, noise: Tensor, rotations: Tensor) -> LiftTables:
    """What equal weights, and missing points, take of a basis."""
    design, projected, ridge, spare = candidates_of(mean, basis, sigma, noise, rotations)
    products = torch.einsum("nld,nmd->lm", projected, projected) / len(projected)
    e = (design - design.mean(1, keepdim=True)).flatten(1, 2)
    p = (projected - projected.mean(1, keepdim=True)).flatten(1)
    inverse = torch.cholesky_solve(e.mT, torch.linalg.cholesky(e.mT @ e + ridge))
    one = torch.eye(e.shape[1], dtype=e.dtype, device=e.device)
    shift = one.unflatten(0, (-1, 2)).mean(0).repeat(design.shape[1], 1)
    form = spare[:, None, None] * (one - shift - e @ inverse)
    linear = (form @ p[:, :, None])[..., 0]
    rows, columns = torch.triu_indices(e.shape[1], e.shape[1], device=e.device)
    upper = form[:, rows, columns] * torch.where(rows == columns, 1.0, 2.0)
    quadratic = torch.cat((upper, -2 * linear), 1).mT.contiguous()
    beside = torch.cat((form, -linear[:, :, None]), 2).permute(1, 2, 0).contiguous()
    return LiftTables(design, projected, spare, ridge, products, inverse, beside, quadratic, (linear * p).sum(1))


def candidates_of(mean: Tensor, basis: Tensor, sigma: Tensor, noise: Tensor, rotations: Tensor) -> tuple[Tensor, ...]:
    """`design`, `projected`, `ridge` and `noise` of LiftTables."""
    count, views = len(rotations), rotations[:, :2]
    design = torch.einsum("rdx,kjxl->krldj", views, basis).flatten(0, 1)
    projected = torch.einsum("rdx,kxl->krld", views, mean).flatten(0, 1)
    ridge = torch.diag_embed((sigma / noise[:, None]) ** 2).repeat_interleave(count, 0)
    return design, projected, ridge, (noise**2).repeat_interleave(count)


def normals_of(mean: Tensor, basis: Tensor, sigma: Tensor, noise: Tensor, rotations: Tensor) -> NormalTables:
    """What other weights take of a basis."""
    design, projected, ridge, _ = candidates_of(mean, basis, sigma, noise, rotations)
    shift = torch.eye(2, dtype=design.dtype, device=design.device).expand(*design.shape[:3], 2)
    whole = torch.cat((shift, design), 3)
    rows, columns = torch.triu_indices(whole.shape[3], whole.shape[3], device=whole.device)
    squares = torch.stack([(whole[..., i] * whole[..., j]).sum(2).mT for i, j in zip(rows, columns, strict=True)])
    alone = nn.functional.pad(ridge, (2, 0, 2, 0))
    alone[:, (0, 1), (0, 1)] = LEAST
    squares = torch.cat((squares, alone[:, rows, columns].mT[:, None]), 1)
    at_means = (whole * projected[..., None]).sum(2).permute(2, 1, 0)
    pull = torch.cat((whole.permute(3, 1, 2, 0).flatten(1, 2), -at_means), 1)
    known = projected.flatten(1).mT
    rest = torch.cat((-2 * known, (projected**2).sum(2).mT, torch.ones_like(known[:1])))
    return NormalTables(squares, pull, rest)


def graph_is_made(y: Tensor) -> bool:
    """Whether the call is compiled, exported or captured, so that what is done cannot depend on values."""
    return torch.compiler.is_compiling() or (y.is_cuda and torch.cuda.is_current_stream_capturing())


def points_missing(weights: Tensor, dimensions: int) -> Tensor:
    """How many points have weight 0 beside others of weight 1, (B,); −1 for other weights, and where so many are
    missing that it costs more to eliminate them than to solve for a."""
    missing = (weights == 0).sum(1)
    few = (missing + (weights == 1).sum(1) == weights.shape[1]) & (2 * missing <= dimensions + 2)
    return missing.where(few, -1)


def equal_costs(y: Tensor, tables: LiftTables) -> Tensor:
    """The cost of every candidate, (B, N), with all points alike."""
    flat = y.flatten(1)
    rows, columns = torch.triu_indices(flat.shape[1], flat.shape[1], device=y.device)
    products = torch.cat((flat[:, rows] * flat[:, columns], flat), 1)
    return torch.addmm(tables.constant, products, tables.quadratic)


def costs_without(y: Tensor, weights: Tensor, tables: LiftTables) -> Tensor:
    """`equal_costs` without the points of weight 0, equally many of each sample: the least by where these m might be.

    min (y + x)ᵀF(y + x) over x that moves those m alone is yᵀFy − bᵀF_mm⁻¹b, b = (Fy)_m; here with y − p in place of y.
    """
    flat = (y * weights[..., None]).flatten(1)
    slope = torch.cat((flat, torch.ones_like(flat[:, :1])), 1) @ tables.form
    points = (weights == 0).nonzero()[:, 1].view(len(y), -1, 1)
    places = torch.cat((2 * points, 2 * points + 1), 2).flatten(1).T
    columns = [tables.form[places[k:], places[k]] for k in range(len(places))]
    return eliminated(columns, slope[places, torch.arange(len(y), device=y.device)], equal_costs(flat, tables))


def weighed_costs(y: Tensor, weights: Tensor, tables: LiftTables, normals: NormalTables) -> Tensor:
    """The cost of every candidate, (B, N): what is left of the sum of squares where the normal equations hold."""
    weighed = (weights[..., None] * y).flatten(1)
    given = torch.cat((weighed, weights), 1)
    squares = torch.cat((weights, torch.ones_like(weights[:, :1])), 1) @ normals.squares
    pull = given @ normals.pull
    rest = torch.cat((given, (weighed * y.flatten(1)).sum(1, keepdim=True)), 1) @ normals.rest
    unknowns = len(pull)
    if not graph_is_made(y):
        return tables.noise * eliminated(squares.split(list(range(unknowns, 0, -1))), pull, rest)
    rows, columns = torch.triu_indices(unknowns, unknowns, device=y.device)
    lower = squares.new_zeros(len(y), len(tables.noise), unknowns, unknowns)
    lower[..., columns, rows] = squares.permute(1, 2, 0)
    factor = torch.linalg.cholesky_ex(lower)[0]
    explained = torch.linalg.solve_triangular(factor, pull.permute(1, 2, 0)[..., None], upper=False)
    return tables.noise * (rest - explained.square().sum((2, 3)))


def eliminated(columns: Sequence[Tensor], border: Tensor, rest: Tensor) -> Tensor:
    """rest − bᵀA⁻¹b (B, N), all of it overwritten; of A each column from its diagonal on (m − k, B, N), b (m, B, N)."""
    for k, column in enumerate(columns):
        share = column[1:] / column[0]
        for j, other in enumerate(columns[k + 1 :]):
            other.addcmul_(column[j + 1], share[j:], value=-1)
        border[k + 1 :].addcmul_(border[k], share, value=-1)
        rest.addcmul_(border[k], border[k] / column[0], value=-1)
    return rest


def inverse_of(best: Tensor, weights: Tensor, share: Tensor, tables: LiftTables) -> Tensor:
    """(EᵀWE + ridge)⁻¹EᵀW (B, J, 2L) of chosen candidates."""
    e = tables.design[best]
    e = (e - torch.einsum("bl,bldj->bdj", share, e)[:, None]).flatten(1, 2)
    weighed = e.mT * weights.repeat_interleave(2, 1)[:, None]
    factor = torch.linalg.cholesky_ex(weighed @ e + tables.ridge[best])[0]
    return torch.cholesky_inverse(factor) @ weighed
