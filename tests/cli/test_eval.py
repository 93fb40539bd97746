"""`lvmc eval`: figures, tables, predictions and pictures of a compiled folder on the samples of its spec."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.random import default_rng
from PIL import Image

from lvmc.evaluation import Evaluation

from .conftest import Call

SMALL = """
lvmc: 1
name: small
inputs: {image: {channels: 3, size: [24, 24]}}
layers:
  h1: {channels: 4, filter: 3, nms: 2}
heads:
  keypoints: {kind: heatmap, channels: 16, reads: h1}
  parts: {kind: segmentation, channels: 5, reads: h1}
train: {data: {kind: figures, count: 6, validation: 3, test: 5, occluders: 0.5}, evaluate: {pck: 0.5}}
"""
POINTS = """
lvmc: 1
name: pointed
inputs: {image: {channels: 1, size: [16, 16]}}
layers: {h1: {channels: 4, filter: 3}}
heads: {keypoints: {kind: heatmap, channels: 2, reads: h1, points: {flip: [1, 0]}}}
train: {data: {kind: coco, images: pictures, annotations: all.json, test: 0.5}, augment: none}
"""


@pytest.fixture
def net(lvmc_command: Call, tmp_path: Path) -> Path:
    """A compiled folder that says what it is trained on."""
    (tmp_path / "small.yaml").write_text(SMALL)
    assert lvmc_command("compile", "small.yaml", "-o", "net", "--weights").status == 0
    return tmp_path / "net"


def test_a_folder_of_tables_predictions_and_pictures(lvmc_command: Call, tmp_path: Path, net: Path) -> None:
    done = lvmc_command("eval", net, "-o", "out", "--pictures", 1)
    assert (done.status, "test: 5 samples; covered: 5 samples" in done.out) == (0, True)
    assert "PCK@0.5, hidden points" in done.out
    out = tmp_path / "out"
    found = Evaluation.from_json((out / "evaluation.json").read_text())
    assert {"test/keypoints/nme", "covered/keypoints/nme_hidden", "test/parts/miou"} <= set(found.figures)
    noted = json.loads((out / "eval.json").read_text())
    assert (noted["split"], noted["samples"], noted["pck"]) == ("test", {"test": 5, "covered": 5}, 0.5)
    pictures = {path for path in noted["files"] if path.startswith("pictures/")}
    assert {"pictures/test/first.png", "pictures/test/first_00000.png", "pictures/covered/worst.png"} <= pictures
    assert len(pictures) == 8
    tables = {"evaluation.json", "figures.csv", "joints.csv", "classes.csv", "table.md", "errors.npz", "curves.png"}
    assert tables | {"precision_recall.png", "predictions.json"} <= set(noted["files"])
    assert len(json.loads((out / "predictions.json").read_text())) == 5
    assert lvmc_command("eval", net, "-o", "out", "--pictures", 0).status == 0
    assert not (out / "pictures").exists()
    assert lvmc_command("eval", net, "-o", net).status == 1


def test_json_of_another_split_and_other_data(lvmc_command: Call, net: Path) -> None:
    document = lvmc_command("eval", net, "--split", "validation", "--json").document
    assert document["samples"] == {"validation": 3}
    assert {name.split("/")[0] for name in document["figures"]} == {"validation"}
    data = "{kind: figures, count: 1, validation: 1, test: 2, seed: 3}"
    other = lvmc_command("eval", net, "--data", data, "--json").document
    assert other["samples"] == {"test": 2, "covered": 2}
    assert other["data"]["seed"] == 3
    assert other["weights"] == f"{net}/weights.safetensors"


def test_mistakes(lvmc_command: Call, net: Path, tmp_path: Path) -> None:
    done = lvmc_command("eval", net, "--data", "{kind: figures, cuont: 3}")
    assert done.status == 1
    assert "cuont" in done.err
    plain = tmp_path / "plain.yaml"
    plain.write_text(SMALL.partition("train:")[0])
    done = lvmc_command("eval", plain)
    assert (done.status, "no train section" in done.err) == (1, True)
    assert lvmc_command("eval", plain, "--data", "{kind: figures, test: 2}").status == 0


def test_coco_data_get_coco_s_own_score(lvmc_command: Call, tmp_path: Path) -> None:
    """Predictions name the pictures of the annotation file, and are scored on those of the split alone."""
    draw, records = default_rng(0), []
    (tmp_path / "pictures").mkdir()
    for number in range(6):
        pixels = draw.integers(0, 256, (40, 30), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{number}.png")
        points = [12.0, 15.0, 2, 18.0, 22.0, 1]
        records.append({
            "id": number + 1, "image_id": 10 + number, "category_id": 1, "bbox": [5, 8, 20, 24], "area": 480.0,
            "keypoints": points, "num_keypoints": 2, "iscrowd": 0,
        })  # fmt: skip
    images = [{"id": 10 + n, "file_name": f"{n}.png", "width": 30, "height": 40} for n in range(6)]
    category = {"id": 1, "name": "person", "keypoints": ["left", "right"], "skeleton": [[1, 2]]}
    document = {"images": images, "annotations": records, "categories": [category]}
    (tmp_path / "all.json").write_text(json.dumps(document))
    (tmp_path / "pointed.yaml").write_text(POINTS)
    done = lvmc_command("eval", "pointed.yaml", "-o", "out", "--json", "--pictures", 1)
    assert done.status == 0
    assert done.document["samples"] == {"test": 3}
    assert 0 <= done.document["figures"]["test/keypoints/oks_ap"] <= 1
    predictions = json.loads((tmp_path / "out" / "predictions.json").read_text())
    assert len({each["image_id"] for each in predictions} & {image["id"] for image in images}) == 3
    for each in predictions:
        x, y = each["keypoints"][0], each["keypoints"][1]
        assert -5 <= x <= 35
        assert -5 <= y <= 45


AGED = """
lvmc: 1
name: aged
inputs: {image: {channels: 1, size: [10, 10]}}
layers: {h1: {channels: 4, filter: 3}}
heads:
  direct: {kind: vector, outputs: 1, reads: h1}
  age: {kind: density, dims: 1, reads: h1, sigmas: [0.5], range: [-3, 3]}
