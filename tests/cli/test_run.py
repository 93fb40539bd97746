"""`lvmc run`: pictures and numbers of a run, from specs and from compiled folders."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

import lvmc

from .conftest import Call

SMALL = """
lvmc: 1
name: small
inputs: {image: {channels: 3, size: [16, 24], normalize: {range: 255, mean: [0.5, 0.5, 0.5], std: [0.2, 0.2, 0.2]}}}
layers:
  h1: {channels: 4, filter: 3, nms: 2}
  h2: {channels: 6, filter: 3}
heads:
  points: {kind: heatmap, channels: 3, reads: [h2, h1], at: each}
  parts: {kind: segmentation, channels: 2, classes: [figure, ground], reads: h1}
  scene: {kind: classes, outputs: 5, reads: h2}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A small spec with a head of every kind."""
    path = tmp_path / "small.yaml"
    path.write_text(SMALL)
    return path


def test_a_run_writes_heads_latents_and_trace(lvmc_command: Call, tmp_path: Path, spec: Path, photo: Path) -> None:
    done = lvmc_command("run", spec, photo, "-o", "out")
    assert done.status == 0
    assert "not trained" in done.err
    assert "resized from 40×30 to 16×24" in done.out
    out = tmp_path / "out"
    pictures = {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    heads = {"heads/points_p1.png", "heads/points_p2.png", "heads/parts.png", "heads/scene.png"}
    assert pictures == heads | {"latents/h1.png", "latents/h2.png", "trace.png"}
    for picture in pictures:
        assert min(Image.open(out / picture).size) > 200
    assert {name: each.shape for name, each in np.load(out / "latents.npz").items()} == {
        "h1": (4, 16, 24),
        "h2": (6, 8, 12),
    }
    assert np.load(out / "heads.npz")["points"].shape == (2, 3, 16, 24)
    rows = list(csv.DictReader((out / "trace.csv").open()))
    assert [row["layer"] for row in rows] == ["", "h1", "h2", "h2", "h1"]
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores)


def test_a_run_is_the_model_on_the_normalized_picture(
    lvmc_command: Call, tmp_path: Path, spec: Path, photo: Path
) -> None:
    lvmc_command("compile", spec, "-o", "net", "--weights")
    document = lvmc_command("run", "net", photo, "-o", "out", "--json").document
    assert document["weights"] == "net/weights.safetensors"
    with Image.open(photo) as image:
        pixels = np.asarray(image.resize((24, 16), Image.Resampling.BICUBIC), np.float32)
    values = torch.from_numpy((pixels / 255 - 0.5) / 0.2).permute(2, 0, 1)[None]
    with torch.no_grad():
        wanted = lvmc.open(tmp_path / "net").eval()(values)
    found = np.load(tmp_path / "out" / "heads.npz")
    for name in ("parts", "scene"):
        assert np.allclose(found[name], wanted[name][0].numpy(), atol=1e-5)


def test_a_run_looked_into(lvmc_command: Call, tmp_path: Path, spec: Path, photo: Path) -> None:
    """Layers by pass, heads with messages silenced and gradients: pictures and numbers, besides all else."""
    done = lvmc_command("run", spec, photo, "-o", "out", "--inside")
    assert done.status == 0
    assert "inside/*.png" in done.out
    out = tmp_path / "out"
    pictures = {path.name for path in (out / "inside").glob("*.png")}
    heads = {f"{name}_silenced.png" for name in ("points", "parts", "scene")}
    assert pictures == heads | {"h1_by_pass.png", "h2_by_pass.png", "gradients.png"}
    for picture in pictures:
        assert min(Image.open(out / "inside" / picture).size) > 200
    found, latents, read = np.load(out / "inside.npz"), np.load(out / "latents.npz"), np.load(out / "heads.npz")
    for name in ("h1", "h2"):
        assert found[f"activations/{name}"].shape == (2, *latents[name].shape)
        assert np.allclose(found[f"activations/{name}"][-1], latents[name], atol=1e-5)
    assert np.allclose(found["silenced/parts/all messages"], read["parts"], atol=1e-5)
    assert not np.allclose(found["silenced/parts/top-down silenced"], read["parts"], atol=1e-5)
    assert found["gradients/norms"].shape == (2, 2)
    assert (found["gradients/sum"] > 0).all()


def test_json_is_what_the_folder_notes(lvmc_command: Call, tmp_path: Path, photo: Path) -> None:
    document = lvmc_command("run", "two_layer", photo, "-o", "out", "--json").document
    noted = json.loads((tmp_path / "out" / "run.json").read_text())
    assert noted.pop("files")
    assert noted == document
    assert document["given"]["x"]["remarks"] == ["resized from 40×30 to 16×16", "RGB made L", "pixels divided by 255"]
    assert document["updates"] == 4


def test_another_size(lvmc_command: Call, tmp_path: Path, photo: Path) -> None:
    lvmc_command("run", "two_layer", photo, "-o", "out", "--size", "20x8")
    assert np.load(tmp_path / "out" / "latents.npz")["h1"].shape == (8, 20, 8)
    done = lvmc_command("run", "two_layer", photo, "-o", "other", "--size", "20")
    assert (done.status, done.err) == (1, "lvmc: --size 20: write height x width, for example 224x320\n")


def test_given_layers_and_masks(lvmc_command: Call, tmp_path: Path) -> None:
    lvmc_command("compile", "generator", "-o", "net", "--clamp", "image:mask")
    label, image, mask = (
        np.zeros((10, 1, 1), np.float32),
        np.full((1, 28, 28), 0.5, np.float32),
        np.zeros((1, 28, 28), bool),
    )
    mask[:, :14] = True
    for name, array in (("label", label), ("image", image), ("mask", mask)):
        np.save(tmp_path / f"{name}.npy", array)
    given = ("--given", "image=image.npy", "--given", "image_mask=mask.npy")
    assert lvmc_command("run", "net", "label.npy", *given, "-o", "out").status == 0
    found = np.load(tmp_path / "out" / "latents.npz")["image"]
    assert (found[:, :14] == 0.5).all()
    assert not (found[:, 14:] == 0.5).any()
    done = lvmc_command("run", "net", "label.npy", "-o", "other")
    assert done.status == 1
    assert "takes --given NAME=FILE for image, image_mask" in done.err


@pytest.mark.usefixtures("spec", "photo")
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("two_layer",), "takes 1 file (x), one for each input, not 0"),
        (("stereo", "photo.png"), "takes 2 files (left, right)"),
        (("nnls", "photo.png"), "24 channels, which no picture fills"),
        (("two_layer", "none.png"), "none.png: No such file or directory"),
        (("two_layer", "small.yaml"), "cannot identify image file"),
        (("two_layer", "photo.png", "--given", "h1=photo.png"), "takes no --given"),
        (("two_layer", "photo.png", "--given", "h1"), "NAME=FILE"),
        (("qp_faces", "photo.png", "--size", "30x30"), "windows of 2×2 do not divide"),
        (("empty", "photo.png"), "empty is not a compiled folder"),
    ],
)
def test_what_does_not_fit_is_reported(lvmc_command: Call, tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    (tmp_path / "empty").mkdir()
    done = lvmc_command("run", *words, "-o", "out")
    assert (done.status, done.out) == (1, "")
    assert said in done.err
    assert not (tmp_path / "out").exists()


def test_a_foreign_folder_is_refused(lvmc_command: Call, tmp_path: Path, photo: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("ten years")
    assert lvmc_command("run", "two_layer", photo, "-o", "out").status == 1
    assert (tmp_path / "out" / "thesis.tex").read_text() == "ten years"


def test_a_run_takes_a_backend(lvmc_command: Call, spec: Path, photo: Path) -> None:
    """The numbers are the same, and what cannot be had is told."""
    plain = lvmc_command("run", spec, photo, "-o", "out", "--json", "--backend", "eager").document
    with pytest.warns(UserWarning, match="Small runs eagerly: backend='cudagraph' needs"):
        done = lvmc_command("run", spec, photo, "-o", "other", "--json", "--backend", "cudagraph")
    assert done.document["heads"] == plain["heads"]
    assert lvmc_command("run", spec, photo, "-o", "third", "--backend", "fast").status == 2


LOOP = """
lvmc: 1
name: loop
state: {pose: {points: 4}}
inputs:
  image: {channels: 1, size: [16, 16]}
  seen: {render: pose, as: gaussian, sigma: 2.0, extra: [marker]}
