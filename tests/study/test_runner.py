"""What is run: what is missing, once, whatever happened before and whoever else is at it."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import monotonic, sleep

import pytest

from lvmc.study import Outcome, run_study
from lvmc.study.kept import claim
from lvmc.study.plan import read_plan

from .conftest import Write
from .fakes import LOG, dying, failing, interrupted, quick, slow


def log(out: Path) -> list[tuple[str, str]]:
    """What was done with which run, in this order."""
    lines = (out / LOG).read_text().splitlines() if (out / LOG).is_file() else []
    return [(word, f"{variant[:-1]} {seed}") for word, variant, _, seed, *_ in (line.split() for line in lines)]


def states(outcome: Outcome) -> dict[str, str]:
    return {f"{each.run.variant} {each.run.seed}": each.state for each in outcome.results}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_a_study_is_run_and_told(study_file: Write, out: Path) -> None:
    told: list[float] = []
    said: list[str] = []
    found = run_study(study_file(), out, run_one=quick, tell=lambda _, share: told.append(share), say=said.append)
    assert found.whole
    assert log(out) == [("made", f"QP{k} {seed}") for seed in (0, 1, 2) for k in (1, 2)]
    assert told == sorted(told)
    assert told[-1] == 1
    assert said.pop(0) == "QP1, seed 0: 2 samples were skipped"
    assert said[:2] == [
        "[1/6] QP1, seed 0: done, 0 s",
        "[2/6] QP2, seed 0: done, 0 s",
    ]
    assert {file.name for file in found.files} == {"table.md", "table.csv", "runs.csv", "study.json"}


def test_only_what_is_missing_is_run(study_file: Write, out: Path) -> None:
    run_study(study_file("[0, 1, 2]", "[0, 1]"), out, run_one=quick)
    before = (out / LOG).read_text()
    run_study(study_file("[0, 1, 2]", "[0, 1]"), out, run_one=quick)
    assert (out / LOG).read_text() == before
    found = run_study(study_file(), out, run_one=quick)
    assert log(out)[4:] == [("made", "QP1 2"), ("made", "QP2 2")]
    assert found.whole


def test_a_changed_spec_is_run_again_and_the_old_one_kept(study_file: Write, out: Path) -> None:
    first = run_study(study_file("[0, 1, 2]", "[0]"), out, run_one=quick)
    run_study(study_file("[0, 1, 2]", "[0]", "passes: 2", "passes: 3"), out, run_one=quick)
    assert log(out)[2:] == [("made", "QP2 0")]
    again = run_study(study_file("[0, 1, 2]", "[0]"), out, run_one=quick)
    assert len(log(out)) == 3
    assert again.results == first.results


@pytest.mark.parametrize("change", [{"digest": "0" * 64}, {"evaluate": ["validation"]}, None])
def test_figures_of_something_else_do_not_count(study_file: Write, out: Path, change: dict[str, object] | None) -> None:
    found = run_study(study_file("[0, 1, 2]", "[0]"), out, run_one=quick)
    file = found.results[0].folder / "figures.json"
    file.write_text("{" if change is None else json.dumps(json.loads(file.read_text()) | change))
    assert run_study(study_file("[0, 1, 2]", "[0]"), out, run_one=quick).whole
    assert log(out)[2:] == [("made", "QP1 0")]


def test_an_interrupted_run_goes_on_where_it_was(study_file: Write, out: Path) -> None:
    file = study_file("[0, 1, 2]", "[0]")
    with pytest.raises(KeyboardInterrupt):
        run_study(file, out, run_one=interrupted)
    assert states(run_study(file, out, run_one=interrupted, table_only=True)) == {"QP1 0": "done", "QP2 0": "missing"}
    assert run_study(file, out, run_one=interrupted).whole
    assert log(out) == [("made", "QP1 0"), ("resumed", "QP2 0")]


def test_a_failure_is_kept_and_the_others_go_on(study_file: Write, out: Path) -> None:
    said: list[str] = []
    found = run_study(study_file(), out, run_one=failing, say=said.append)
    assert not found.whole
    assert [name for name, state in states(found).items() if state != "done"] == ["QP1 1"]
    assert "QP1, seed 1: failed, FloatingPointError: the loss is nan in step 12" in said[2]
    assert any("the loss is nan in step 12" in text for text in found.summary.remarks)
    kept = json.loads((found.results[2].folder / "failed.json").read_text())
    assert any("raise FloatingPointError" in line for line in kept["trace"])
    assert found.summary.differences[0].paired.n == 2
    mended = run_study(study_file(), out, run_one=quick)
    assert log(out)[6:] == [("made", "QP1 1")]
    assert mended.whole
    assert not (found.results[2].folder / "failed.json").exists()


def test_processes_share_the_runs(study_file: Write, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each run is made once, by two processes of their own threads; a failure is not tried twice."""
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    found = run_study(study_file(), out, run_one=failing, jobs=2)
    assert sorted(log(out)) == [("tried", f"QP{k} {seed}") for k in (1, 2) for seed in (0, 1, 2)]
    assert {line.split()[-1] for line in (out / LOG).read_text().splitlines()} == {"3"}
    assert states(found)["QP1 1"] == "failed"


