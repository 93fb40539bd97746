"""Outer feedback: a plain loop over steps = the hoisted program = the emitted module; and what is given at run time."""

from __future__ import annotations

from collections import Counter
from copy import deepcopy
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import lvmc
from lvmc.assemble import Options, programs
from lvmc.ir import verify
from lvmc.ir.stepped import interpret_steps
from lvmc.loading import resolve

from .dense import TIE
from .feedback_specs import PlainLoop, feedback_specs, values_for
from .test_meaning import agree, as_arrays, emitted

SPEC: dict[str, Any] = {
    "lvmc": 1, "name": "net",
    "state": {"pose": {"points": 3, "init": "mean"}},
    "inputs": {
        "image": {"channels": 2, "size": [8, 8]},
        "belief": {"render": "pose", "sigma": 1.5, "extra": ["marker"]},
    },
    "layers": {"h1": {"channels": 3, "filter": 3, "nms": 2}, "h2": {"channels": 4, "filter": 3}},
    "heads": {"correction": {"kind": "vector", "outputs": 6, "reads": "h2"}},
    "feedback": {"update": {"pose": {"add": "correction", "bound": 2.0}}, "steps": 3},
}  # fmt: skip


def changed(**feedback: Any) -> dict[str, Any]:
    return {**deepcopy(SPEC), "feedback": {**SPEC["feedback"], **feedback}}


def setting(spec: dict[str, Any], scale: float = 1.0) -> tuple[torch.nn.Module, dict[str, torch.Tensor], PlainLoop]:
    """A model with random parameters, what it is given, and the plain loop on the same."""
    _, graph = resolve(spec)
    parameters, inputs = values_for(graph, np.random.default_rng(0))
    parameters = {name: value * (scale if name.startswith("heads.") else 1.0) for name, value in parameters.items()}
    tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
    return emitted(spec, parameters).eval(), tensors, PlainLoop(graph, parameters, inputs)


def call(model: torch.nn.Module, tensors: dict[str, torch.Tensor], **more: Any) -> dict[str, torch.Tensor]:
    return model(tensors["image"], marker=tensors["marker"], **more)


def test_steps_are_a_plain_loop() -> None:
    """On random specs, with and without rewrites, in evaluation and in training."""
    outcome: Counter[str] = Counter()

    @settings(
        max_examples=25,
        deadline=None,
        derandomize=True,
        database=None,
        phases=(Phase.generate,),
        report_multiple_bugs=False,
    )
    @given(feedback_specs(), st.booleans())
    def check(spec: dict[str, Any], training: bool) -> None:
        _, graph = resolve(spec)
        parameters, inputs = values_for(graph, np.random.default_rng(len(str(spec))), batch=3 if training else 2)
        loop = PlainLoop(graph, parameters, inputs, training)
        largest = max(float(np.abs(value).max()) for value in loop.stacked.values())
        if loop.closest < TIE or (training and loop.smallest < 0.05) or largest > 1e6:
            outcome["set aside"] += 1
            return
        tolerance = 1e-8 if training else 1e-10
        outcome["compared"] += 1
        agree({name: loop.whole[name] for name in loop.layers}, loop.layers, tolerance)
        wanted, moves = loop.stacked, next(iter(loop.state))
        outcome["states matter"] += len(loop.found) > 1 and not np.allclose(wanted[moves][0], wanted[moves][-1])
        positional = [torch.from_numpy(inputs[node.name]) for node in graph.plain_inputs]
        extra = {name: torch.from_numpy(inputs[name]) for name in graph.feedback.extra} if graph.feedback else {}
        for optimize in (True, False):
            made = programs(graph, Options(optimize=optimize)).stepped
            assert made is not None
            for program in (made.before, *made.bodies, *made.layers):
                verify(program)
            outcome["hoisted"] += len(made.before.outputs) > 0
            agree(interpret_steps(made, inputs | parameters, training=training), wanted, tolerance)
            model = emitted(spec, parameters, optimize=optimize).train(training)
            agree(as_arrays(model(*positional, **extra)), wanted, tolerance)
            model = emitted(spec, parameters, optimize=optimize).train(training)
            agree(as_arrays(model.latents(*positional, **extra)), loop.layers, tolerance)

    check()
    print(f"\n{dict(outcome)}")
    assert outcome["compared"] >= 20
    assert outcome["states matter"] >= 8
    assert outcome["hoisted"] >= 15


