"""A study as runs: variants, products of axes, and what a digest tells apart."""

from __future__ import annotations

from pathlib import Path

from lvmc.study.plan import Run, read_plan

from .conftest import Write

GRID = """grid:
  name: "QP{k}_{norm}"
  axes:
    k: {inference.passes: [1, 2]}
    norm: {layers.h1.norm: [drive, message], layers.h2.norm: [message, drive]}
variants:
  plain: {set: {train.epochs: 7}}
"""
VARIANTS = "variants:\n  QP1: {set: {inference.passes: 1}}\n  QP2: {set: {inference.passes: 2}}\n"
COMPARE = "  compare: [[QP2, QP1]]\n"


def runs(file: Path) -> dict[str, Run]:
    return {run.name: run for run in read_plan(file).runs}


def digests(file: Path) -> list[str]:
    return [run.digest for run in read_plan(file).runs]


def test_every_variant_runs_from_every_seed(study_file: Write) -> None:
    found = runs(study_file())
    assert list(found) == [f"QP{k}, seed {seed}" for seed in (0, 1, 2) for k in (1, 2)]
    last = found["QP2, seed 2"].spec
    assert last.train is not None
    assert (last.inference.passes, last.train.epochs, last.train.seed) == (2, 3, 2)
    assert len({run.digest for run in found.values()}) == 6


def test_a_variant_changes_what_all_have(study_file: Write) -> None:
    file = study_file("QP1: {set: {inference.passes: 1}}", "QP1: {set: {train.epochs: 9}}")
    epochs = [run.spec.train.epochs for run in read_plan(file).runs[:2] if run.spec.train]
    assert epochs == [9, 3]


def test_a_grid_is_a_product(study_file: Write) -> None:
    found = runs(study_file(VARIANTS, GRID, COMPARE, "", "[0, 1, 2]", "[4]"))
    assert [run.variant for run in found.values()] == [
        "plain",
        *(f"QP{k}_{n}" for k in (1, 2) for n in ("drive", "message")),
    ]
    run = found["QP2_message, seed 4"].spec
    kinds = [layer.norm.kind if layer.norm else None for layer in run.layers.values()]
    assert (run.inference.passes, kinds) == (2, ["message", "drive"])


def test_short_forms_are_opened(study_file: Write) -> None:
    found = read_plan(study_file("{train.epochs: 3}", "{train.data.count: 64, train.optimizer.rate: 0.5}"))
    train = found.runs[0].spec.train
    assert train is not None
    assert (train.data.kind, train.optimizer.kind, train.optimizer.rate) == ("figures", "adam", 0.5)


def test_parameters_have_dots_in_their_names(study_file: Write) -> None:
    train = read_plan(study_file("{train.epochs: 3}", "{train.rates.heads.points.h1: 0.1}")).runs[0].spec.train
    assert train is not None
    assert train.rates == {"heads.points.h1": 0.1}


def test_files_belong_to_whoever_names_them(study_file: Write, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    file = study_file(
        "QP1: {set: {inference.passes: 1}}",
        "QP1: {spec: other/tiny.yaml}",
        "2}}",
        "2, train.data: mine.npz, train.augment: none}}",
    )
    (tmp_path / "other" / "tiny.yaml").write_text(
        (tmp_path / "tiny.yaml").read_text() + "train: {data: faces.npz, augment: none}\n"
    )
    theirs, mine = (run.spec.train.data for run in read_plan(file).runs[:2] if run.spec.train)
    assert theirs.kind == mine.kind == "npz"
    assert (theirs.file, mine.file) == (str(tmp_path / "other" / "faces.npz"), str(tmp_path / "mine.npz"))


def test_a_spec_of_the_zoo(study_file: Write) -> None:
    assert read_plan(study_file("base: tiny.yaml", "base: qpk_small")).runs[0].spec.name == "qpk_small"


def test_digests_tell_what_is_computed(study_file: Write, tmp_path: Path) -> None:
    before = digests(study_file())
    assert digests(study_file("train.epochs: 3", "train.epochs: 3, train.workers: 2, description: as before")) == before
    assert digests(study_file("train.epochs: 3", "train.epochs: 3, train.batch: 32")) == before, (
        "a default, written out"
    )
    assert not set(digests(study_file("train.epochs: 3", "train.epochs: 4"))) & set(before)
    changed = digests(study_file("passes: 2", "passes: 3"))
    assert [old == new for old, new in zip(before, changed, strict=True)] == [True, False] * 3


def test_digests_stay_when_a_project_moves(study_file: Write, tmp_path: Path) -> None:
    before = digests(study_file("train.epochs: 3", "train.data: arrays/faces.npz, train.augment: none"))
    moved = tmp_path / "moved"
    moved.mkdir()
    for name in ("tiny.yaml", "study.yaml"):
        (moved / name).write_text((tmp_path / name).read_text())
    assert digests(moved / "study.yaml") == before
