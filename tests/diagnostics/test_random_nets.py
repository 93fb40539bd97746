"""Random nets of a few units: what `check` says is what an exact enumeration says of the explicit matrix."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import lvmc
from lvmc.diagnostics.boundedness import free_layers
from lvmc.diagnostics.check import check_model
from lvmc.diagnostics.explicit import explicit, groups
from lvmc.diagnostics.net import net_of
from lvmc.diagnostics.proofs import proofs
from lvmc.graph.form import Form
from lvmc.verdicts.verify import verify
from tests.matrices.reference import Answers, by_determinants, is_psd

MOST_UNITS = 10


@st.composite
def nets(draw: st.DrawFn) -> dict[str, Any]:
    """Two or three layers on 2 × 1 to 4 × 1 positions, with windows, strides, groups, bounds, laterals."""
    height = draw(st.sampled_from((2, 4)))
    first = {"channels": draw(st.integers(1, 2 if height == 2 else 1)), "filter": 1}
    if draw(st.booleans()):
        first["nms"] = [2, 1]
    if draw(st.booleans()):
        first |= {"lateral": {"filter": [3, 1]}}
    second: dict[str, Any] = {"channels": draw(st.integers(1, 2)), "replicate": 1}
    step = draw(st.sampled_from(("stride", "replicate", "same")))
    match step:
        case "stride":
            second |= {"filter": [2, 1], "stride": [2, 1], "padding": 0}
        case "replicate":
            second |= {"filter": 1, "replicate": [2, 1]}
        case _:
            second |= {"filter": [3, 1], "channels": 1, "padding_mode": draw(st.sampled_from(("zeros", "circular")))}
    if second["channels"] == 2 and draw(st.booleans()):
        second["nms"] = {"channels": 2}
    if draw(st.booleans()):
        second["diagonal"] = draw(st.sampled_from((0.5, 2.0)))
    if draw(st.integers(0, 3)) == 0:
        second["upper"] = 1.0
    layers = {"h1": first, "h2": second}
    image = {"image": {"channels": 1, "size": [height, 1]}}
    return {"lvmc": 1, "name": "tiny", "inputs": image, "layers": layers}


def weighted(spec: dict[str, Any], seed: int, scale: float) -> Any:
    """The model with weights of a few bits, so that exact arithmetic on them stays short."""
    model, rng = lvmc.compile(spec), np.random.default_rng(seed)
    for values in model.parameters():
        drawn = np.round(rng.normal(size=tuple(values.shape)) * scale * 8) / 8
        values.data.copy_(values.new_tensor(drawn))
    return model


def exact(form: Form) -> tuple[Answers, bool]:
    matrix = explicit(form)
    return by_determinants(matrix, groups(form) or None), is_psd(matrix)


@given(nets(), st.integers(0, 10_000), st.sampled_from((0.25, 0.5, 1.0)))
@settings(max_examples=120, deadline=None)
def test_as_exact_enumeration(spec: dict[str, Any], seed: int, scale: float) -> None:
    model = weighted(spec, seed, scale)
    form = net_of(model).form
    if form.units > MOST_UNITS:
        return
    known, psd = exact(form)
    check = check_model(model)
    assert (check.verdict.copositive, check.verdict.strict) == (known.copositive, known.strict)
    assert check.verdict.psd in (psd, None)
    free = free_layers(form)
    bounded = exact(free)[0] if free.blocks else Answers(True, True)
    if bounded.strict or not bounded.copositive:
        assert check.bounded == bounded.strict
    for name, subject, proof in proofs(check):
        assert verify(subject, proof).holds, name
