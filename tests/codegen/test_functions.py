"""The functions that emitted files carry mean what the ops mean, on ties and infinities too, and keep little."""

from __future__ import annotations

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from lvmc.codegen import support
from torch import Tensor
from torch.func import jvp

from lvmc.ir import Group
from lvmc.ir.ops import Keep, RepeatWindows, Spread, SumWindows, Take, Winners
from lvmc.ir.ops.base import Array, Context, Op

GROUPS = [
    Group(1, 2, 2),
    Group(1, 1, 3),
    Group(1, 4, 1),
    Group(2, 1, 1),
    Group(3, 2, 2),
    Group(2, 2, 3),
    Group(6, 4, 6),
]
LAYOUTS = [torch.contiguous_format, torch.channels_last]


def carried_from(file: str) -> ModuleType:
    """A file of functions that emitted files carry."""
    path = Path(support.__file__).parent / "templates" / "torch" / file
    spec = spec_from_file_location("carried", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


carried = carried_from("functions.py")


def values(seed: int, choices: list[float], shape: tuple[int, ...] = (2, 6, 4, 6)) -> Array:
    """Random entries out of a few, so that most groups are tied."""
    return np.random.default_rng(seed).choice(choices, size=shape)


def meaning(op: Op, *args: Array) -> Array:
    return op.meaning(args, Context(args[0].shape[0]))


def tensor(array: Array, layout: torch.memory_format) -> Tensor:
    return torch.from_numpy(array).contiguous(memory_format=layout)


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("group", GROUPS, ids=str)
@pytest.mark.parametrize("choices", [[0.0], [0.0, 1.0], [-np.inf], [-np.inf, -1.0, 2.0, np.inf]], ids=str)
def test_winners_keep_their_values(group: Group, choices: list[float], layout: torch.memory_format) -> None:
    """One winner a group whatever the keys, the first of equal ones; infinities of losers do not leak."""
    drive, gain = values(0, choices), values(1, choices)
    x = values(2, [-np.inf, np.nan, 1.0, 2.0, 3.0])
    for keys in [(drive,), (gain, drive)]:
        mask = meaning(Winners(group), *keys)
        second = tensor(gain, layout) if len(keys) == 2 else None
        winner = carried.winners(tensor(drive, layout), tuple(group), second)
        assert winner.numel() == x.size // (group.channels * group.height * group.width)
        np.testing.assert_array_equal(carried.keep(tensor(x, layout), winner).numpy(), meaning(Keep(), x, mask))
        if group.channels == 1:
            taken = carried.take(tensor(x, layout), winner)
            np.testing.assert_array_equal(taken.numpy(), meaning(Take(group.window), x, mask))
            back = carried.spread(taken, winner, group.window)
            np.testing.assert_array_equal(back.numpy(), meaning(Spread(group.window), taken.numpy(), mask))


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
def test_maxima_and_their_places(layout: torch.memory_format) -> None:
    """`largest` is max-pooling with its gradients, forwards and backwards, and `winners` in one."""
    x = tensor(values(3, [-np.inf, 0.0, 1.0, 2.0]), layout)
    found, places = carried.largest(x, (2, 3))
    wanted, index = F.max_pool2d(x, (2, 3), return_indices=True)
    assert torch.equal(found, wanted)
    assert torch.equal(places, index)
    assert torch.equal(places, carried.winners(x, (1, 2, 3)))
    smooth = tensor(np.random.default_rng(4).normal(size=(2, 6, 4, 6)), layout).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: carried.max_windows(x, (2, 3)), smooth)
    assert torch.autograd.gradgradcheck(lambda x: carried.max_windows(x, (2, 3)).square(), smooth)
    change = torch.randn_like(smooth)
    _, moved = jvp(lambda x: carried.max_windows(x, (2, 3)), (smooth,), (change,))
    assert torch.equal(moved, carried.take(change, carried.winners(smooth, (1, 2, 3))))


def test_maxima_keep_their_places_only() -> None:
    """The backward pass of max-pooling holds on to nothing of the size of its argument."""
    kept: list[int] = []

    def pack(saved: Tensor) -> Tensor:
        kept.append(saved.numel())
        return saved

    x = torch.randn(2, 6, 4, 6, requires_grad=True)
    with torch.autograd.graph.saved_tensors_hooks(pack, lambda saved: saved):
        carried.spread(carried.max_windows(x, (2, 2)), carried.winners(x, (1, 2, 2)), (2, 2))
    assert kept
    assert max(kept) <= x.numel() // 4


@pytest.mark.parametrize("layout", LAYOUTS, ids=str)
@pytest.mark.parametrize("window", [(1, 1), (2, 2), (1, 3), (4, 2), (41, 1), (47, 61)], ids=str)
def test_windows(window: tuple[int, int], layout: torch.memory_format) -> None:
    """Sums over windows and their adjoint, where rounding of places would show too."""
    small = np.random.default_rng(5).normal(size=(2, 3, 5, 4))
    large = np.random.default_rng(6).normal(size=(2, 3, 5 * window[0], 4 * window[1]))
    repeated = carried.repeat_windows(tensor(small, layout), window)
    np.testing.assert_array_equal(repeated.numpy(), meaning(RepeatWindows(window), small))
    summed = carried.sum_windows(tensor(large, layout), window)
    np.testing.assert_allclose(summed.numpy(), meaning(SumWindows(window), large), rtol=0, atol=1e-11)


@pytest.mark.parametrize("size", [(3, 4), (5, 4)], ids=str)
def test_filters_as_large_as_the_plane(size: tuple[int, int]) -> None:
    """A matrix product where the filter covers the plane, a convolution on a larger one; the adjoint likewise."""
    generator = torch.Generator().manual_seed(7)
    x = torch.randn(2, 3, *size, generator=generator, dtype=torch.float64).contiguous(memory_format=torch.channels_last)
    weight = torch.randn(5, 3, 3, 4, generator=generator, dtype=torch.float64)
    bias, below = (torch.randn(n, generator=generator, dtype=torch.float64) for n in (5, 3))
    z = F.conv2d(x, weight, bias)
    torch.testing.assert_close(carried.correlate(x, weight, bias), z, rtol=0, atol=1e-12)
    back = carried.correlate_adjoint(z, weight, below)
    torch.testing.assert_close(back, F.conv_transpose2d(z, weight, below), rtol=0, atol=1e-11)
    assert back.is_contiguous(memory_format=torch.channels_last)


def test_statistics_of_half_precision_drives_are_float32() -> None:
    """A mean of many bfloat16 numbers far from 0 is not rounded on the way."""
    norm = carried.DriveNorm(2, 1.0)
    drive = (torch.randn(4, 2, 32, 32, generator=torch.Generator().manual_seed(8)) + 100.0).bfloat16()
    mean, variance = norm.moments(drive)
    torch.testing.assert_close(mean, drive.float().mean((0, 2, 3)))
    torch.testing.assert_close(variance, drive.float().var((0, 2, 3), correction=0))
    assert norm.running_var.dtype == torch.float32


def test_statistics_have_their_gradients() -> None:
    """First and second derivatives of mean and variance, far from 0 too."""
    norm = carried.DriveNorm(3, 0.1).double()
    drive = torch.randn(2, 3, 4, 2, generator=torch.Generator().manual_seed(9), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(norm.moments, drive)
    assert torch.autograd.gradgradcheck(norm.moments, drive)
    shifted = (drive.detach().float() + 1e4).requires_grad_()
    variance = norm.float().moments(shifted)[1]
    torch.testing.assert_close(variance, shifted.detach().var((0, 2, 3), correction=0))
