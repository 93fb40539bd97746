"""`--set train.epochs=5`: values changed from outside, and mistakes in them shown where they are written."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from lvmc import SpecError, load
from lvmc.errors import Span
from lvmc.loading import resolve
from lvmc.source import Document, parse
from lvmc.spec import Train
from lvmc.spec.override import overridden
from lvmc.values import at

TEXT = """
lvmc: 1
name: example
inputs: {image: {channels: 3, size: 32}}
layers: {h1: {channels: 4, filter: 3}}
heads: {keypoints: {kind: heatmap, channels: 16, reads: h1}}
train:
  data: figures
  optimizer: sgd
  augment: none
  stages: [{epochs: 2}, {epochs: 3}]
"""
VALUES = parse(TEXT, "example").values


def trained(*changes: str, values: Any = None) -> Train:
    """The `train` of the text with changes, which is that of the same values given as a dict."""
    source: Any = StringIO(TEXT) if values is None else values
    found = load(source, changes=changes).train
    assert found is not None
    if values is None:
        assert load(VALUES, changes=changes).train == found
    return found


def refused(*changes: str, values: Any = None) -> SpecError:
    with pytest.raises(SpecError) as caught:
        load(StringIO(TEXT) if values is None else values, changes=changes)
    return caught.value


def test_values_are_read_as_yaml() -> None:
    train = trained("train.batch=8", "train.clip=1e-1", "train.schedule={steps: [1, 2]}", "train.patience=")
    assert (train.batch, train.clip, train.patience) == (8, 0.1, None)
    assert train.schedule != "one-cycle"
    assert train.model_dump()["schedule"] == {"steps": [1, 2], "factor": 0.1}


def test_the_last_change_counts_and_the_rest_stays() -> None:
    train = trained("train.batch=8", "train.batch=9")
    assert train.batch == 9
    assert train.optimizer.kind == "sgd"


def test_the_document_is_left_as_it_is() -> None:
    document = parse(TEXT, "example")
    changed = overridden(document, ["train.data.count=7", "layers.h1.channels=5"])
    assert at(changed.values, ("train", "data")) == {"kind": "figures", "count": 7}
    assert at(document.values, ("layers", "h1", "channels")) == 4
    assert document == parse(TEXT, "example")


def test_short_forms_open_up() -> None:
    train = trained("train.data.count=7", "train.optimizer.rate=0.5", "train.augment.flip=0.5")
    assert (train.data.kind, train.data.model_dump()["count"]) == ("figures", 7)
    assert (train.optimizer.kind, train.optimizer.rate) == ("sgd", 0.5)
    assert (train.augment.flip, train.augment.rotate) == (0.5, 0.0)


def test_sections_are_made() -> None:
    values = {key: value for key, value in VALUES.items() if key != "train"}
    assert trained("train.evaluate.pck=0.2", values=values).evaluate.pck == 0.2
    assert trained("train.data.count=7", values=values).data.model_dump()["count"] == 7
    assert trained("train.optimizer.rate=1", values=values | {"train": None}).optimizer.kind == "adam"


def test_entries_of_lists_go_by_number() -> None:
    assert [stage.epochs for stage in trained("train.stages.1.epochs=9").stages] == [2, 9]
    assert "cannot be set" in str(refused("train.stages.2.epochs=9"))


def test_rates_have_dots_in_their_names() -> None:
    train = trained("train.rates.heads.keypoints.h1=0.1", "train.rates.h1=0")
    assert train.rates == {"heads.keypoints.h1": 0.1, "h1": 0.0}


@pytest.mark.parametrize(
    ("change", "column", "said"),
    [
        ("train.batch=many", 13, "'batch' should be a whole number"),
        ("train.btch=3", 7, "unknown key 'btch' in 'train'"),
        ("train.stages=[{epochs: 2}, {epoch: 3}]", 29, "unknown key 'epoch' in stage 2"),
        ("train.targets.points.radius=1", 15, "no head is named 'points'"),
        ("train.data={kind: coco, images: a}", 7, "needs 'annotations'"),
        ("train.epochs=3", 7, "each stage has its own epochs"),
        ("train.batch.size=3", 13, "cannot be set: train.batch is 3 there"),
        ("train.data={", 12, "the text ends inside brackets"),
        ("train.batch=[1, {a: 2]", 13, "not YAML"),
        ("layers.h2.channels=3", 8, "layer 'h2' needs 'filter'"),
    ],
)
def test_mistakes_are_shown_in_the_text_of_the_change(change: str, column: int, said: str) -> None:
    changes = ("train.batch=3", change) if "batch.size" in change else (change,)
    for values in (None, VALUES):
        problems = refused(*changes, values=values).problems
        [problem] = [each for each in problems if said in each.fault]
        assert isinstance(problem.place, Span)
        assert problem.place.file == "--set"
        assert problem.place.text == change
        assert problem.remedy


@pytest.mark.parametrize("change", ["train", "train.epochs", "=5", "train..epochs=5", ".epochs=5", " train.epochs=5"])
def test_a_text_that_is_no_change_is_refused(change: str) -> None:
    error = refused(change, "train.batch=")
    assert f"--set {change}" in str(error)
    assert "for example train.epochs=5" in str(error)


def test_mistakes_elsewhere_keep_their_place() -> None:
    document = parse(TEXT.replace("batch", "batch").replace("channels: 4", "chanels: 4"), "example.yaml")
    with pytest.raises(SpecError, match=r"^example.yaml:5:15: unknown key 'chanels'"):
        load(document, changes=["train.batch=3"])


def test_a_spec_in_memory_is_changed_too() -> None:
    spec, graph = resolve(load(VALUES), ["inference.passes=5", "train.batch=3"])
    assert (graph.passes, spec.inference.passes) == (5, 5)
    assert spec.train is not None
    assert spec.train.batch == 3


def test_files_of_a_change_begin_at_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "specs").mkdir()
    (tmp_path / "specs" / "example.yaml").write_text(TEXT.replace("data: figures", "init: a.safetensors"))
    monkeypatch.chdir(tmp_path)
    spec = load("specs/example.yaml", changes=["train.data=faces.npz"])
    assert spec.train is not None
    assert spec.train.data.model_dump()["file"] == str(tmp_path / "faces.npz")
    assert spec.train.init == str(tmp_path / "specs" / "a.safetensors")


def test_nothing_is_changed_by_nothing() -> None:
    document = Document("example", VALUES)
    assert overridden(document, []).values == VALUES
