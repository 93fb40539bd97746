"""Gradients of the emitted functions: autograd's, and the paper's as functions of their own."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck

from lvmc.ir.lifting import Array, Basis, beliefs, lift_pixels, soft_peaks

from ..codegen.test_functions import carried_from
from .bases import basis_named, drawn, made

carried, marks = carried_from("lifting.py"), carried_from("landmarks.py")


def module_of(basis: Basis) -> torch.nn.Module:
    components, dimensions, _, points = basis.basis.shape
    module = carried.Lifting(components, dimensions, points, len(basis.rotations)).double()
    module.load_state_dict({name: torch.from_numpy(value) for name, value in vars(basis).items()})
    return module


def weights_of(kind: str, shape: tuple[int, int]) -> Array | None:
    """Weights (B, L): none given; 0 or 1, from all missing to none; or between, one sample with a single point."""
    random = np.random.default_rng(2)
    match kind:
        case "missing":
            return (random.random(shape).argsort(1) >= np.arange(shape[0])[:, None] % (shape[1] + 1)).astype(float)
        case "weighed":
            weights = random.choice([0.0, 0.5, 0.9, 1.0], shape)
            weights[0], weights[0, 1] = 0.0, 0.3
            return weights
        case _:
            return None


@pytest.mark.parametrize("weights", ["equal", "missing", "weighed"])
@pytest.mark.parametrize("scale", [None, 3.0])
@pytest.mark.parametrize("name", ["made", "real"])
def test_the_emitted_module_is_the_interpreter(name: str, scale: float | None, weights: str) -> None:
    """With all of the samples, which are dealt out by how many points they miss, and with one alone."""
    basis = basis_named(name)
    points = 0.2 * drawn(basis, 40) + 30
    given = weights_of(weights, (len(points), points.shape[1]))
    wanted = lift_pixels(basis, points, given, scale)
    as_tensor = None if given is None else torch.from_numpy(given)
    module = module_of(basis)
    for by_paper in (False, True):
        found = module(torch.from_numpy(points), as_tensor, scale, by_paper).numpy()
        assert np.abs(found - wanted).max() <= 1e-10 * (1 + np.abs(wanted).max())
    alone = module(torch.from_numpy(points[3:4]), None if as_tensor is None else as_tensor[3:4], scale).numpy()
    assert np.abs(alone - wanted[3:4]).max() <= 1e-10 * (1 + np.abs(wanted).max())


@pytest.mark.parametrize("by_paper", [False, True])
@pytest.mark.parametrize("scale", [None, 2.0])
@pytest.mark.parametrize("hidden", [None, [0.0, 0.0, 1.0], [0.0, 0.5, 1.0]])
def test_both_gradients_are_those_at_the_chosen_rotation(
    hidden: list[float] | None, scale: float | None, by_paper: bool
) -> None:
    """Points where no other candidate is near, so that small changes keep the rotation and finite differences hold."""
    basis = made(rotations=6)
    points = torch.from_numpy(drawn(basis, 3)).requires_grad_()
    weights = None if hidden is None else torch.tensor([[1.0] * 6 + hidden] * 3, dtype=torch.float64)
    module = module_of(basis)
    assert gradcheck(lambda y: module(y, weights, scale, by_paper), (points,), eps=1e-7, atol=1e-5)


@pytest.mark.parametrize("weights", ["missing", "weighed"])
def test_poses_in_single_precision(weights: str) -> None:
    """To 1e-4 of their size, but for candidates that are equal to rounding."""
    basis = made()
    points = drawn(basis, 40)
    given = weights_of(weights, (40, 9))
    assert given is not None
    wanted = lift_pixels(basis, points, given, 1.0)
    found = module_of(basis).float()(torch.from_numpy(points).float(), torch.from_numpy(given).float(), 1.0).numpy()
    apart = np.abs(found - wanted).max((1, 2)) / np.abs(wanted).max()
    assert np.sort(apart)[-3] < 1e-4


def test_the_paper_s_gradient_is_eq_8() -> None:
    basis = made()
    module, points = module_of(basis), torch.from_numpy(drawn(basis, 4))
    jacobians = [
        torch.autograd.functional.jacobian(lambda y, p=by_paper: module(y, None, 1.0, p).sum(0), points)
        for by_paper in (False, True)
    ]
    assert torch.allclose(*jacobians, atol=1e-12)


def test_soft_peaks_are_the_interpreter_and_differentiable() -> None:
    """Also at borders, and at the maximum itself for a window of 1."""
    maps = np.random.default_rng(0).normal(size=(2, 3, 6, 7))
    maps[0, 0, 0, 0] = maps[1, 2, 5, 6] = 9.0
    tensor = torch.from_numpy(maps).requires_grad_()
    for window, temperature in ((5, 0.7), (1, 1.0), (21, 2.0)):
        found = marks.soft_peaks(tensor, window, temperature)
        assert np.allclose(found.detach().numpy(), soft_peaks(maps, window, temperature), atol=1e-12)
        assert gradcheck(lambda x, w=window, t=temperature: marks.soft_peaks(x, w, t), (tensor,))
    assert np.array_equal(soft_peaks(maps, 1, 1.0)[0, 0], [0, 0])
    assert np.array_equal(soft_peaks(maps, 1, 1.0)[1, 2], [6, 5])


def test_belief_maps_are_the_interpreter_and_differentiable() -> None:
    points = torch.tensor([[[2.3, 1.0], [-1.0, 4.2]]], dtype=torch.float64, requires_grad=True)
    for function in (marks.belief_maps, marks.difference_maps):
        found = function(points, 1.3, (5, 6))
        assert np.allclose(found.detach().numpy(), beliefs(points.detach().numpy(), 1.3, (5, 6)), atol=1e-14)
    assert gradcheck(lambda y: marks.belief_maps(y, 1.3, (5, 6)), (points,))


def test_the_paper_s_gradient_of_beliefs_is_a_difference_of_gaussians() -> None:
    """(9) by moving each point one pixel each way."""
    points = torch.tensor([[[2.3, 1.0], [3.0, 4.2]]], dtype=torch.float64, requires_grad=True)
    pull = torch.randn(1, 2, 7, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    (found,) = torch.autograd.grad((marks.difference_maps(points, 1.0, (7, 8)) * pull).sum(), points)
    for point in (0, 1):
        for axis in (0, 1):
            step = torch.zeros_like(points)
            step[0, point, axis] = 1.0
            sums = [(marks.belief_maps(points + sign * step, 1.0, (7, 8)) * pull).sum() for sign in (1, -1)]
            assert torch.isclose(found[0, point, axis], (sums[0] - sums[1]) / 2)


def test_a_peak_that_should_move_is_lowered_and_its_quadrant_raised() -> None:
    """A step against the gradient: −m at the peak, m·N(·, 1) in the quadrant of the wanted step, 0 elsewhere."""
    maps = torch.zeros(1, 1, 9, 9, dtype=torch.float64)
    maps[0, 0, 4, 4] = 1.0
    maps.requires_grad_()
    wanted = torch.tensor([[[3.0, -4.0]]], dtype=torch.float64)  # right and up
    peaks = marks.quadrant_peaks(maps)
    (gradient,) = torch.autograd.grad(-(peaks * wanted).sum(), maps)
    step = -gradient[0, 0]
    assert step[4, 4] == -5.0
    normal = 5.0 * torch.exp(torch.tensor(-0.5, dtype=torch.float64)) / (2 * torch.pi)
    assert torch.isclose(step[3, 4], normal)
    assert torch.isclose(step[4, 5], normal)
    assert (step[:4, 5:] > 0).all()
    assert not step[5:].any()
    assert not step[:, :4].any()


def test_tables_follow_every_change_of_the_basis() -> None:
    """In-place updates, loading, `.to`; and they are worked out once while nothing changes."""
    basis, other = made(), made(seed=5)
    module, points = module_of(basis), torch.from_numpy(drawn(basis, 3))

    def lifted(of: Basis) -> Tensor:
        return torch.from_numpy(lift_pixels(of, points.numpy(), None, None))

    first = module.tables(carried.tables_of, torch.float64)
    assert torch.allclose(module(points), lifted(basis))
    assert module.tables(carried.tables_of, torch.float64) is first
    module.load_state_dict({name: torch.from_numpy(value) for name, value in vars(other).items()})
    assert torch.allclose(module(points), lifted(other))
    with torch.no_grad():
        module.mean.copy_(torch.from_numpy(basis.mean))
    assert not torch.allclose(module(points), lifted(other))
    assert module.float()(points.float()).dtype == torch.float32
    assert module.bfloat16()(points.bfloat16()).isfinite().all()
    with torch.inference_mode():
        assert module_of(basis)(points).isfinite().all()
