"""`lvmc train`: one command from a spec to a trained folder."""

from __future__ import annotations

from pathlib import Path

import pytest

import lvmc
from lvmc.spec import Spec
from tests.training.small import spec_of, write_set
from tests.training.steps import corrected

from .conftest import Call


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    made = spec_of(write_set(tmp_path / "set.npz"))
    (tmp_path / "small.yaml").write_text(lvmc.dump(made))
    return made


def test_train_changes_resumes_and_reports(lvmc_command: Call, spec: Spec, tmp_path: Path) -> None:
    """`--set` goes into the run's spec; a second run is refused without --resume or --force."""
    words = ("train", "small.yaml", "-o", "run", "--set", "train.epochs=1", "--device", "cpu")
    done = lvmc_command(*words)
    assert done.status == 0
    assert "3 steps" in done.out
    assert "NME" in done.out
    assert "next: lvmc eval run" in done.out
    assert "epoch 1 of 1, loss 0." in done.err
    assert "validation loss" in done.err
    trained = lvmc.load(tmp_path / "run" / "spec.yaml").train
    assert trained is not None
    assert trained.epochs == 1
    refused = lvmc_command(*words)
    assert (refused.status, refused.out) == (1, "")
    assert "--resume" in refused.err
    again = lvmc_command(*words, "--resume", "--json").document
    assert (again["finished"], again["steps"], again["best_epoch"]) == (True, 3, 1)
    assert "validation/keypoints/nme" in again["figures"]
    assert lvmc_command(*words, "--force", "--set", "train.clip=1").status == 0


def test_no_train_section_means_figures(lvmc_command: Call) -> None:
    """Which have 16 points; the message says what to write."""
    done = lvmc_command("train", "qp_faces", "-o", "run")
    assert done.status == 1
    assert "has 68 channels, but the samples have 16 points; write channels: 16; or write train:" in done.err
    assert not Path("run").exists()


def test_a_change_of_nothing_is_shown_at_its_place(lvmc_command: Call, spec: Spec) -> None:
    done = lvmc_command("train", "small.yaml", "--set", "train.epoch=3")
    assert done.status == 1
    assert "--set:1:7" in done.err
    assert "did you mean 'epochs'" in done.err


def test_outer_feedback_is_trained_and_judged_step_by_step(lvmc_command: Call, tmp_path: Path) -> None:
    (tmp_path / "small.yaml").write_text(lvmc.dump(corrected(path="fixed", epochs=1)))
    done = lvmc_command("train", "small.yaml", "-o", "run", "--device", "cpu")
    assert done.status == 0, done.err
    judged = lvmc_command("eval", "run", "-o", "judged", "--pictures", "1")
    assert judged.status == 0, judged.err
    assert "test/pose, by step" in judged.out
    assert "6, beyond" in judged.out
    assert (tmp_path / "judged" / "steps.png").is_file()
    assert len((tmp_path / "judged" / "steps.csv").read_text(encoding="utf-8").splitlines()) == 1 + 2 * 7