train: {data: {kind: npz, file: ages.npz, values: years}, augment: none}
"""


def test_numbers_and_another_run_that_refines_them(lvmc_command: Call, tmp_path: Path) -> None:
    """With the energy of another model predictions of this one move elsewhere; one that has none is refused."""
    draw = default_rng(0)
    images, split = draw.integers(0, 256, (9, 10, 10), np.uint8), np.repeat([0, 2], [4, 5])
    np.savez(tmp_path / "ages.npz", images=images, split=split, years=draw.normal(size=9))
    (tmp_path / "aged.yaml").write_text(AGED)
    direct = "".join(line for line in AGED.splitlines(keepends=True) if "density" not in line)
    (tmp_path / "direct.yaml").write_text(direct)
    assert lvmc_command("compile", "aged.yaml", "-o", "net", "--weights", "--seed", 4).status == 0
    done = lvmc_command("eval", "aged.yaml", "-o", "out", "--pictures", 2)
    assert (done.status, "mean absolute error, refined" in done.out, "negative log-likelihood" in done.out) == (0, 1, 1)
    assert {"density_age.png", "first_00000.png"} <= {each.name for each in (tmp_path / "out/pictures/test").iterdir()}
    own, other = (
        lvmc_command("eval", "aged.yaml", "--json", *more).document for more in ((), ("--refine-with", "net"))
    )
    assert own["figures"]["test/direct/mae"] == other["figures"]["test/direct/mae"]
    assert own["figures"]["test/direct/mae_refined"] != other["figures"]["test/direct/mae_refined"]
    assert other["refine_with"] == "net"
    assert (
        "test/direct/mae_refined"
        in lvmc_command("eval", "direct.yaml", "--json", "--refine-with", "net").document["figures"]
    )
    done = lvmc_command("eval", "aged.yaml", "--refine-with", "direct.yaml")
    assert (done.status, "has no energy of as many numbers" in done.err) == (1, True)
    (tmp_path / "large.yaml").write_text(AGED.replace("[10, 10]", "[12, 10]"))
    done = lvmc_command("eval", "aged.yaml", "--refine-with", "large.yaml")
    assert (done.status, "takes 1 channels of 12×10, aged 1 of 10×10" in done.err) == (1, True)