layers:
  h1: {channels: 4, filter: 3, nms: 2}
  h2: {channels: 6, filter: 3}
heads:
  correction: {kind: vector, reads: h2, outputs: 8}
feedback: {update: {pose: {add: correction}}, steps: 3}
"""


def test_a_run_of_steps_writes_where_they_went(lvmc_command: Call, tmp_path: Path, photo: Path) -> None:
    (tmp_path / "loop.yaml").write_text(LOOP)
    start = np.arange(8, dtype=np.float32).reshape(4, 2)
    np.save(tmp_path / "marker.npy", np.asarray([5.0, 6.0]))
    np.save(tmp_path / "start.npy", start)
    given = ("--given", "marker=marker.npy", "--given", "pose=start.npy", "--steps", "5")
    done = lvmc_command("run", "loop.yaml", photo, "-o", "out", *given)
    assert done.status == 0, done.err
    assert "pose moves by at most" in done.out
    out = tmp_path / "out"
    pictures = {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    assert pictures == {"heads/correction.png", "states/pose.png", "latents/h1.png", "latents/h2.png"}
    pose, corrections = np.load(out / "states.npz")["pose"], np.load(out / "heads.npz")["correction"]
    assert np.array_equal(pose[0], start)
    assert np.allclose(np.diff(pose, axis=0).reshape(5, 8), corrections, atol=1e-6)
    rows = list(csv.DictReader((out / "steps.csv").open()))
    assert [row["step"] for row in rows] == ["1", "2", "3", "4", "5"]
    largest = np.linalg.norm(np.diff(pose, axis=0), axis=2).max(1)
    assert [float(row["largest_move"]) for row in rows] == pytest.approx(largest.tolist(), rel=1e-4)
    assert json.loads((out / "run.json").read_text())["moves"]["pose"] == pytest.approx(largest.tolist())
    checked = lvmc_command("check", "loop.yaml", "--image", photo, *given[:2], "-o", "page.html")
    assert checked.status == 0, checked.err
    page = (tmp_path / "page.html").read_text()
    assert "How the steps went" in page
    assert '<figure id="moves"' in page
    assert "largest move" in page


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((), "takes --given NAME=FILE for marker, and if you like for pose; there is none"),
        (("--given", "marker=start.npy"), "(4, 2) of float32 does not fill 'marker', which is (2,)"),
        (("--given", "marker=loop.yaml"), "'marker' is read from an .npy array (2,)"),
    ],
)
def test_what_steps_are_given_must_fit(
    lvmc_command: Call, tmp_path: Path, photo: Path, given: tuple[str, ...], told: str
) -> None:
    (tmp_path / "loop.yaml").write_text(LOOP)
    np.save(tmp_path / "start.npy", np.zeros((4, 2), np.float32))
    done = lvmc_command("run", "loop.yaml", photo, "-o", "out", *given)
    assert done.status != 0
    assert told in " ".join(done.err.split())


def test_steps_of_a_model_without_any(lvmc_command: Call, spec: Path, photo: Path) -> None:
    done = lvmc_command("run", spec, photo, "-o", "out", "--steps", "2")
    assert done.status != 0
    assert "small has no outer feedback, so it takes no steps" in " ".join(done.err.split())