def test_a_process_that_dies_costs_one_run(study_file: Write, out: Path) -> None:
    found = run_study(study_file("[0, 1, 2]", "[0, 1]"), out, run_one=dying, jobs=2)
    assert states(found) == {"QP1 0": "done", "QP2 0": "done", "QP1 1": "failed", "QP2 1": "done"}
    assert any("its process ended with status 3" in text for text in found.summary.remarks)
    assert sorted(set(log(out))) == [("tried", f"QP{k} {seed}") for k in (1, 2) for seed in (0, 1)]


def test_two_studies_share_a_folder(study_file: Write, out: Path) -> None:
    """No run is made twice by two that are at it at once, and each has its part."""
    file = study_file()
    other = get_context("spawn").Process(target=_run, args=(file, out))
    other.start()
    until = monotonic() + 30
    while not (out / "runs").exists() and monotonic() < until:
        sleep(0.01)
    run_study(file, out, run_one=slow)
    other.join()
    assert other.exitcode == 0
    assert len({line.split()[-2] for line in (out / LOG).read_text().splitlines()}) == 2
    assert sorted(log(out)) == [("made", f"QP{k} {seed}") for k in (1, 2) for seed in (0, 1, 2)]
    assert run_study(file, out, run_one=quick, table_only=True).whole


def _run(file: Path, out: Path) -> None:
    run_study(file, out, run_one=slow)


def test_what_another_process_is_at_is_left_to_it(study_file: Write, out: Path) -> None:
    file = study_file("[0, 1, 2]", "[0]")
    with claim(read_plan(file).runs[0], out) as mine:
        assert mine
        (out / "study.json").write_text('{"name": "tiny"}')
        found = run_study(file, out, run_one=quick)
    assert states(found) == {"QP1 0": "under way", "QP2 0": "done"}
    assert found.whole
    assert any("under way in another process: QP1, seed 0" in text for text in found.summary.remarks)
    assert run_study(file, out, run_one=quick).whole
    assert log(out) == [("made", "QP2 0"), ("made", "QP1 0")]


@pytest.mark.parametrize("fill", ["a file", "another study", "something else"])
def test_other_folders_are_left_alone(study_file: Write, out: Path, fill: str) -> None:
    make: dict[str, Callable[[], object]] = {
        "a file": lambda: out.write_text(""),
        "another study": lambda: (out.mkdir(), (out / "study.json").write_text('{"name": "faces"}')),
        "something else": lambda: (out.mkdir(), (out / "thesis.tex").write_text("")),
    }
    make[fill]()
    run = partial(run_study, study_file(), out, run_one=quick)
    with pytest.raises(FileExistsError, match="name another"):
        run()
