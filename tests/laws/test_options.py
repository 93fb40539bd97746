"""Law 2 under options: other numbers of passes, clamped layers, masks, and given starts."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import lvmc
from lvmc.assemble import Options, programs
from lvmc.ir import interpret
from lvmc.loading import resolve

from .dense import TIE, Array, Dense
from .specs import random_inputs, random_parameters, specs
from .test_meaning import agree, as_arrays, emitted


@settings(max_examples=120, deadline=None, derandomize=True, database=None)
@given(specs(energy=True), st.booleans(), st.sampled_from(["", "all", "mask"]), st.integers(1, 4), st.data())
def test_options_keep_the_meaning(
    spec: dict[str, Any], start: bool, how: Any, passes: int, data: st.DataObject
) -> None:
    """Interpreter, emitted and plain emitted module agree with dense coordinate ascent from the same givens."""
    for head in spec.get("heads", {}).values():
        head["at"] = "last"
    _, graph = resolve(spec)
    random = np.random.default_rng(len(str(spec)))
    clamp = {data.draw(st.sampled_from(list(graph.layer))): how} if how else {}
    parameters, inputs = random_parameters(graph, random), random_inputs(graph, random)
    names = list(graph.layer) if start else list(clamp)
    shapes = {layer.name: (2, layer.channels, *layer.size) for layer in graph.layers}
    latents: dict[str, Array] = {name: np.round(random.normal(size=shapes[name]), 1) for name in names}
    masks: dict[str, Any] = {name: random.random(shapes[name]) < 0.4 for name, mode in clamp.items() if mode == "mask"}
    dense = Dense(graph, parameters, given=latents, masks=masks)
    dense.whole = frozenset(name for name, mode in clamp.items() if mode == "all")
    wanted = dense.run(inputs, passes, start)
    assume(dense.closest >= TIE)
    options = {"passes": passes, "clamp": clamp, "start": start}
    known = inputs | parameters | latents | {f"{name}_mask": mask for name, mask in masks.items()}
    for optimize in (True, False):
        made = programs(graph, Options(optimize=optimize, **options))
        agree(interpret(made.latents, known), wanted)
        model = emitted(
            spec, parameters, optimize=optimize, passes=passes, clamp=clamp, start="given" if start else None
        )
        tensors = [torch.from_numpy(value) for value in inputs.values()]
        keywords = {name: torch.from_numpy(value) for name, value in latents.items()}
        keywords |= {f"{name}_mask": torch.from_numpy(mask.astype(float)) for name, mask in masks.items()}
        agree(as_arrays(model.eval().latents(*tensors, **keywords)), wanted)


def test_same_parameters_at_another_number_of_passes() -> None:
    """`passes` changes no state name; a compiled QP4 takes the weights of QP2."""
    spec = {
        "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 8}},
        "layers": {"h1": {"channels": 2, "filter": 3}, "h2": {"channels": 3, "filter": 3}},
    }  # fmt: skip
    two, four = lvmc.compile(spec), lvmc.compile(spec, passes=4)
    assert list(two.state_dict()) == list(four.state_dict())
    four.load_state_dict(two.state_dict())
