"""`lvmc study`: its table, its exit status, and how it reports mistakes."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from lvmc.study import run_study

from ..study.conftest import SPEC, STUDY
from ..study.fakes import LOG, failing, quick
from .conftest import Call


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A study, whose runs train nothing."""
    monkeypatch.setattr("lvmc.study.run_study", partial(run_study, run_one=quick))
    (tmp_path / "tiny.yaml").write_text(SPEC)
    (tmp_path / "study.yaml").write_text(STUDY)
    return tmp_path / "study.yaml"


def test_a_study_prints_its_table(lvmc_command: Call, tmp_path: Path, file: Path) -> None:
    done = lvmc_command("study", file, "-o", "out")
    assert done.status == 0
    assert "Does feedback help?" in done.out
    assert "QP2 − QP1" in done.out
    assert "[6/6] QP2, seed 2: done" in done.err
    again = lvmc_command("study", file, "-o", "out")
    assert again.status == 0
    assert again.err == "6 of 6 runs are done already\n"
    assert again.out == done.out
    assert (tmp_path / "out" / "table.md").is_file()


def test_table_makes_no_runs(lvmc_command: Call, tmp_path: Path, file: Path) -> None:
    done = lvmc_command("study", file, "-o", "out", "--table")
    assert done.status == 0
    assert "6 of 6 runs not made yet" in done.out
    assert not (tmp_path / "out" / LOG).exists()


def test_json_is_one_document(lvmc_command: Call, file: Path) -> None:
    document = lvmc_command("study", file, "-o", "out", "--json").document
    assert {run["state"] for run in document["runs"]} == {"done"}
    assert [Path(name).name for name in document["files"]] == ["table.md", "table.csv", "runs.csv", "study.json"]


def test_a_failed_run_ends_with_1(lvmc_command: Call, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lvmc.study.run_study", partial(run_study, run_one=failing))
    done = lvmc_command("study", file, "-o", "out")
    assert done.status == 1
    assert "QP1, seed 1 failed: FloatingPointError" in done.out
    assert "QP2 − QP1" in done.out
    assert lvmc_command("study", file, "-o", "out", "--table").status == 0


def test_mistakes_are_reported(lvmc_command: Call, tmp_path: Path, file: Path) -> None:
    file.write_text(STUDY.replace("train.epochs: 3", "train.epoch: 3"))
    done = lvmc_command("study", file, "-o", "out")
    assert done.status == 1
    assert "study.yaml:5:7: unknown key 'epoch' in 'train'" in done.err
    assert "did you mean 'epochs'?" in done.err
    assert not (tmp_path / "out").exists()
    missing = lvmc_command("study", "none.yaml", "-o", "out")
    assert (missing.status, missing.err) == (1, "lvmc: no study is called 'none.yaml': write one as in docs/study.md\n")
