"""Law 3: the two messages of a coupling are adjoint, and a message is the gradient of its coupling's score."""

from __future__ import annotations

from math import gcd
from typing import NamedTuple

import numpy as np
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from lvmc.codegen.support import definitions

from lvmc.ir import Geometry, numeric

Pair = tuple[int, int]
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def couplings(draw: st.DrawFn) -> tuple[Geometry, Pair, Pair]:
    """A geometry, a kernel, and a plane that they fit."""
    kernel, stride, dilation = draw(pairs), draw(pairs), draw(pairs)
    circular = draw(st.booleans())
    plane = draw(st.tuples(st.integers(3, 9), st.integers(3, 9)))
    padding = draw(st.tuples(st.integers(0, 3), st.integers(0, 3)))
    geometry = Geometry(stride, dilation, padding, circular)
    if min(geometry.size_above(plane, kernel)) < 1:
        geometry, kernel = Geometry(stride, (1, 1), padding, circular), (1, 2)
    return geometry, kernel, plane


def functions() -> dict[str, object]:
    """The emitted functions, live."""
    space: dict[str, object] = {"torch": torch, "F": torch.nn.functional, "Tensor": torch.Tensor, "nn": torch.nn}
    space |= {"NamedTuple": NamedTuple, "gcd": gcd}
    for source in definitions().values():
        exec(source, space)
    return space


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(couplings(), st.integers(0, 10**6))
def test_messages_are_adjoint(coupling: tuple[Geometry, Pair, Pair], seed: int) -> None:
    """⟨z, w ⋆ x⟩ = ⟨wᵀ z, x⟩ for every geometry, and wᵀ z is the gradient of the score with respect to x."""
    geometry, kernel, plane = coupling
    random = np.random.default_rng(seed)
    x, weight = random.normal(size=(2, 2, *plane)), random.normal(size=(3, 2, *kernel))
    up = numeric.correlate(x, weight, geometry)
    z = random.normal(size=up.shape)
    down = numeric.adjoint(z, weight, geometry, plane)
    assert np.isclose((z * up).sum(), (down * x).sum(), rtol=1e-10, atol=1e-10)
    tensor, filters = torch.tensor(x, requires_grad=True), torch.tensor(weight)
    padded, padding = tensor, geometry.padding
    if geometry.circular:
        rows, columns = (torch.arange(-p, n + p) % n for p, n in zip(padding, plane, strict=True))
        padded, padding = tensor[:, :, rows][:, :, :, columns], (0, 0)
    message = torch.nn.functional.conv2d(padded, filters, None, geometry.stride, padding, geometry.dilation)
    assert np.allclose(message.detach().numpy(), up, atol=1e-10)
    (torch.tensor(z) * message).sum().backward()
    assert tensor.grad is not None
    assert np.allclose(tensor.grad.numpy(), down, atol=1e-10)


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(couplings(), st.integers(0, 10**6))
def test_emitted_adjoints(coupling: tuple[Geometry, Pair, Pair], seed: int) -> None:
    """The emitted `adjoint` and `unwrap` are the numpy ones."""
    geometry, kernel, plane = coupling
    assume(not geometry.circular or (geometry.padding[0] <= plane[0] and geometry.padding[1] <= plane[1]))
    random = np.random.default_rng(seed)
    weight = random.normal(size=(3, 2, *kernel))
    z = random.normal(size=(2, 3, *geometry.size_above(plane, kernel)))
    space = functions()
    rows, columns = geometry.padding
    size = (plane[0] + 2 * rows, plane[1] + 2 * columns) if geometry.circular else plane
    padding = (0, 0) if geometry.circular else geometry.padding
    found = space["adjoint"](
        torch.tensor(z), torch.tensor(weight), size, None, geometry.stride, geometry.dilation, padding
    )  # type: ignore[operator]
    if geometry.circular:
        found = space["unwrap"](found, geometry.padding)  # type: ignore[operator]
    assert np.allclose(found.numpy(), numeric.adjoint(z, weight, geometry, plane), atol=1e-10)


def test_windows_are_adjoint() -> None:
    """⟨y, P x⟩ = ⟨Pᵀ y, x⟩."""
    random = np.random.default_rng(0)
    x, y = random.normal(size=(2, 3, 4, 6)), random.normal(size=(2, 3, 2, 2))
    assert np.isclose((y * numeric.sum_windows(x, (2, 3))).sum(), (numeric.repeat_windows(y, (2, 3)) * x).sum())
