"""The Python interface: sources of specs, options that do not fit, and what a compiled model carries."""

from __future__ import annotations

import io
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import torch

import lvmc
from lvmc import specs

SPEC: dict[str, Any] = {
    "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 8}},
    "layers": {"h1": {"channels": 2, "filter": 3}, "h2": {"channels": 2, "filter": 3}},
    "heads": {"late": {"kind": "vector", "outputs": 1, "reads": "h1", "at": 2}},
}  # fmt: skip


def test_sources(tmp_path: Path) -> None:
    """A path, a zoo name, a stream and a dict give the same spec; a Spec compiles again."""
    spec = lvmc.load(SPEC)
    text = lvmc.dump(spec)
    (tmp_path / "net.yaml").write_text(text)
    assert (
        lvmc.load(tmp_path / "net.yaml")
        == lvmc.load(str(tmp_path / "net.yaml"))
        == lvmc.load(io.StringIO(text))
        == spec
    )
    assert lvmc.load("qp_faces") == lvmc.load(specs.path("qp_faces"))
    assert isinstance(lvmc.compile(spec), torch.nn.Module)
    with pytest.raises(FileNotFoundError, match="qp_faces"):
        lvmc.load("qp_face")
    with pytest.raises(FileNotFoundError, match=r"lvmc\.open"):
        lvmc.load(tmp_path)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"clamp": ["h9"]}, "no layer is named 'h9'; layers are h1, h2"),
        ({"clamp": "h1"}, r"for example \['h1'\]"),
        ({"clamp": {"h1": "some"}}, "not 'some'"),
        ({"passes": 0}, "at least 1"),
        ({"passes": 1}, "head 'late' reads after pass 2, but only 1 are run"),
    ],
)
def test_options_that_do_not_fit(options: dict[str, Any], message: str) -> None:
    """Refused in words before anything is emitted."""
    with pytest.raises(ValueError, match=message):
        lvmc.compile(SPEC, **options)


@pytest.mark.parametrize("options", [{"passes": 3}, {"clamp": ["h1"]}, {"start": "given"}])
@pytest.mark.parametrize("key", [{"inference": {"tying": "untied"}}, {"norm": "message"}])
def test_no_energy_no_options(options: dict[str, Any], key: dict[str, Any]) -> None:
    """Where each use has parameters of its own, another schedule would need others."""
    spec = deepcopy(SPEC)
    if "norm" in key:
        spec["layers"]["h1"] |= key
    else:
        spec |= key
    with pytest.raises(ValueError, match="parameters that the spec has not"):
        lvmc.compile(spec, **options)


def test_limits_are_settable() -> None:
    """Refused by default limits of one's own, allowed by others."""
    with pytest.raises(lvmc.SpecError, match="parameters, more than the 10 allowed"):
        lvmc.load(SPEC, max_parameters=10)
    with pytest.raises(lvmc.SpecError, match="latent units, more than the 10 allowed"):
        lvmc.load(SPEC, max_units=10)
    assert lvmc.load(SPEC, max_parameters=10**6, max_units=10**6) == lvmc.load(SPEC)


def test_models_copy_and_draw_their_own_weights() -> None:
    """deepcopy keeps weights and what the model was compiled from."""
    model = lvmc.compile(SPEC, seed=3)
    copy = deepcopy(model)
    image = torch.rand(1, 1, 8, 8)
    assert torch.equal(copy(image)["late"], model(image)["late"])
    assert lvmc.trace(copy, image).layers == ("h1", "h2", "h2", "h1")


def test_public_names() -> None:
    """At most 15, all of them there."""
    assert len(lvmc.__all__) <= 15
    assert all(getattr(lvmc, name) is not None for name in lvmc.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        lvmc.nothing  # noqa: B018


def test_an_energy_without_terms() -> None:
    """One mean-field layer with nothing below and no bias: S is 0, and the model compiles."""
    spec = {
        "lvmc": 1,
        "name": "alone",
        "layers": {"h1": {"channels": 1, "from": "none", "size": 2, "unit": "boltzmann", "bias": False}},
    }
    model = lvmc.compile(spec)
    state = model.latents(batch=3)
    assert torch.equal(state["h1"], torch.full((3, 1, 2, 2), 0.5))
    assert torch.equal(model.score(state), torch.zeros(3))