def test_images_are_read_once() -> None:
    """The message of the image is worked out before the steps; a step holds no convolution on it."""
    made = programs(resolve(SPEC)[1], Options()).stepped
    assert made is not None
    assert [equation.origin.sender for equation in made.before.equations if equation.origin.role == "bottom"] == [
        "image"
    ]
    assert {equation.origin.sender for equation in made.bodies[0].equations} & {"image", "belief"} == {"belief"}


def test_steps_and_starts_are_given_at_run_time() -> None:
    model, tensors, loop = setting(SPEC)
    out = call(model, tensors, steps=5)
    assert out["pose"].shape == (5, 2, 3, 2)
    agree({"pose": out["pose"][:3].detach().numpy()}, {"pose": loop.stacked["pose"]})
    again = call(model, tensors, pose=out["pose"][1], steps=3)
    assert torch.allclose(again["pose"], out["pose"][2:], atol=1e-12)
    single = model.step(tensors["image"], marker=tensors["marker"], pose=out["pose"][1])
    assert torch.allclose(single["pose"], out["pose"][2], atol=1e-12)
    assert single["correction"].shape == (2, 6)
    with pytest.raises(ValueError, match="at least 1, not 0"):
        call(model, tensors, steps=0)


def test_steps_end_where_nothing_moves() -> None:
    """In evaluation, after the first step that moves no point of the batch farther than `stop`."""
    model, tensors, _ = setting(SPEC)
    before = torch.cat((model.pose.start.expand(1, 2, -1, -1), call(model, tensors, steps=9)["pose"]))
    longest = before.detach().diff(dim=0).norm(dim=-1).amax((1, 2))
    stop = float(longest.sort().values[2])
    ends = 1 + next(step for step, length in enumerate(longest) if length <= stop)
    assert len(call(model, tensors, steps=9, stop=stop)["pose"]) == ends
    assert len(call(model.train(), tensors, steps=9, stop=1e9)["pose"]) == 9
    model, tensors, _ = setting(changed(stop=1e9))
    assert len(call(model, tensors)["pose"]) == 1
    assert len(call(model, tensors, stop=0.0)["pose"]) == 3


@pytest.mark.parametrize("training", [True, False])
def test_moves_are_bounded_in_training_alone(training: bool) -> None:
    model, tensors, _ = setting(SPEC, 50.0)
    model.train(training)
    start = tensors["marker"][:, None].expand(-1, 3, -1)
    out = model.step(tensors["image"], marker=tensors["marker"], pose=start)
    length = (out["pose"] - start).norm(dim=-1)
    assert bool((length <= 2 + 1e-12).all()) == training
    direction = out["correction"].reshape(2, 3, 2)
    assert torch.allclose((out["pose"] - start) * direction.norm(dim=-1, keepdim=True), length[..., None] * direction)


@pytest.mark.parametrize("gradient", ["through", "stopped"])
def test_gradients_go_through_the_steps_as_told(gradient: str) -> None:
    """Of the last step's loss: to what the first step gave, or not; checked against finite differences when through."""
    model, tensors, _ = setting(changed(gradient=gradient))
    start = tensors["marker"][:, None].repeat(1, 3, 1).requires_grad_(True)
    last = call(model, tensors, pose=start)["pose"][-1].square().sum()
    (found,) = torch.autograd.grad(last, start, allow_unused=True)
    if gradient == "stopped":
        assert found is None or not found.any()
        return
    assert torch.autograd.gradcheck(lambda pose: call(model, tensors, pose=pose)["pose"], start, atol=1e-6)


