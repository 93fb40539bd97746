"""Laws 2 and 4 for loops: many passes, rolled up, are the same passes one after the other."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lvmc.assemble import Options, programs
from lvmc.graph import EnergyGraph
from lvmc.ir import interpret, verify
from lvmc.ir.rolled import interpret_rolled
from lvmc.loading import resolve
from lvmc.pipeline import emitted as compiled
from lvmc.roll import SHORTEST
from lvmc.unroll import unroll

from .dense import TIE, Array, Dense
from .specs import random_inputs, random_parameters, specs
from .test_meaning import agree, as_arrays, emitted


def gentle(graph: EnergyGraph, random: np.random.Generator) -> dict[str, Array]:
    """Random parameters with small filters, so that passes do not blow up and most nets settle."""
    parameters = random_parameters(graph, random)
    for name in parameters:
        if name.endswith((".weight", ".lateral")) and ".norm." not in name and not name.startswith("heads."):
            parameters[name] = parameters[name] * (0.05 if name.endswith(".lateral") else 0.3)
    return parameters


def test_loops_are_their_passes() -> None:
    """On random specs: dense coordinate ascent = the parts interpreted = emitted, with batch statistics too."""
    outcome: Counter[str] = Counter()

    @settings(max_examples=150, deadline=None, derandomize=True, database=None)
    @given(specs(energy=True), st.integers(SHORTEST, 13), st.booleans())
    def check(spec: dict[str, Any], passes: int, training: bool) -> None:
        for head in spec.get("heads", {}).values():
            head.pop("at", None)
        spec["inference"]["passes"] = passes
        _, graph = resolve(spec)
        made = programs(graph, Options())
        if made.loop is None:
            outcome["straight: nothing happens after the first pass"] += 1
            assert len(made.latents.equations) == len(programs(graph, Options(passes=3)).latents.equations)
            return
        random = np.random.default_rng(len(str(spec)))
        parameters, inputs = gentle(graph, random), random_inputs(graph, random, batch=3)
        dense = Dense(graph, parameters, training=training)
        wanted = dense.run(inputs, passes)
        smallest = min((float(d.min()) for d, _ in dense.norms.values()), default=1.0)
        if dense.closest < TIE or smallest < 0.05:
            outcome["set aside: a winner leads by less than rounding, or a variance of nearly 0"] += 1
            return
        outcome["compared"] += 1
        for part, _ in made.loop.parts("latents"):
            verify(part)
        agree(interpret_rolled(made.loop, "latents", inputs | parameters, training=training), wanted, 1e-8)
        model = emitted(spec, parameters).train(training)
        tensors = [torch.from_numpy(value) for value in inputs.values()]
        agree(as_arrays(model.latents(*tensors)), wanted, 1e-8)
        if not training:
            plain = interpret(unroll(graph), inputs | parameters)
            read = [head.name for head in graph.heads] or list(graph.layer)
            agree(as_arrays(model(*tensors)), {name: plain[name] for name in read}, 1e-8)

    check()
    print(f"\n{dict(outcome)}")
    assert outcome["compared"] >= 90
    assert outcome["set aside: a winner leads by less than rounding, or a variance of nearly 0"] <= 25


@pytest.mark.parametrize("passes", [8, 9, 13])
@pytest.mark.parametrize("how", ["all", "mask"])
@pytest.mark.parametrize("start", [False, True])
def test_loops_keep_what_is_given(passes: int, how: Any, start: bool) -> None:
    """Clamped layers, masks and given starts stay what they are through every round."""
    spec = {
        "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 8}},
        "layers": {
            "h1": {"channels": 2, "filter": 3, "nms": {"window": 2, "winner": "first"}},
            "h2": {"channels": 3, "filter": 3, "lateral": {"filter": 3}, "diagonal": "learned"},
            "h3": {"channels": 2, "filter": 3},
        },
    }  # fmt: skip
    _, graph = resolve(spec)
    random = np.random.default_rng(0)
    parameters, inputs = gentle(graph, random), random_inputs(graph, random)
    shapes = {layer.name: (2, layer.channels, *layer.size) for layer in graph.layers}
    names = list(shapes) if start else ["h2"]
    latents: dict[str, Array] = {name: random.random(shapes[name]) for name in names}
    masks: dict[str, Any] = {"h2": random.random(shapes["h2"]) < 0.5} if how == "mask" else {}
    dense = Dense(graph, parameters, given=latents, masks=masks)
    dense.whole = frozenset(["h2"] if how == "all" else [])
    wanted = dense.run(inputs, passes, start)
    model = emitted(spec, parameters, passes=passes, clamp={"h2": how}, start="given" if start else None)
    given_values = {name: torch.from_numpy(value) for name, value in latents.items()}
    given_values |= {f"{name}_mask": torch.from_numpy(mask) for name, mask in masks.items()}
    agree(as_arrays(model.latents(*map(torch.from_numpy, inputs.values()), **given_values)), wanted)


@pytest.mark.parametrize("name", ["qp_faces", "two_layer", "stereo", "qp2_vgg16"])
def test_source_does_not_grow_with_passes(name: str) -> None:
    lines = {k: compiled(name, Options(passes=k)).source.count("\n") for k in (6, 7, 8, 9, 98, 99, 1000, 10**9)}
    assert max(lines[k] for k in lines if k > 6) <= lines[6]
    assert lines[8] == lines[98]
    assert lines[7] == lines[9]


def test_heads_that_read_low_layers_skip_the_last_pass_above_them() -> None:
    """The last pass of forward computes what its heads read and no more, as in straight-line code."""
    spec = {
        "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 8}},
        "layers": {f"h{n}": {"channels": 2, "filter": 3} for n in range(1, 6)},
        "inference": {"passes": 20},
        "heads": {"top": {"kind": "heatmap", "channels": 1, "reads": "h4"}},
    }  # fmt: skip
    made = programs(resolve(spec)[1], Options())
    updated = {equation.origin.layer for equation in made.forward.equations if equation.origin.role == "update"}
    assert updated == {"h4"}
    assert made.loop is not None
    assert made.loop.rounds == 9


def test_what_no_loop_can_hold_is_refused_when_it_is_too_long() -> None:
    with pytest.raises(ValueError, match="more than the 10,000 allowed"):
        programs(resolve("two_layer")[1], Options(optimize=False, passes=100_000))
