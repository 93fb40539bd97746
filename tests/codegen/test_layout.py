"""Emitted modules keep every plane channels-last, whatever they are given, and their score in full precision."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

import lvmc
from tests.laws.test_emission import SPECS, spec_of

WHOLE: dict[str, Any] = {
    "lvmc": 1,
    "name": "whole_plane",
    "inputs": {"image": {"channels": 2, "size": [12, 16]}},
    "layers": {
        "h1": {"channels": 4, "filter": 3, "nms": 2},
        "h2": {"channels": 5, "filter": "full"},
        "h3": {"channels": 3, "filter": 1},
    },
    "inference": {"passes": 2},
}


class Planes(TorchFunctionMode):
    """Notes the results of the steps between layers that are not channels-last."""

    steps = (F.conv2d, F.conv_transpose2d, F.relu, F.relu_, F.avg_pool2d, F.interpolate, Tensor.add, Tensor.div)

    def __init__(self) -> None:
        super().__init__()
        self.seen, self.wrong = 0, list[str]()

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if func in self.steps and isinstance(out, Tensor) and out.dim() == 4 and out.is_floating_point():
            self.seen += 1
            if not out.is_contiguous(memory_format=torch.channels_last):
                self.wrong.append(f"{func.__name__}: {tuple(out.shape)}, strides {out.stride()}")
        return out


def _filters(model: nn.Module) -> dict[str, Tensor]:
    return {name: value for name, value in model.named_parameters() if value.dim() == 4}


def _laid_out(model: nn.Module, matrices: tuple[str, ...] = ()) -> bool:
    return all(
        value.is_contiguous(memory_format=torch.contiguous_format if name in matrices else torch.channels_last)
        for name, value in _filters(model).items()
    )


@pytest.mark.parametrize("name", ["feedback", "whole"])
def test_filters_stay_as_they_are_stored(name: str) -> None:
    """Channels-last, or a matrix where the filter covers its plane: after loading, casting, copying and a step."""
    spec = WHOLE if name == "whole" else spec_of(name)
    matrices = ("h2.weight",) if name == "whole" else ()
    model = lvmc.compile(spec)
    assert _laid_out(model, matrices)
    plain = {key: value.clone(memory_format=torch.contiguous_format) for key, value in model.state_dict().items()}
    model.load_state_dict(plain)
    assert _laid_out(model, matrices)
    assert all(torch.equal(value, plain[key]) for key, value in model.state_dict().items())
    for other in (deepcopy(model), deepcopy(model).double(), deepcopy(model).to(torch.bfloat16)):
        assert _laid_out(other, matrices)
    sum(value.float().square().sum() for value in model(torch.randn(2, 2, 12, 16)).values()).backward()
    torch.optim.SGD(model.parameters(), 0.1, momentum=0.9).step()
    assert _laid_out(model, matrices)


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("name", [*SPECS, "whole"])
def test_values_are_channels_last(name: str, layout: torch.memory_format) -> None:
    """Layers and heads come out channels-last, of inputs in either layout, and are so all the way."""
    model = lvmc.compile(WHOLE if name == "whole" else spec_of(name)).eval()
    image = torch.randn(2, 2, 12, 16).contiguous(memory_format=layout)
    with torch.inference_mode(), Planes() as planes:
        results = {**model(image), **model.latents(image)}
    assert planes.seen
    assert planes.wrong == []
    for key, value in results.items():
        assert value.dim() != 4 or value.is_contiguous(memory_format=torch.channels_last), key


@pytest.mark.parametrize("name", [*SPECS, "whole"])
def test_score_is_computed_in_full_precision(name: str) -> None:
    """Under autocast the score of a state is its float32 score."""
    model = lvmc.compile(WHOLE if name == "whole" else spec_of(name)).eval()
    image = torch.randn(3, 2, 12, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        state = model.latents(image)
        mixed = model.score(image, state)
    with torch.no_grad():
        wanted = model.score(image, {key: value.float() for key, value in state.items()})
    assert mixed.dtype == torch.float32
    torch.testing.assert_close(mixed, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", [*SPECS, "whole"])
def test_inference_mode(name: str) -> None:
    """Nothing written in place is seen from outside: the same values with gradients, without, and again."""
    model = lvmc.compile(WHOLE if name == "whole" else spec_of(name)).eval()
    image = torch.randn(2, 2, 12, 16)
    before = image.clone()
    wanted = model(image)
    with torch.inference_mode():
        again = [model(image), model(image)]
    for key, value in wanted.items():
        assert all(torch.equal(value, other[key]) for other in again)
    assert torch.equal(image, before)
