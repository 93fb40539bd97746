"""Layers that start from files of weights, and files that do not fit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

import lvmc
from lvmc.runtime.initial import take_weights

NET: dict[str, Any] = {
    "lvmc": 1,
    "name": "example",
    "inputs": {"image": {"channels": 1, "size": 8}},
    "layers": {
        "h1": {"channels": 2, "filter": 3, "norm": "drive"},
        "h2": {"channels": 3, "filter": 3, "diagonal": "learned", "lateral": {"filter": 3}},
        "h3": {"channels": 2, "from": {"h2": {"filter": 3}, "h1": {"filter": 1}}},
    },
    "heads": {"label": {"kind": "classes", "outputs": 2, "reads": "h3"}},
}


def given(**inits: Any) -> dict[str, Any]:
    """The net with inits of its layers."""
    return NET | {"layers": {name: keys | {"init": inits.get(name, "he")} for name, keys in NET["layers"].items()}}


def weights(folder: Path, *drop: str, **add: torch.Tensor) -> Path:
    """A file with other values for every state of the net, but for some."""
    torch.manual_seed(0)
    state = {name: torch.rand(value.shape) for name, value in lvmc.compile(NET).state_dict().items()}
    state = {name: value for name, value in state.items() if name not in drop} | add
    save_file(state, folder / "w.safetensors")
    return folder / "w.safetensors"


def changed(model: torch.nn.Module, file: Path) -> dict[str, bool]:
    """For every state: whether it is the file's; if not, it is as first drawn."""
    from safetensors.torch import load_file

    state, found, drawn = model.state_dict(), load_file(file), lvmc.compile(NET).state_dict()
    same = {name: name in found and torch.equal(value, found[name]) for name, value in state.items()}
    assert all(same[name] or torch.equal(value, drawn[name]) for name, value in state.items())
    return same


def test_a_layer_starts_from_a_file_and_the_others_do_not(tmp_path: Path) -> None:
    file = weights(tmp_path)
    for layer in NET["layers"]:
        same = changed(lvmc.compile(given(**{layer: str(file)})), file)
        assert {name for name, taken in same.items() if taken} == {n for n in same if n.startswith(f"{layer}.")}


def test_what_a_file_lacks_besides_filters_starts_as_drawn(tmp_path: Path) -> None:
    file = weights(tmp_path, "h2.bias", "h2.diagonal", "h2.lateral")
    same = changed(lvmc.compile(given(h2=str(file))), file)
    assert [name for name, taken in same.items() if taken] == ["h2.weight"]


def test_outputs_follow_the_file(tmp_path: Path) -> None:
    file = weights(tmp_path)
    whole, parts = lvmc.compile(NET), lvmc.compile(given(h1=str(file), h2=str(file), h3=str(file)))
    taken = take_weights(whole, file)
    assert set(taken.taken) == set(whole.state_dict())
    assert (taken.unfit, taken.unused, taken.kept) == ({}, (), ())
    image = torch.rand(2, 1, 8, 8)
    for name, value in whole.latents(image).items():
        assert torch.equal(parts.latents(image)[name], value)


@pytest.mark.parametrize(
    ("drop", "add", "said"),
    [
        (("h2.weight",), {}, "has no 'h2.weight'"),
        ((), {"h2.weight": torch.zeros(3, 2, 5, 5)}, r"'h2.weight' is \(3, 2, 5, 5\) in the file and \(3, 2, 3, 3\)"),
        ((), {"h2.weight_p1": torch.zeros(1)}, "'h2.weight_p1', which the layer has not"),
        (("h2.weight", "h2.bias", "h2.diagonal", "h2.lateral"), {}, "nothing of that layer, but h1.bias"),
    ],
)
def test_a_file_that_does_not_fit_is_refused(tmp_path: Path, drop: Any, add: Any, said: str) -> None:
    file = weights(tmp_path, *drop, **add)
    with pytest.raises(ValueError, match=said) as caught:
        lvmc.compile(given(h2=str(file)))
    assert str(caught.value).startswith(f"{file} does not fit layer 'h2'")


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such file"):
        lvmc.compile(given(h2=str(tmp_path / "w.safetensors")))
    (tmp_path / "w.safetensors").write_bytes(b"no weights")
    with pytest.raises(ValueError, match="is no safetensors file"):
        lvmc.compile(given(h2=str(tmp_path / "w.safetensors")))


def test_a_model_takes_what_fits_and_says_what_does_not(tmp_path: Path) -> None:
    file = weights(tmp_path, "h1.bias", **{"h2.bias": torch.zeros(7), "h9.bias": torch.zeros(1)})
    taken = take_weights(model := lvmc.compile(NET), file)
    assert taken.unfit == {"h2.bias": ((3,), (7,))}
    assert (taken.unused, taken.kept) == (("h9.bias",), ("h1.bias",))
    assert {name for name, same in changed(model, file).items() if same} == set(taken.taken)
    save_file({"a": torch.zeros(1)}, file)
    with pytest.raises(ValueError, match="holds no value of the model's names and shapes; it has a"):
        take_weights(model, file)


def test_a_folder_with_weights_needs_the_file_no_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from lvmc.cli import app

    monkeypatch.chdir(tmp_path)
    file = weights(tmp_path)
    (tmp_path / "net.yaml").write_text(json.dumps(given(h1="w.safetensors")), encoding="utf-8")
    assert CliRunner().invoke(app, ["compile", "net.yaml", "-o", "out", "--weights"]).exit_code == 0
    monkeypatch.chdir(tmp_path / "out")
    first = lvmc.compile(tmp_path / "net.yaml").state_dict()
    file.rename(tmp_path / "elsewhere.safetensors")
    opened = lvmc.open(tmp_path / "out").state_dict()
    assert all(torch.equal(value, first[name]) for name, value in opened.items())
