"""`lvmc check` and `lvmc repair`: the verdict first, requirements, one document, a page, proofs as files."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

import lvmc
from lvmc.cli.output import progress
from lvmc.verdicts.files import load

from .conftest import Call

SPEC = """
lvmc: 1
name: small
inputs: {x: {channels: 1, size: [8, 8]}}
layers:
  h1: {channels: 2, filter: 3}
  h2: {channels: 3, filter: 3}
inference: {passes: 12}
"""


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A net of two layers."""
    path = tmp_path / "small.yaml"
    path.write_text(SPEC)
    return path


@pytest.fixture
def safe(tmp_path: Path, spec: Path) -> Path:
    """Weights so small that nothing can grow."""
    return written(tmp_path / "safe.safetensors", spec, 0.02)


@pytest.fixture
def growing(tmp_path: Path, spec: Path) -> Path:
    """Weights that are positive and so large that the score grows for ever."""
    return written(tmp_path / "growing.safetensors", spec, 0.5)


def written(path: Path, spec: Path, scale: float) -> Path:
    state = lvmc.compile(spec).state_dict()
    state["h2.weight"] = scale * state["h2.weight"].abs()
    save_file({name: value.contiguous() for name, value in state.items()}, path)
    return path


def test_a_safe_net_is_said_to_be_safe_first(lvmc_command: Call, spec: Path, safe: Path) -> None:
    every = ("--require", "strict", "--require", "bounded", "--require", "psd")
    done = lvmc_command("check", spec, "--weights", safe, *every)
    assert done.status == 0
    assert done.out.startswith("−W is strictly copositive and positive semidefinite: S has a maximum for every input")
    assert "small: 320 units in 2 layers, 1 coupling" in done.out
    assert done.err == f"weights: {safe}\n"


def test_a_growing_net_is_refuted_with_its_ray_and_remedies(lvmc_command: Call, spec: Path, growing: Path) -> None:
    done = lvmc_command("check", spec, "--weights", growing)
    assert done.status == 0
    assert done.out.startswith("−W is not copositive: S grows for ever along a ray that excites h")
    assert "what to change, each tried:" in done.out
    required = lvmc_command("check", spec, "--weights", growing, "--require", "bounded")
    assert required.status == 1
    assert required.err.endswith("lvmc: required, bounded: refuted\n")


def test_what_is_undecided_is_not_called_refuted(lvmc_command: Call, spec: Path, growing: Path) -> None:
    done = lvmc_command("check", spec, "--weights", growing, "--time-limit", 0, "--require", "strict", "-o", "a.html")
    assert done.status == 1
    assert done.err.endswith("lvmc: required, strict: undecided\n")
    assert done.out.startswith("Whether −W is copositive is undecided")
    assert "Undecided: neither" in Path("a.html").read_text()


@pytest.mark.parametrize("words", [(), ("--require", "fast"), ("--size", "16x16"), ("--time-limit", "-1")])
def test_wrong_usage_is_2(lvmc_command: Call, spec: Path, words: tuple[str, ...]) -> None:
    assert lvmc_command("check", *([spec] if words else []), *words).status == 2


def test_json_is_one_document_with_everything(lvmc_command: Call, spec: Path, growing: Path) -> None:
    words = ("--json", "--save", "proofs", "-o", "pages/a.html", "--require", "psd")
    done = lvmc_command("check", spec, "--weights", growing, *words)
    found = done.document
    assert done.status == 1
    assert done.err == "lvmc: required, psd: refuted\n"
    assert (found["bounded"], found["copositive"], found["required"]) == (False, False, {"psd": False})
    assert found["bounds"][1] == pytest.approx(found["witness"]["value"])
    assert found["files"] == {"witness": "proofs/small.witness.npz"}
    assert (found["weights"], found["report"]) == (str(growing), "pages/a.html")
    gained = sum(each["energy"] for each in found["excitations"])
    assert gained == pytest.approx(1 - found["witness"]["value"], rel=1e-6)
    page = Path("pages/a.html").read_text()
    assert page.startswith("<!DOCTYPE html>")
    assert "lvmc verify proofs/small.witness.npz" in page


def test_saved_proofs_are_those_of_the_check(lvmc_command: Call, spec: Path, safe: Path, growing: Path) -> None:
    found = lvmc_command("check", spec, "--weights", growing, "--json", "--save", ".").document
    subject, witness = load("small.witness.npz")
    weights = load_file(growing)["h2.weight"].double().numpy()
    assert np.array_equal(subject.couplings[0].filter, weights)
    assert witness.value == found["witness"]["value"] < 0
    found = lvmc_command("check", spec, "--weights", safe, "--json", "--save", ".").document
    assert load("small.certificate.npz")[1].margin == found["certificate"]["margin"] > 0
    verified = lvmc_command("verify", "small.witness.npz", "small.certificate.npz", "--json")
    assert verified.status == 0
    assert verified.document["holds"] is True