def test_untied_steps_have_weights_of_their_own() -> None:
    """Whatever sees the state; what sees the image alone is shared, and so are named filters."""
    spec = {
        "lvmc": 1, "name": "stages",
        "state": {"maps": {"channels": 2, "size": [4, 4]}},
        "inputs": {"image": {"channels": 1, "size": [8, 8]}, "seen": {"render": "maps"}},
        "filters": {"wide": {"size": 5}},
        "layers": {
            "f": {"channels": 2, "filter": 3, "stride": 2, "from": "image"},
            "h": {"channels": 2, "from": {"f": {"filter": 3}, "seen": {"filter": "wide"}}},
        },
        "inference": {"passes": 1},
        "heads": {"heat": {"kind": "heatmap", "channels": 2, "reads": "h"}},
        "feedback": {"update": {"maps": {"set": "heat"}}, "steps": 2, "tying": "untied"},
    }  # fmt: skip
    model = lvmc.compile(spec)
    names = ["wide.weight", "f.weight", "f.bias"]
    names += [
        f"step{t}.{name}"
        for t in (1, 2)
        for name in ("h.bias", "h.f.weight", "heads.heat.h.weight", "heads.heat.h.bias")
    ]
    assert list(model.state_dict()) == names
    image = torch.randn(2, 1, 8, 8)
    out = model(image)
    loss = model.losses(out, {"heat": torch.zeros(2, 2, 8, 8)})["heat"]
    loss.backward()
    assert out["heat"].shape == (2, 2, 2, 8, 8)
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in model.parameters())
    assert torch.equal(model.step(image, maps=out["maps"][0], number=2)["heat"], out["heat"][1])
    with pytest.raises(ValueError, match="at most 2, each with weights of its own, not 3"):
        model(image, steps=3)


def test_other_sizes_and_batches() -> None:
    """Points are pixels at any size; a model without whole planes takes them all."""
    spec = deepcopy(SPEC)
    spec["heads"]["correction"]["pool"] = "mean"
    model, _, _ = setting(spec)
    for batch, size in ((0, (8, 8)), (1, (12, 8)), (3, (16, 20))):
        out = model(torch.randn(batch, 2, *size).double(), marker=torch.rand(batch, 2).double())
        assert out["pose"].shape == (3, batch, 3, 2)


def test_clamped_layers_stay_clamped_in_every_step() -> None:
    _, graph = resolve(SPEC)
    parameters, inputs = values_for(graph, np.random.default_rng(0))
    model = emitted(SPEC, parameters, clamp={"h2": "mask"}, passes=4).eval()
    h2, mask = torch.rand(2, 4, 4, 4).double(), torch.rand(2, 4, 4, 4) < 0.5
    tensors = {name: torch.from_numpy(value) for name, value in inputs.items()}
    layers = model.latents(tensors["image"], marker=tensors["marker"], h2=h2, h2_mask=mask)
    assert torch.equal(layers["h2"][mask], h2[mask])


def test_the_score_of_a_step() -> None:
    """S never falls within a step: the last pass of a step is no worse than the one before it."""
    _, graph = resolve(SPEC)
    parameters, inputs = values_for(graph, np.random.default_rng(0))
    pose = torch.rand(2, 3, 2).double()
    image, marker = (torch.from_numpy(inputs[name]) for name in ("image", "marker"))
    scores = []
    for passes in (1, 2, 3, 6):
        model = emitted(SPEC, parameters, passes=passes).eval()
        z = model.latents(image, marker=marker, pose=pose, steps=1)
        scores.append(model.score(image, z, pose=pose, marker=marker))
    assert all((after >= before - 1e-9).all() for before, after in pairwise(scores))


def test_trained_loops_are_checked_at_images() -> None:
    """The radius is that of the explicit Jacobian; steps beyond the spec's are watched; passes inside are not."""
    model, tensors, _ = setting(SPEC, 0.2)
    report = lvmc.check(model, tensors["image"], marker=tensors["marker"])
    assert report.outer is not None
    assert len(report.outer.moves["pose"]) == 9
    last = call(model, tensors, steps=9)["pose"][-1].detach()

    def advance(pose: torch.Tensor) -> torch.Tensor:
        return model.step(tensors["image"], marker=tensors["marker"], pose=pose)["pose"]

    jacobian = torch.autograd.functional.jacobian(advance, last)
    wanted = max(float(torch.linalg.eigvals(jacobian[b, :, :, b].reshape(6, 6)).abs().max()) for b in range(2))
    assert report.outer.radius == pytest.approx(wanted, rel=0.05)
    assert "spectral radius about" in report.outer.said
    with pytest.raises(ValueError, match=r"model\.step"):
        lvmc.trace(model, tensors["image"], marker=tensors["marker"])


def test_exported_steps_are_the_same() -> None:
    model, tensors, _ = setting(SPEC)
    with torch.no_grad():
        exported = torch.export.export(model, (tensors["image"],), {"marker": tensors["marker"]}).module()
        agree(as_arrays(call(exported, tensors)), as_arrays(call(model, tensors)))
