"""Files that a spec names: relative paths begin at the folder of the spec, wherever it is read from."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from lvmc import dump, load

HEADS = {
    "keypoints": {"kind": "heatmap", "channels": 3, "reads": "h1", "points": {"flip": [1, 0, 2]}},
    "parts": {"kind": "segmentation", "channels": 2, "reads": "h1"},
}
COCO = {
    "kind": "coco",
    "images": "train",
    "annotations": "train.json",
    "validation": {"images": "val", "annotations": "val.json"},
    "test": 0.1,
}


def values_of(train: dict[str, Any], init: Any = "he") -> dict[str, Any]:
    layers = {"h1": {"channels": 2, "filter": 3, "init": init}}
    inputs = {"image": {"channels": 1, "size": 8}}
    return {"lvmc": 1, "name": "example", "inputs": inputs, "layers": layers, "heads": HEADS, "train": train}


def read(folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    """The values of the spec, once read from a file in `folder`, which its dump gives again."""
    file = folder / "example.yaml"
    file.write_text(json.dumps(values), encoding="utf-8")
    spec = load(file)
    assert load(StringIO(dump(spec))) == spec
    return spec.model_dump(mode="python", exclude_unset=True, by_alias=True)


@pytest.mark.parametrize(
    ("data", "wanted"),
    [
        ("faces.npz", "{}/faces.npz"),
        ({"kind": "npz", "file": "../faces.npz", "images": "frames"}, {"file": "{}/../faces.npz", "images": "frames"}),
        (
            COCO,
            {
                "images": "{}/train",
                "annotations": "{}/train.json",
                "validation": {"images": "{}/val", "annotations": "{}/val.json"},
                "test": 0.1,
            },
        ),
        (
            {"kind": "masks", "images": "a", "masks": "/b", "validation": "val.txt", "test": 0.1},
            {"images": "{}/a", "masks": "/b", "validation": "{}/val.txt", "test": 0.1},
        ),
        ("figures", "figures"),
    ],
)
def test_data_begin_at_the_folder_of_the_spec(tmp_path: Path, data: Any, wanted: Any) -> None:
    found = read(tmp_path, values_of({"data": data}))["train"]["data"]
    placed = json.loads(json.dumps(wanted).replace("{}/", f"{tmp_path}/"))
    assert found == ({"kind": data["kind"], **placed} if isinstance(data, dict) else placed)


@pytest.mark.parametrize("init", ["a.safetensors", {"file": "a.safetensors", "bias": {"normal": 0.1}}])
def test_weights_begin_at_the_folder_of_the_spec(tmp_path: Path, init: Any) -> None:
    found = read(tmp_path, values_of({"init": "all.safetensors"}, init))
    assert found["train"]["init"] == str(tmp_path / "all.safetensors")
    layer = found["layers"]["h1"]["init"]
    assert (layer if isinstance(init, str) else layer["file"]) == str(tmp_path / "a.safetensors")


def test_a_spec_without_a_file_keeps_its_paths() -> None:
    train = load(values_of({"data": "faces.npz"})).train
    assert train is not None
    assert train.data.model_dump()["file"] == "faces.npz"


def test_what_names_no_file_is_left_alone(tmp_path: Path) -> None:
    """Words that are mistakes are shown as they were written."""
    for train, init in (
        ({"data": {"kind": "nps", "file": "a"}}, "he"),
        ({"init": "a.pth"}, "hee"),
        ({"data": 3}, "he"),
    ):
        file = tmp_path / "example.yaml"
        file.write_text(json.dumps(values_of(train, init)), encoding="utf-8")
        with pytest.raises(ValueError, match=r"example.yaml:1:") as caught:
            load(file)
        assert f"{tmp_path}/a" not in str(caught.value).replace(f"{file}", "")
