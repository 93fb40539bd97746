"""`until` and `gradient: implicit`: passes stop where they should, and gradients are those of the fixed point."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lvmc.graph import EnergyGraph
from lvmc.ir import interpret
from lvmc.loading import resolve
from lvmc.probe import probe
from lvmc.unroll import unroll

from ..kept import kept_bytes
from .dense import Array
from .specs import random_inputs, specs
from .test_loops import gentle
from .test_meaning import agree, as_arrays, emitted

NET: dict[str, Any] = {
    "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 2, "size": 8}},
    "layers": {
        "h1": {"channels": 4, "filter": 3, "nms": 2},
        "h2": {"channels": 5, "filter": 3, "upper": 0.4, "lateral": {"filter": 3}},
        "h3": {"channels": 3, "filter": 3, "diagonal": "learned", "stride": 2},
    },
    "heads": {"p": {"kind": "heatmap", "channels": 2, "reads": {"h3": 1, "h1": 1}}},
}  # fmt: skip


def settled(
    graph: EnergyGraph, values: dict[str, Array], residual: float, most: int
) -> tuple[dict[str, Array], list[int], list[bool], bool]:
    """Each sample by itself, with the plain unrolling and the probe's residual: layers, passes, whether it settled.

    The last says whether some number came so close to the residual that rounding could decide.
    """
    batch = next(values[node.name] for node in graph.inputs).shape[0]
    states = interpret(unroll(graph, most, watch=True), values)
    probed = probe(graph, most)
    measured = interpret(probed.program, values)
    layers = [layer.name for layer in graph.layers]
    passes, reached, close = [most] * batch, [False] * batch, False
    for sample in range(batch):
        for number in range(2, most + 1):
            steps = [states[f"{n}@{number}"][sample] - states[f"{n}@{number - 1}"][sample] for n in layers]
            step = max(float(np.abs(each).max()) for each in steps)
            rest = float(measured[f"residual_{number * len(layers)}"][sample])
            close |= abs(step / residual - 1) < 1e-4 or (step <= residual and abs(rest / residual - 1) < 1e-4)
            if step <= residual and rest <= residual:
                passes[sample], reached[sample] = number, True
                break
    found = {n: np.stack([states[f"{n}@{passes[s]}"][s] for s in range(batch)]) for n in layers}
    return found, passes, reached, close


def constraint(spec: dict[str, Any]) -> dict[str, str]:
    """The constraint that a spec was drawn with."""
    return {"constraint": spec["inference"].get("constraint", "none")}


def test_every_sample_stops_when_its_residual_is_reached() -> None:
    """Random specs, samples of very different size: layers, passes and verdicts of each sample run by itself."""
    outcome: Counter[str] = Counter()

    @settings(max_examples=100, deadline=None, derandomize=True, database=None)
    @given(specs(energy=True, max_passes=2), st.sampled_from([1e-2, 1e-4]), st.sampled_from([1, 2, 5, 9, 24]))
    def check(spec: dict[str, Any], residual: float, most: int) -> None:
        for head in spec.get("heads", {}).values():
            head.pop("at", None)
        spec["inference"] = {"until": {"residual": residual, "max_passes": most}, **constraint(spec)}
        _, graph = resolve(spec)
        random = np.random.default_rng(len(str(spec)))
        inputs, parameters = random_inputs(graph, random, batch=4), gentle(graph, random)
        strengths = np.array([1.0, 1e-3, 3.0, 0.0])[:, None, None, None]
        inputs = {name: value * strengths for name, value in inputs.items()}
        wanted, passes, reached, close = settled(graph, inputs | parameters, residual, most)
        if close:
            outcome["set aside: a residual within rounding of the limit"] += 1
            return
        model = emitted(spec, parameters).eval()
        agree(as_arrays(model.latents(*map(torch.from_numpy, inputs.values()))), wanted, 1e-8)
        assert model.passes_used.tolist() == passes
        assert model.converged.tolist() == reached
        outcome["all settled" if all(reached) else "some settled" if any(reached) else "none settled"] += 1

    check()
    print(f"\n{dict(outcome)}")
    assert outcome["all settled"] >= 15
    assert outcome["some settled"] >= 5
    assert outcome["none settled"] >= 15
    assert outcome["set aside: a residual within rounding of the limit"] <= 10


def test_heads_read_the_state_that_passes_end_in() -> None:
    spec = NET | {"inference": {"until": {"residual": 1e-6, "max_passes": 400}}}
    _, graph = resolve(spec)
    random = np.random.default_rng(3)
    parameters, inputs = gentle(graph, random), random_inputs(graph, random)
    model = emitted(spec, parameters)
    straight = emitted(spec, parameters, passes=400)
    tensors = [torch.from_numpy(value) for value in inputs.values()]
    assert (model(*tensors)["p"] - straight(*tensors)["p"]).abs().max() < 1e-5
    assert bool(model.converged.all())
    assert int(model.passes_used.max()) < 200


def test_batch_of_none_and_one() -> None:
    spec = NET | {"inference": {"until": {"residual": 1e-3, "max_passes": 50}}}
    _, graph = resolve(spec)
    model = emitted(spec, gentle(graph, np.random.default_rng(0)))
    assert model(torch.zeros(0, 2, 8, 8, dtype=torch.double))["p"].shape == (0, 2, 8, 8)
    assert model.passes_used.shape == (0,)
    assert model(torch.zeros(1, 2, 8, 8, dtype=torch.double))["p"].shape == (1, 2, 8, 8)


def gradients(
    model: torch.nn.Module, tensors: list[torch.Tensor], given: dict[str, torch.Tensor]
) -> list[torch.Tensor]:
    """Gradients of a fixed random functional of all layers, with respect to all that is given and learned."""
    leaves = [value.clone().requires_grad_() for value in tensors]
    kept = {name: value.clone().requires_grad_(value.is_floating_point()) for name, value in given.items()}
    layers = model.latents(*leaves, **kept)
    random = torch.Generator().manual_seed(0)
    loss = sum(
        (value * torch.randn(value.shape, generator=random, dtype=value.dtype)).sum() for value in layers.values()
    )
    wanted = [*leaves, *(value for value in kept.values() if value.requires_grad), *model.parameters()]
    found = torch.autograd.grad(loss, wanted, allow_unused=True) if loss.requires_grad else [None] * len(wanted)
    return [torch.zeros_like(leaf) if value is None else value for leaf, value in zip(wanted, found, strict=True)]


def test_implicit_gradients_are_those_of_the_unrolled_passes() -> None:
    """At convergence, to 1e-4 relative, on random specs: all units, groups, laterals, strides, shared filters."""
    outcome: Counter[str] = Counter()

    @settings(max_examples=80, deadline=None, derandomize=True, database=None)
    @given(specs(energy=True, max_passes=2))
    def check(spec: dict[str, Any]) -> None:
        spec.pop("heads", None)
        for layer in spec["layers"].values():
            layer.pop("norm", None)
        kept = constraint(spec)
        spec["inference"] = {"until": {"residual": 1e-11, "max_passes": 500}, "gradient": "implicit", **kept}
        _, graph = resolve(spec)
        random = np.random.default_rng(len(str(spec)))
        parameters, inputs = gentle(graph, random), random_inputs(graph, random, batch=3)
        tensors = [torch.from_numpy(value) for value in inputs.values()]
        model = emitted(spec, parameters)
        found = gradients(model, tensors, {})
        if not bool(model.converged.all()) or on_the_edge(model.latents(*tensors)):
            outcome["set aside: not settled, or a unit at its very bound"] += 1
            return
        spec["inference"] = {"passes": int(model.passes_used.max()) + 40, **kept}
        wanted = gradients(emitted(spec, parameters), tensors, {})
        scale = max(float(value.abs().max()) for value in wanted) + 1e-12
        for one, other in zip(found, wanted, strict=True):
            assert (one - other).abs().max() <= 1e-4 * scale
        outcome["compared"] += 1

    check()
    print(f"\n{dict(outcome)}")
    assert outcome["compared"] >= 50


def on_the_edge(layers: dict[str, torch.Tensor]) -> bool:
    """Whether some unit is so small that its activity is decided by the last digits."""
    return any(bool(((value.abs() > 0) & (value.abs() < 1e-7)).any()) for value in layers.values())


@pytest.mark.parametrize("how", ["all", "mask"])
def test_implicit_gradients_of_clamped_layers(how: Any) -> None:
    """Given values get their gradient too, through every message they send."""
    _, graph = resolve(NET)
    random = np.random.default_rng(1)
    parameters, inputs = gentle(graph, random), random_inputs(graph, random)
    tensors = [torch.from_numpy(value) for value in inputs.values()]
    layer = graph.layer["h2"]
    shape = (2, layer.channels, *layer.size)
    given_values = {"h2": torch.from_numpy(random.random(shape) * 0.4)}
    if how == "mask":
        given_values["h2_mask"] = torch.from_numpy(random.random(shape) < 0.5)
    implicit = NET | {"inference": {"until": {"residual": 1e-12, "max_passes": 900}, "gradient": "implicit"}}
    model = emitted(implicit, parameters, clamp={"h2": how})
    found = gradients(model, tensors, given_values)
    assert bool(model.converged.all())
    unrolled = emitted(NET, parameters, clamp={"h2": how}, passes=int(model.passes_used.max()) + 50)
    wanted = gradients(unrolled, tensors, given_values)
    scale = max(float(value.abs().max()) for value in wanted)
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).abs().max() <= 1e-6 * scale


@pytest.mark.parametrize("gradient", ["unrolled", "implicit"])
@pytest.mark.parametrize("how", ["", "all", "mask"])
def test_given_starts_and_clamped_layers_while_others_settle(how: Any, gradient: str) -> None:
    """What as many passes give, from the same start, with the same layer clamped."""
    _, graph = resolve(NET)
    random = np.random.default_rng(2)
    parameters, inputs = gentle(graph, random), random_inputs(graph, random)
    tensors = [torch.from_numpy(value) for value in inputs.values()]
    given_values = {
        layer.name: torch.from_numpy(random.random((2, layer.channels, *layer.size)) * 0.4) for layer in graph.layers
    }
    if how == "mask":
        given_values["h2_mask"] = torch.from_numpy(random.random(given_values["h2"].shape) < 0.5)
    spec = NET | {"inference": {"until": {"residual": 1e-11, "max_passes": 900}, "gradient": gradient}}
    clamp = {"h2": how} if how else {}
    model = emitted(spec, parameters, clamp=clamp, start="given")
    found = model(*tensors, **given_values)["p"]
    assert bool(model.converged.all())
    straight = emitted(NET, parameters, clamp=clamp, start="given", passes=int(model.passes_used.max()))
    torch.testing.assert_close(found, straight(*tensors, **given_values)["p"], rtol=1e-8, atol=1e-9)
    if how == "all":
        assert torch.equal(model.latents(*tensors, **given_values)["h2"], given_values["h2"])


def test_implicit_gradients_keep_one_state() -> None:
    """What is kept for the backward pass does not grow with the passes."""
    _, graph = resolve(NET)
    parameters = gentle(graph, np.random.default_rng(0))
    image = torch.randn(2, 2, 8, 8, dtype=torch.double)
    kept = {
        (gradient, k): kept_bytes(
            partial(emitted(NET | {"inference": {"passes": k, "gradient": gradient}}, parameters), image)
        )[0]
        for gradient in ("implicit", "unrolled")
        for k in (2, 20, 100)
    }
    assert kept["implicit", 2] > 0
    assert kept["implicit", 100] == kept["implicit", 20] == kept["implicit", 2]
    assert kept["unrolled", 100] > 10 * kept["unrolled", 2]


def test_nothing_is_kept_without_gradients() -> None:
    """Under no_grad and inference_mode an implicit model runs, and gives the same."""
    _, graph = resolve(NET)
    spec = NET | {"inference": {"passes": 12, "gradient": "implicit"}}
    model = emitted(spec, gentle(graph, np.random.default_rng(0)))
    image = torch.randn(2, 2, 8, 8, dtype=torch.double)
    wanted = model(image)["p"]
    for context in (torch.no_grad(), torch.inference_mode()):
        with context:
            assert torch.equal(model(image)["p"], wanted)


def test_passes_of_an_implicit_model_are_counted_exactly() -> None:
    """With `passes: k` the state is that of k passes, as without implicit gradients."""
    _, graph = resolve(NET)
    parameters = gentle(graph, np.random.default_rng(0))
    image = torch.randn(2, 2, 8, 8, dtype=torch.double)
    for k in (1, 2, 3, 8):
        implicit = emitted(NET | {"inference": {"passes": k, "gradient": "implicit"}}, parameters).latents(image)
        unrolled = emitted(NET | {"inference": {"passes": k}}, parameters).latents(image)
        agree(as_arrays(implicit), as_arrays(unrolled))


def test_passes_that_never_settle_end_at_the_most_and_say_so() -> None:
    """Two units that drive each other up for ever, in one of two samples."""
    layers = {name: {"channels": 1, "filter": 1, "bias": False} for name in ("h1", "h2")}
    spec = {"lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 1}}, "layers": layers}
    spec |= {"inference": {"until": {"residual": 1e-6, "max_passes": 30}}}
    model = emitted(spec, {"h1.weight": np.ones((1, 1, 1, 1)), "h2.weight": np.full((1, 1, 1, 1), 2.0)})
    found = model.latents(torch.tensor([1.0, -1.0], dtype=torch.double).reshape(2, 1, 1, 1))
    assert model.passes_used.tolist() == [30, 2]
    assert model.converged.tolist() == [False, True]
    assert found["h2"][0] > 1e6
    assert found["h2"][1] == 0