def test_a_proof_of_the_explicit_matrix_is_saved_with_it(lvmc_command: Call, tmp_path: Path) -> None:
    """Signed filters that neither dominance nor psd certifies; `verify` must be told the matrix, not the net."""
    (tmp_path / "tiny.yaml").write_text(SPEC.replace("[8, 8]", "[3, 3]").replace("3, filter", "2, filter"))
    state = lvmc.compile("tiny.yaml", seed=2).state_dict()
    state["h2.weight"] *= 0.8
    save_file({name: value.contiguous() for name, value in state.items()}, "tiny.safetensors")
    words = ("check", "tiny.yaml", "--weights", "tiny.safetensors", "--save", "proofs", "--json")
    found = lvmc_command(*words).document
    assert (found["strict"], found["certificate"]["facts"]["matrix"]) == (True, 1)
    assert lvmc_command("verify", "proofs/small.certificate.npz").status == 0


def test_passes_are_watched_on_an_image(lvmc_command: Call, spec: Path, safe: Path, photo: Path) -> None:
    words = ("check", spec, "--weights", safe, "--image", photo)
    found = lvmc_command(*words, "--json").document
    assert found["convergence"]["outcome"] == "settled"
    score = np.array(found["trace"]["score"])
    assert (np.diff(score) >= -1e-6 * score.max()).all()
    assert found["convergence"]["monotone"] is True
    assert found["units"] == 320
    assert "passes: The passes settled" in lvmc_command(*words).out
    assert lvmc_command(*words, "--size", "16x8", "--json").document["units"] == 640


def test_without_a_single_energy_nothing_is_promised(lvmc_command: Call, tmp_path: Path, photo: Path) -> None:
    (tmp_path / "a.yaml").write_text(SPEC.replace("h1: {", "h1: {norm: message, ").replace("12", "2"))
    done = lvmc_command("check", "a.yaml", "--image", photo, "--require", "bounded", "-o", "a.html")
    assert done.status == 1
    assert done.out.startswith("small has no single energy: with 'norm: message'")
    assert done.err.endswith("required, bounded: undecided\n")
    assert "There is no single score" in Path("a.html").read_text()


def test_a_folder_is_checked_with_its_weights(lvmc_command: Call, spec: Path, growing: Path) -> None:
    lvmc_command("compile", spec, "-o", "net", "--weights")
    assert lvmc_command("check", "net").err == "weights: net/weights.safetensors\n"
    assert lvmc_command("check", "net", "--weights", growing).err == f"weights: {growing}\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--weights", "other.safetensors"), "does not fit the model: it holds no h1.weight"),
        (("--weights", "small.yaml"), "small.yaml is no safetensors file"),
        (("--weights", "none.safetensors"), "none.safetensors: No such file or directory"),
        (("-o", "."), "is a folder; name a file"),
        (("--image", "small.yaml"), "cannot identify image file"),
        (("--given", "h1"), "write NAME=FILE"),
    ],
)
def test_what_does_not_fit_is_reported(lvmc_command: Call, spec: Path, words: tuple[str, ...], said: str) -> None:
    save_file({"h2.weight": torch.zeros(3, 2, 3, 3)}, "other.safetensors")
    done = lvmc_command("check", spec, *words)
    assert (done.status, done.out) == (1, "")
    assert said in done.err


def test_repaired_weights_are_certified(lvmc_command: Call, spec: Path, growing: Path) -> None:
    done = lvmc_command("repair", spec, "--weights", growing, "-o", "new.safetensors", "--json").document
    assert done["check"]["bounded"] is True
    factor = done["factors"]["h2.weight"]
    assert 0 < factor < 1
    before, after = load_file(growing), load_file("new.safetensors")
    assert torch.allclose(after["h2.weight"], factor * before["h2.weight"])
    assert torch.equal(after["h1.weight"], before["h1.weight"])
    assert lvmc_command("check", spec, "--weights", "new.safetensors", "--require", "strict").status == 0


def test_what_needs_no_repair_stays(lvmc_command: Call, spec: Path, safe: Path) -> None:
    done = lvmc_command("repair", spec, "--weights", safe, "--to", "contractive", "-o", "new.safetensors")
    assert done.out.startswith("nothing had to change\nnow: −W is strictly copositive and positive semidefinite")
    before, after = load_file(safe), load_file("new.safetensors")
    assert all(torch.equal(value, after[name]) for name, value in before.items())


def test_a_bar_is_shown_to_people_only(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    for wanted, stream, shown in ((True, Terminal(), True), (False, Terminal(), False), (True, io.StringIO(), False)):
        monkeypatch.setattr(sys, "stderr", stream)
        with progress(wanted) as tell:
            tell("witness [search]", 0.5)
        assert bool(stream.getvalue()) == shown
        assert ("witness [search]" in stream.getvalue()) == shown
