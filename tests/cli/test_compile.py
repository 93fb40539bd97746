"""`lvmc compile`: the folder it makes, what it says, and what it leaves alone."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import torch

import lvmc
from lvmc import diagrams
from lvmc.runtime.module import compiled_of

from .conftest import Call

WRITTEN = [
    "build.json",
    "energy.png",
    "energy.svg",
    "listing.txt",
    "spec.yaml",
    "two_layer.py",
    "unrolled.png",
    "unrolled.svg",
]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a folder, by path."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_a_folder_holds_module_listing_pictures_and_spec(lvmc_command: Call, tmp_path: Path) -> None:
    done = lvmc_command("compile", "two_layer", "-o", "out")
    assert (done.status, done.err) == (0, "")
    assert sorted(contents(tmp_path / "out")) == WRITTEN
    assert list(tmp_path.glob(".out*")) == []
    assert lvmc.load(tmp_path / "out" / "spec.yaml") == lvmc.load("two_layer")
    for word in ("h1", "8×16×16", "2,048", "80", "1,248", "messages", "peak live bytes", "−50%"):
        assert word in done.out


def test_the_default_folder_is_build_name(lvmc_command: Call, tmp_path: Path) -> None:
    assert lvmc_command("compile", "two_layer").status == 0
    assert (tmp_path / "build" / "two_layer" / "two_layer.py").is_file()


def test_json_tells_what_was_written_and_what_it_costs(lvmc_command: Call) -> None:
    done = lvmc_command("compile", "qp_faces", "-o", "out", "--json")
    document = done.document
    assert document["class"] == "QpFaces"
    assert document["parameters"] == sum(part["parameters"] for part in document["parts"]) == 154_284
    assert document["rewritten"]["messages"] == 9 < document["plain"]["messages"]
    assert document["rewritten"]["flops"] < 0.6 * document["plain"]["flops"]


def test_weights_are_those_of_the_live_model(lvmc_command: Call, tmp_path: Path) -> None:
    lvmc_command("compile", "qp_faces", "-o", "out", "--weights", "--seed", "3")
    opened, live = lvmc.open(tmp_path / "out"), lvmc.compile("qp_faces", seed=3)
    image = torch.rand(2, 1, 64, 64)
    assert torch.equal(opened(image)["keypoints"], live(image)["keypoints"])
    assert (tmp_path / "out" / "weights.safetensors").is_file()


def test_options_reach_the_emitted_file(lvmc_command: Call, tmp_path: Path) -> None:
    options = ("--passes", "3", "--clamp", "h2", "--clamp", "h1:mask", "--start", "given", "--no-optimize")
    lvmc_command("compile", "two_layer", "-o", "out", *options)
    build = json.loads((tmp_path / "out" / "build.json").read_text())
    assert build["passes"] == 3
    assert build["clamp"] == {"h2": "all", "h1": "mask"}
    assert build["start"]
    assert not build["optimize"]
    assert "h1_mask: Tensor" in (tmp_path / "out" / "two_layer.py").read_text()


def test_many_passes_are_a_loop_in_every_file(lvmc_command: Call, tmp_path: Path) -> None:
    done = lvmc_command("compile", "qp_faces", "-o", "out", "--passes", 1000, "--memory", "2GB", "--weights")
    assert "qp_faces: 1000 passes" in done.out
    titles = re.findall(r"^(\w.*):$", (tmp_path / "out" / "listing.txt").read_text(), re.MULTILINE)
    assert titles == [
        "forward, first: pass 1", "forward, 499 rounds of: down, pass 2, 4, … 998",
        "forward, 499 rounds of: up, pass 3, 5, … 999", "forward, then", "latents, then", "score", "losses",
    ]  # fmt: skip
    assert "499 rounds" in (tmp_path / "out" / "unrolled.svg").read_text()
    assert json.loads((tmp_path / "out" / "build.json").read_text())["memory"] == 2_000_000_000
    opened = compiled_of(lvmc.open(tmp_path / "out"))
    assert opened.options.memory == 2_000_000_000
    assert "2,000,000,000 bytes" in opened.source


def test_folders_that_say_nothing_of_memory_open(lvmc_command: Call, tmp_path: Path) -> None:
    lvmc_command("compile", "two_layer", "-o", "out")
    build = json.loads((tmp_path / "out" / "build.json").read_text())
    del build["memory"]
    (tmp_path / "out" / "build.json").write_text(json.dumps(build))
    assert compiled_of(lvmc.open(tmp_path / "out")).options.memory is None


@pytest.mark.parametrize("gradient", ["unrolled", "implicit"])
def test_passes_until_the_residual_is_small(lvmc_command: Call, tmp_path: Path, gradient: str) -> None:
    lvmc_command("compile", "two_layer", "-o", "out")
    spec = (tmp_path / "out" / "spec.yaml").read_text()
    inference = f"inference: {{until: {{residual: 1.0e-3, max_passes: 90}}, gradient: {gradient}}}"
    (tmp_path / "net.yaml").write_text(re.sub(r"inference:.*(\n .*)*", inference, spec))
    done = lvmc_command("compile", "net.yaml", "-o", "settles", "--weights")
    assert "two_layer: passes until the residual is ≤ 0.001, at most 90 passes" in done.out
    assert "forward, one sample, at most" in done.out
    listed = (tmp_path / "settles" / "listing.txt").read_text()
    assert "residual is ≤ 0.001, at most 90 passes: down, pass 2, 4, …:\n" in listed
    assert ("forward, gradient: slopes:" in listed) == (gradient == "implicit")
    document = lvmc_command("compile", "net.yaml", "-o", "settles", "--json", "--force").document
    assert document["until"] == {"residual": 1e-3, "max_passes": 90}
    lvmc.open(tmp_path / "settles")(torch.rand(1, 1, 16, 16))


def test_the_same_command_writes_the_same_text(lvmc_command: Call, tmp_path: Path) -> None:
    for name in ("one", "two"):
        lvmc_command("compile", "stereo", "-o", name)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_bad_spec_is_reported_and_leaves_the_folder_alone(lvmc_command: Call, tmp_path: Path) -> None:
    lvmc_command("compile", "two_layer", "-o", "out")
    before = contents(tmp_path)
    (tmp_path / "bad.yaml").write_text((tmp_path / "out" / "spec.yaml").read_text().replace("h2:", "h2: &x"))
    bad = re.sub(
        r"filter: 3\}$", "filter: 3, fliter: 5}", (tmp_path / "out" / "spec.yaml").read_text(), flags=re.MULTILINE
    )
    (tmp_path / "bad.yaml").write_text(bad)
    done = lvmc_command("compile", "bad.yaml", "-o", "out")
    assert (done.status, done.out) == (1, "")
    assert re.search(r"bad\.yaml:\d+:\d+: unknown key 'fliter'", done.err)
    assert "did you mean 'filter'?" in done.err
    assert "Traceback" not in done.err
    (tmp_path / "bad.yaml").unlink()
    assert contents(tmp_path) == before


def test_a_failure_halfway_leaves_the_folder_alone(
    lvmc_command: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lvmc_command("compile", "two_layer", "-o", "out")
    before = contents(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "unrolled.png")

    monkeypatch.setattr(diagrams, "write", full)
    done = lvmc_command("compile", "qp_faces", "-o", "out")
    assert (done.status, done.err) == (1, "lvmc: unrolled.png: No space left on device\n")
    assert contents(tmp_path) == before


def test_a_compiled_folder_is_replaced(lvmc_command: Call, tmp_path: Path) -> None:
    lvmc_command("compile", "two_layer", "-o", "out")
    assert lvmc_command("compile", "strided", "-o", "out").status == 0
    assert (tmp_path / "out" / "strided.py").is_file()
    assert not (tmp_path / "out" / "two_layer.py").exists()
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_foreign_folder_is_refused_even_by_force(lvmc_command: Call, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.tex").write_text("ten years")
    for force in ((), ("--force",)):
        done = lvmc_command("compile", "two_layer", "-o", "out", *force)
        assert done.status == 1
        assert "holds files that lvmc did not write" in done.err
    assert contents(tmp_path) == {"out/thesis.tex": b"ten years"}


@pytest.mark.parametrize("name", ["weights.safetensors", "notes.txt"])
def test_weights_and_notes_go_only_by_force(lvmc_command: Call, tmp_path: Path, name: str) -> None:
    lvmc_command("compile", "two_layer", "-o", "out")
    (tmp_path / "out" / name).write_text("mine")
    done = lvmc_command("compile", "two_layer", "-o", "out")
    assert done.status == 1
    assert f"holds {name}, to be lost" in done.err
    assert lvmc_command("compile", "two_layer", "-o", "out", "--force").status == 0
    assert sorted(contents(tmp_path / "out")) == WRITTEN


def test_a_file_is_no_folder(lvmc_command: Call, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    assert "is not a folder" in lvmc_command("compile", "two_layer", "-o", "out").err


def test_a_link_is_not_followed(lvmc_command: Call, tmp_path: Path) -> None:
    lvmc_command("compile", "two_layer", "-o", "real")
    (tmp_path / "out").symlink_to(tmp_path / "real")
    assert lvmc_command("compile", "strided", "-o", "out").status == 1
    assert (tmp_path / "real" / "two_layer.py").is_file()


def test_an_empty_folder_will_do(lvmc_command: Call, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert lvmc_command("compile", "two_layer", "-o", "out").status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--clamp", "h9"), "no layer is named 'h9'"),
        (("--clamp", "h1:half"), "h1:mask"),
        (("--passes", "0"), "at least 1"),
        (("--memory", "0GB"), "above 0"),
    ],
)
def test_options_that_do_not_fit_are_reported(lvmc_command: Call, words: tuple[str, ...], said: str) -> None:
    done = lvmc_command("compile", "two_layer", *words)
    assert (done.status, done.out) == (1, "")
    assert said in done.err


@pytest.mark.parametrize(
    "words", [("compile",), ("compile", "two_layer", "--start", "here"), ("compile", "a", "b"), ("fly",)]
)
def test_wrong_usage_exits_with_2(lvmc_command: Call, words: tuple[str, ...]) -> None:
    assert lvmc_command(*words).status == 2


def test_an_unknown_name_lists_the_zoo(lvmc_command: Call) -> None:
    done = lvmc_command("compile", "qp_face")
    assert done.status == 1
    assert "did you mean 'qp_faces'?" in done.err


def test_mistakes_are_json_too(lvmc_command: Call, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("lvmc: 1\nname: a\nlayers:\n  h1: {channels: 2, from: x, filter: 3}\n")
    done = lvmc_command("compile", "bad.yaml", "--json")
    assert done.status == 1
    assert done.document["problems"][0]["line"] == 4
    assert done.document["problems"][0]["fault"] in done.err
