"""Law 5: an emitted module is the interpreter, at other sizes, batches, layouts and precisions, and after export."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch.func import functional_call, grad, vmap

import lvmc
from lvmc.assemble import Options, programs
from lvmc.ir import interpret
from lvmc.loading import resolve

from .dense import Array
from .specs import random_parameters
from .test_meaning import agree, as_arrays, emitted

HEADS = {
    "map": {"kind": "heatmap", "channels": 3, "reads": {"h3": 1, "h1": 3}},
    "kinds": {"kind": "classes", "outputs": 4, "reads": ["h3"], "pool": "mean", "at": "each"},
}

SPECS: dict[str, dict[str, Any]] = {
    "feedback": {
        "h1": {"channels": 4, "filter": 3},
        "h2": {"channels": 4, "filter": 3, "nms": 2},
        "h3": {"channels": 6, "filter": 3},
    },
    "strides": {
        "h1": {"channels": 4, "filter": 3, "stride": 2},
        "h2": {"channels": 4, "filter": [3, 5], "stride": [2, 1], "dilation": 2},
        "h3": {"channels": 2, "filter": 2, "padding": 1, "stride": 3},
    },
    "circles": {
        "h1": {"channels": 4, "filter": 3, "padding_mode": "circular", "lateral": {"filter": 3}},
        "h2": {"channels": 4, "filter": 3, "padding_mode": "circular", "stride": 2, "upper": 0.7},
        "h3": {"channels": 2, "filter": 1},
    },
    "grouped": {
        "h1": {"channels": 4, "filter": 3, "nms": {"window": [1, 2], "channels": 2}, "diagonal": [0.5, 1.0, 2.0, 1.5]},
        "h2": {"channels": 4, "filter": 3, "nms": {"window": 2, "winner": "first"}, "norm": "drive", "bias": False},
        "h3": {"channels": 2, "filter": 3, "unit": "gaussian", "nms": {"channels": 2}},
    },
    "graph": {
        "h1": {"channels": 4, "filter": 3, "unit": "boltzmann"},
        "h2": {"channels": 4, "filter": "shared"},
        "h3": {"channels": 4, "from": {"h2": {}, "h1": {"filter": 1}}, "filter": "shared", "diagonal": "learned"},
    },
}


def spec_of(name: str, size: tuple[int, int] = (12, 16)) -> dict[str, Any]:
    """A spec with both kinds of heads, at some input size."""
    spec = {
        "lvmc": 1,
        "name": name,
        "inputs": {"image": {"channels": 2, "size": list(size)}},
        "layers": deepcopy(SPECS[name]),
        "heads": deepcopy(HEADS),
        "inference": {"passes": 3},
    }
    return spec | ({"filters": {"shared": {"size": 3}}} if name == "graph" else {})


def meaning(
    spec: dict[str, Any], parameters: dict[str, Array], image: Array
) -> tuple[dict[str, Array], dict[str, Array]]:
    """Heads and layers by the interpreter, plain."""
    made = programs(resolve(spec)[1], Options(optimize=False))
    values = {"image": image} | parameters
    return interpret(made.forward, values), interpret(made.latents, values)


def setting(name: str) -> tuple[dict[str, Any], dict[str, Array]]:
    spec = spec_of(name)
    return spec, random_parameters(resolve(spec)[1], np.random.default_rng(1))


@pytest.mark.parametrize("name", SPECS)
@pytest.mark.parametrize(("size", "batch"), [((12, 16), 0), ((12, 16), 1), ((20, 24), 5), ((44, 12), 2), ((36, 52), 1)])
def test_sizes_and_batches(name: str, size: tuple[int, int], batch: int) -> None:
    """One module, compiled at 12×16, on every size that its windows divide."""
    spec, parameters = setting(name)
    image = np.random.default_rng(batch).normal(size=(batch, 2, *size))
    heads, layers = meaning(spec_of(name, size), parameters, image)
    model = emitted(spec, parameters).eval()
    agree(as_arrays(model(torch.from_numpy(image))), heads)
    agree(as_arrays(model.latents(torch.from_numpy(image))), layers)


@pytest.mark.parametrize("name", SPECS)
def test_layouts_and_numbers(name: str) -> None:
    """float32 to 1e-5 in both layouts; bfloat16 runs and stays near."""
    spec, parameters = setting(name)
    image = np.random.default_rng(3).normal(size=(2, 2, 12, 16))
    heads, layers = meaning(spec, parameters, image)
    tensor = torch.from_numpy(image).float()
    model = emitted(spec, parameters).eval().float()
    agree(as_arrays(model(tensor)), heads, 1e-5)
    last = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    agree(as_arrays(last(tensor.contiguous(memory_format=torch.channels_last))), heads, 1e-5)
    agree(as_arrays(last.latents(tensor.contiguous(memory_format=torch.channels_last))), layers, 1e-5)
    half = model.bfloat16()
    out = half(tensor.bfloat16())
    assert all(value.dtype == torch.bfloat16 and bool(value.isfinite().all()) for value in out.values())
    state = half.latents(tensor.bfloat16())
    assert half.score(tensor.bfloat16(), state).dtype == torch.float32


@pytest.mark.parametrize("name", SPECS)
def test_refused_sizes(name: str) -> None:
    """A size that windows do not divide is refused in words, not computed wrongly."""
    spec, parameters = setting(name)
    windows = any("nms" in layer for layer in spec["layers"].values())
    model = emitted(spec, parameters)
    if windows:
        with pytest.raises(ValueError, match="do not divide"):
            model(torch.zeros(1, 2, 13, 17, dtype=torch.float64))
    else:
        assert model(torch.zeros(1, 2, 13, 17, dtype=torch.float64))["map"].shape == (1, 3, 13, 17)


@pytest.mark.parametrize("name", SPECS)
def test_export_and_reload(name: str, tmp_path: Path) -> None:
    """torch.export with dynamic batch, height and width, saved and loaded again."""
    spec, parameters = setting(name)
    model = emitted(spec, parameters).eval()
    image = torch.from_numpy(np.random.default_rng(5).normal(size=(2, 2, 24, 32)))
    batch, rows, columns = (
        torch.export.Dim("batch"),
        torch.export.Dim("rows", min=2),
        torch.export.Dim("columns", min=2),
    )
    shapes = {"image": {0: batch, 2: 12 * rows, 3: 4 * columns}}
    exported = torch.export.export(model, (image,), dynamic_shapes=shapes)
    torch.export.save(exported, tmp_path / "model.pt2")
    reloaded = torch.export.load(tmp_path / "model.pt2").module()
    other = torch.from_numpy(np.random.default_rng(6).normal(size=(3, 2, 36, 20)))
    agree(as_arrays(reloaded(other)), as_arrays(model(other)))


@pytest.mark.parametrize("name", SPECS)
def test_transforms(name: str) -> None:
    """torch.func and torch.compile see the same function; deterministic algorithms are allowed."""
    spec, parameters = setting(name)
    model = emitted(spec, parameters).eval()
    image = torch.from_numpy(np.random.default_rng(7).normal(size=(3, 2, 12, 16)))
    wanted = model(image)["map"]
    state = dict(model.named_parameters())

    def loss(values: dict[str, torch.Tensor], one: torch.Tensor) -> torch.Tensor:
        return functional_call(model, values, (one[None],))["map"].square().sum()

    each = vmap(grad(loss), in_dims=(None, 0))(state, image)
    whole = torch.autograd.grad(wanted.square().sum(), list(state.values()), allow_unused=True)
    for gradient, summed in zip(each.values(), whole, strict=True):
        agree(
            {"g": gradient.detach().sum(0).numpy()},
            {"g": np.zeros(gradient.shape[1:]) if summed is None else summed.numpy()},
            1e-9,
        )
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    agree(as_arrays(compiled(image)), as_arrays(model(image)))
    torch.use_deterministic_algorithms(True)
    try:
        model(image)["map"].sum().backward()
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("name", ["feedback", "circles", "graph"])
def test_gradients(name: str) -> None:
    """gradcheck in float64: heads and score, with respect to the image and every parameter."""
    spec, parameters = setting(name)
    spec["inputs"]["image"]["size"] = [4, 8]
    spec["heads"] = {"map": {"kind": "heatmap", "channels": 1, "reads": "h1"}}
    parameters = random_parameters(resolve(spec)[1], np.random.default_rng(2))
    model = emitted(spec, parameters).eval()
    names = [key for key, _ in model.named_parameters()]
    image = torch.from_numpy(np.random.default_rng(8).normal(size=(1, 2, 4, 8))).requires_grad_()

    def heads(image: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        return functional_call(model, dict(zip(names, values, strict=True)), (image,))["map"]

    assert torch.autograd.gradcheck(heads, (image, *model.parameters()), atol=1e-6)
    state = {key: value.detach() for key, value in model.latents(image).items()}

    def score(image: torch.Tensor, *layers: torch.Tensor) -> torch.Tensor:
        return model.score(image, dict(zip(state, layers, strict=True)))

    assert torch.autograd.gradcheck(score, (image, *(value.requires_grad_() for value in state.values())), atol=1e-6)


def test_the_state_goes_through_safetensors(tmp_path: Path) -> None:
    """No tensor is shared between names; filters are stored channels-last, safetensors wants rows."""
    spec, parameters = setting("graph")
    model = emitted(spec, parameters)
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    save_file(state, tmp_path / "weights.safetensors")
    other = lvmc.compile(spec, seed=5).double()
    other.load_state_dict(load_file(tmp_path / "weights.safetensors"))
    image = torch.randn(1, 2, 12, 16, dtype=torch.float64)
    agree(as_arrays(other(image)), as_arrays(model(image)), 0.0)


def test_ties_fall_to_the_first() -> None:
    """A constant image ties every group; exactly the first unit of each stays, in evaluation and after export."""
    spec = {
        "lvmc": 1,
        "name": "ties",
        "inputs": {"image": {"channels": 1, "size": 4}},
        "inference": {"passes": 1},
        "layers": {"h1": {"channels": 2, "filter": 1, "nms": {"window": 2, "channels": 2}}},
    }
    model = lvmc.compile(spec)
    torch.nn.init.ones_(model.get_parameter("h1.weight"))
    state = model.latents(torch.ones(1, 1, 4, 4))["h1"][0]
    assert state.count_nonzero() == 4
    assert torch.equal(state[0, ::2, ::2], torch.ones(2, 2))
    assert state[1].count_nonzero() == 0


def test_initial_weights_follow_the_seed() -> None:
    """The same seed gives the same weights, another seed others; drawing leaves the global generator's place alone."""
    spec = spec_of("feedback")
    first, again, other = (lvmc.compile(spec, seed=seed).state_dict() for seed in (3, 3, 4))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not torch.equal(first["h1.weight"], other["h1.weight"])
    assert abs(float(first["h2.weight"].std()) - (2 / 36) ** 0.5) < 0.05
    assert first["h1.bias"].count_nonzero() == 0
