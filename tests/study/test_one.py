"""A run that trains: its figures, its curves, and other sets later without training again."""

from __future__ import annotations

from pathlib import Path

import lvmc
from lvmc.study import run_study

from .conftest import Write

DATA = "train.data: {kind: figures, count: 8, validation: 4, test: 4}, train.batch: 4, train.epochs: 1"


def test_real_runs(study_file: Write, tmp_path: Path) -> None:
    edits = ("train.epochs: 3", DATA, "[0, 1, 2]", "[1]", "test/points/nme", "test/points/nme_visible")
    file = study_file(*edits)
    spec = tmp_path / "tiny.yaml"
    spec.write_text(
        spec.read_text()
        .replace("size: [8, 8]", "size: [16, 16]")
        .replace("heatmap, channels: 2", "heatmap, channels: 16")
    )
    plot = "  plot: {kind: curve, curves: {test/points/pck_visible: visible points}}\n"
    file.write_text(file.read_text() + plot)
    found = run_study(file, tmp_path / "out")
    assert found.whole, found.summary.remarks
    assert (tmp_path / "out" / "curve.png") in found.files
    first = found.results[0]
    assert first.figures["test/points/nme_visible"] > 0
    weights = first.folder / "weights.safetensors"
    assert list(lvmc.open(first.folder).state_dict())
    before = weights.stat().st_mtime_ns
    file.write_text(
        file.read_text().replace("seeds:", "evaluate: [validation]\nseeds:").replace("test/", "validation/")
    )
    again = run_study(file, tmp_path / "out")
    assert again.whole
    assert all(name.startswith("validation/") for name in again.results[0].figures)
    assert weights.stat().st_mtime_ns == before
