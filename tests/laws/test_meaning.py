"""Laws 2 and 5: dense coordinate ascent on the explicit W = interpreter = emitted module = emitted without rewrites."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import torch
from hypothesis import given, settings

import lvmc
from lvmc.assemble import Options, programs
from lvmc.graph import EnergyGraph
from lvmc.ir import interpret
from lvmc.loading import resolve
from lvmc.spec import Layer
from lvmc.spec.layers import Coupling

from .dense import TIE, Array, Dense
from .messages import Loop
from .specs import random_inputs, random_parameters, specs

EXAMPLES = 340
TOLERANCE = 1e-10


def reference(graph: EnergyGraph, parameters: dict[str, Array], training: bool = False) -> Dense:
    """The independent meaning of a spec."""
    return (Loop if graph.why_no_energy else Dense)(graph, parameters, training)


def emitted(spec: dict[str, Any], parameters: dict[str, Array], **options: Any) -> torch.nn.Module:
    """A compiled module in float64 with given parameters; the state's names must be those of the graph."""
    model = lvmc.compile(spec, **options).double()
    model.load_state_dict({name: torch.from_numpy(np.array(value)) for name, value in parameters.items()})
    return model


def agree(found: dict[str, Array], wanted: dict[str, Array], tolerance: float = TOLERANCE) -> None:
    """Equal relative to 1 + the largest value."""
    scale = 1.0 + max(float(np.abs(value).max(initial=0.0)) for value in wanted.values())
    for name, value in wanted.items():
        assert found[name].shape == value.shape, name
        assert np.abs(found[name] - value).max(initial=0.0) <= tolerance * scale, name


def as_arrays(values: dict[str, torch.Tensor]) -> dict[str, Array]:
    return {name: value.detach().numpy() for name, value in values.items()}


def test_four_meanings_agree() -> None:
    """Latents and score of random specs that between them use every key of language.md §3."""
    used: Counter[str] = Counter()
    outcome: Counter[str] = Counter()

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None)
    @given(specs())
    def check(spec: dict[str, Any]) -> None:
        _, graph = resolve(spec)
        random = np.random.default_rng(len(str(spec)))
        parameters, inputs = random_parameters(graph, random), random_inputs(graph, random)
        dense = reference(graph, parameters)
        wanted = dense.run(inputs, graph.passes)
        if dense.closest < TIE:
            outcome["set aside: a winner leads by less than rounding"] += 1
            return
        outcome["compared"] += 1
        used.update(keys_of(spec))
        plain, fast = (programs(graph, Options(optimize=optimize)) for optimize in (False, True))
        agree(interpret(plain.latents, inputs | parameters), wanted)
        agree(interpret(fast.latents, inputs | parameters), wanted)
        tensors = [torch.from_numpy(value) for value in inputs.values()]
        for optimize in (True, False):
            model = emitted(spec, parameters, optimize=optimize).eval()
            agree(as_arrays(model.latents(*tensors)), wanted)
            agree(as_arrays(model(*tensors)), interpret(plain.forward, inputs | parameters))
            if not graph.why_no_energy:
                score = model.score(*tensors, {name: torch.from_numpy(value) for name, value in wanted.items()})
                agree({"score": score.detach().numpy()}, {"score": dense.score(inputs, wanted)})

    check()
    print(f"\n{sum(outcome.values())} random specs: {dict(outcome)}\nkeys used: {dict(sorted(used.items()))}")
    assert outcome["compared"] >= 300
    assert outcome["set aside: a winner leads by less than rounding"] <= EXAMPLES // 20
    missing = known_keys() - used.keys()
    assert not missing, f"no spec used {missing}"


def test_training_statistics_agree() -> None:
    """With batch statistics too: a drive's from its first pass, a message's each time it is computed."""
    compared: list[int] = []

    @settings(max_examples=80, deadline=None, derandomize=True, database=None)
    @given(specs(units=("rectified", "gaussian")))
    def check(spec: dict[str, Any]) -> None:
        for layer in spec["layers"].values():
            layer.pop("diagonal", None)
            layer.setdefault("norm", "drive")
        spec["inference"].pop("constraint", None)
        _, graph = resolve(spec)
        random = np.random.default_rng(len(str(spec)))
        parameters, inputs = random_parameters(graph, random), random_inputs(graph, random, batch=3)
        dense = reference(graph, parameters, training=True)
        wanted = dense.run(inputs, graph.passes)
        smallest = min(float(d.min()) for d, _ in dense.norms.values()) if dense.norms else 1.0
        if dense.closest < TIE or smallest < 0.05:
            return
        plain = programs(graph, Options(optimize=False))
        agree(interpret(plain.latents, inputs | parameters, training=True), wanted, 1e-8)
        model = emitted(spec, parameters).train()
        agree(as_arrays(model.latents(*(torch.from_numpy(value) for value in inputs.values()))), wanted, 1e-8)
        compared.append(1)

    check()
    assert len(compared) >= 40


def keys_of(spec: dict[str, Any]) -> set[str]:
    """Keys of §3 that a spec uses, with the values that are keys in all but name."""
    found = set(spec) | {f"inference.{key}" for key in spec["inference"]}
    found |= {f"inputs.{key}" for each in spec["inputs"].values() for key in each}
    found |= {f"filters.{key}" for each in spec.get("filters", {}).values() for key in each}
    for layer in spec["layers"].values():
        found |= {f"layers.{key}" for key in layer}
        found |= {f"unit:{layer['unit']}"} if "unit" in layer else set()
        norm = layer.get("norm")
        found |= {f"norm:{norm['kind'] if isinstance(norm, dict) else norm}"} if norm else set()
        nms = layer.get("nms")
        found |= (
            {f"nms.{key}" for key in nms} | {f"winner:{nms.get('winner', 'every')}"} if isinstance(nms, dict) else set()
        )
        found |= {"diagonal:learned"} if layer.get("diagonal") == "learned" else set()
        found |= {"filter:full"} if layer.get("filter") == "full" else set()
        found |= {"filter:shared"} if layer.get("filter") == "common" else set()
        found |= {"from:none"} if layer.get("from") == "none" else set()
        found |= {"from:several"} if isinstance(layer.get("from"), dict) else set()
        found |= {f"padding_mode:{layer['padding_mode']}"} if "padding_mode" in layer else set()
    found |= {f"tying:{spec['inference']['tying']}", f"constraint:{spec['inference'].get('constraint', 'none')}"}
    return found | {f"head:{head['kind']}" for head in spec.get("heads", {}).values()}


def known_keys() -> set[str]:
    """What the random specs have to use between them."""
    layer = {f"layers.{field.alias or name}" for name, field in Layer.model_fields.items()}
    values = {
        "unit:gaussian", "unit:boltzmann", "norm:drive", "norm:message", "nms.window", "nms.channels", "nms.winner",
        "winner:first", "winner:every", "diagonal:learned", "filter:full", "filter:shared", "from:none", "from:several",
        "padding_mode:circular", "tying:untied", "tying:tied", "head:heatmap", "head:segmentation", "head:classes",
        "head:vector", "head:density", "inputs.normalize", "filters.size", "filters.init", "inference.passes",
        "inference.constraint", "constraint:contractive", "constraint:copositive",
    }  # fmt: skip
    assert {f"layers.{name}" for name in Coupling.model_fields} <= layer
    return layer | values
