"""`draw`, `show`, `init`, `zoo`, `schema`, `doctor`, and what all commands share."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import lvmc
from lvmc import specs
from lvmc.assemble import Options, programs
from lvmc.cli.show import Which, stages_of
from lvmc.ir import listing
from lvmc.ir.naming import tidy
from lvmc.loading import resolve
from lvmc.rewrites import rewrite

from .conftest import Call


@pytest.mark.parametrize(
    ("ending", "start"), [("svg", b"<?xml"), ("png", b"\x89PNG"), ("dot", b"digraph"), ("mmd", b"flowchart")]
)
def test_draw_writes_by_ending(lvmc_command: Call, tmp_path: Path, ending: str, start: bytes) -> None:
    done = lvmc_command("draw", "two_layer", f"net.{ending}")
    assert done.status == 0
    assert done.out.startswith(f"net.{ending}: unrolled, ")
    assert (tmp_path / f"net.{ending}").read_bytes().startswith(start)


def test_draw_takes_a_view_and_json(lvmc_command: Call, tmp_path: Path) -> None:
    document = lvmc_command("draw", "two_layer", "net.svg", "--view", "energy", "--fold", "--json").document
    assert document == {
        "path": "net.svg",
        "view": "energy",
        "fold": True,
        "bytes": (tmp_path / "net.svg").stat().st_size,
    }
    assert lvmc_command("draw", "two_layer", "net.svg", "--view", "side").status == 2
    assert lvmc_command("draw", "two_layer", "net.doc").status == 1
    assert lvmc_command("draw", "two_layer", "none/net.svg").status == 1


def test_show_tells_what_each_rewrite_saved(lvmc_command: Call) -> None:
    done = lvmc_command("show", "two_layer")
    assert done.status == 0
    assert "zero_messages" in done.out
    assert "h1_p2 = Rectify" in done.out
    stages = lvmc_command("show", "two_layer", "--json").document["stages"]
    assert stages[0]["stage"] == "plain"
    assert [stage["flops"] for stage in stages] == sorted((stage["flops"] for stage in stages), reverse=True)
    assert (stages[0]["messages"], stages[-1]["messages"]) == (6, 3)


@pytest.mark.parametrize("name", ["qp_faces", "gaussian", "stereo"])
@pytest.mark.parametrize("of", ["forward", "latents", "score"])
def test_the_last_listing_is_the_emitted_program(name: str, of: Which) -> None:
    graph = resolve(name)[1]
    made = programs(graph, Options())
    assert made.score is not None
    score = tidy(rewrite(replace(made.score, outputs=made.score.outputs[:1])))
    program = {"forward": made.forward, "latents": made.latents, "score": score}[of]
    reached, sample = stages_of(graph, Options(), of)
    assert listing(reached[-1].program) == listing(program)
    assert sample is None


UNTIL = """
lvmc: 1
name: net
inputs: {x: {channels: 1, size: 8}}
layers:
  h1: {channels: 2, filter: 3}
  h2: {channels: 2, filter: 3, nms: 2}
heads: {late: {kind: vector, outputs: 1, reads: h1}}
inference: {until: {residual: 1.0e-4, max_passes: 200}}
"""
IMPLICIT = UNTIL.replace("{until: {residual: 1.0e-4, max_passes: 200}}", "{passes: 20, gradient: implicit}")


def headings(text: str) -> list[str]:
    """Titles of the parts of a listing."""
    return [line.removeprefix("== ") for line in text.splitlines() if line.startswith("== ")]


def test_show_lists_the_parts_of_a_loop(lvmc_command: Call) -> None:
    done = lvmc_command("show", "qp_faces", "--passes", 1000)
    assert done.status == 0
    assert "Stages are those of 10 passes. Emitted is a loop; for 1000 passes: " in done.out
    rounds = "499 rounds of: "
    parts = ["first: pass 1", f"{rounds}down, pass 2, 4, … 998", f"{rounds}up, pass 3, 5, … 999", "then"]
    assert headings(done.out) == parts
    assert "  -- pass 1000, top-down\n" in done.out
    assert "keypoints = " in done.out
    latents = lvmc_command("show", "qp_faces", "--passes", 1000, "--of", "latents")
    assert headings(latents.out) == parts
    assert "return keypoints" not in latents.out
    assert headings(lvmc_command("show", "qp_faces", "--passes", 1000, "--of", "score").out) == []
    document = lvmc_command("show", "qp_faces", "--passes", 1000, "--json").document
    assert headings(document["listing"]) == parts
    assert document["stages_of_passes"] == 10
    plain = lvmc_command("show", "qp_faces", "--passes", 1000, "--plain")
    assert "h1_top_p10" in plain.out
    assert plain.err.startswith("Stages are those of 10 passes.")


def test_show_tells_how_passes_settle(lvmc_command: Call, tmp_path: Path) -> None:
    (tmp_path / "until.yaml").write_text(UNTIL)
    done = lvmc_command("show", "until.yaml")
    until = "until the residual is ≤ 0.0001, at most 200 passes"
    assert f"for passes {until}: at most " in done.out
    assert headings(done.out) == [
        "first: pass 1", f"{until}: down, pass 2, 4, …", f"{until}: up, pass 3, 5, …",
        "residual, of samples that a pass hardly moved", "then",
    ]  # fmt: skip
    (tmp_path / "implicit.yaml").write_text(IMPLICIT)
    assert headings(lvmc_command("show", "implicit.yaml").out) == [
        "first: pass 1", "down, pass 2, 4, … 20", "up, pass 3, 5, … 19", "then",
        "gradient: a − d z of every layer", "gradient: slopes",
        "gradient, first: pass 1", "gradient, down, pass 2, 4, … 20", "gradient, up, pass 3, 5, … 19",
        "gradient, residual",
    ]  # fmt: skip
    assert lvmc_command("show", "implicit.yaml", "--passes", 3).status == 0


def test_show_tells_when_passes_change_nothing(lvmc_command: Call, tmp_path: Path) -> None:
    spec = "\n".join(line for line in UNTIL.splitlines() if "h2:" not in line and "inference" not in line)
    (tmp_path / "one.yaml").write_text(spec)
    done = lvmc_command("show", "one.yaml", "--passes", 100)
    assert "Later ones change nothing; for 100 passes: " in done.out
    assert headings(done.out) == []


def test_show_plans_what_is_recomputed(lvmc_command: Call) -> None:
    done = lvmc_command("show", "qp_faces", "--memory", "100MB")
    assert done.status == 0
    assert "within 100.0 MB" in done.out
    steps = lvmc_command("show", "qp_faces", "--memory", "100MB", "--json").document["steps"]
    assert [step["batch"] for step in steps] == [1, 8, 64]
    assert [step["again"] for step in steps] == [0.0, 0.0, 1.0]
    assert [step["fits"] for step in steps] == [True, True, False]
    assert "Even the smallest plan for a batch of 64 takes" in done.out
    one = lvmc_command("show", "qp_faces", "--memory", "1TB", "--batch", 4)
    assert "Nothing need be recomputed" in one.out
    assert "exceeds" not in one.out


def test_show_plans_which_states_are_kept(lvmc_command: Call) -> None:
    done = lvmc_command("show", "qp_faces", "--passes", 1000, "--memory", "200MB", "--batch", 1)
    assert "the state after each 22 rounds" in done.out
    [step] = lvmc_command("show", "qp_faces", "--passes", 1000, "--memory", "200MB", "--batch", 1, "--json").document[
        "steps"
    ]
    assert 0.98 < step["again"] < 1
    assert step["rows"] == 1


def test_show_says_where_a_budget_does_not_apply(lvmc_command: Call, tmp_path: Path) -> None:
    (tmp_path / "until.yaml").write_text(UNTIL)
    (tmp_path / "implicit.yaml").write_text(IMPLICIT)
    for words, said in (
        (("until.yaml", "--memory", "1GB"), "'until' has no fixed cost"),
        (("implicit.yaml", "--memory", "1GB"), "keeps one state"),
        (("qp_faces", "--memory", "much"), "is no size"),
        (("qp_faces", "--batch", "3"), "write --memory SIZE too"),
        (("qp_faces", "--passes", "0"), "at least 1"),
    ):
        done = lvmc_command("show", *words)
        assert (done.status, done.out) == (1, "")
        assert said in done.err
    assert lvmc_command("show", "until.yaml", "--passes", 9, "--memory", "1GB").status == 0


def test_draw_shows_until(lvmc_command: Call, tmp_path: Path) -> None:
    (tmp_path / "until.yaml").write_text(UNTIL)
    assert lvmc_command("draw", "until.yaml", "net.mmd").status == 0
    assert "at most 200 passes" in (tmp_path / "net.mmd").read_text()


def test_show_lists_any_stage(lvmc_command: Call) -> None:
    plain = lvmc_command("show", "two_layer", "--plain").out
    assert plain == listing(programs(resolve("two_layer")[1], Options(optimize=False)).forward)
    assert lvmc_command("show", "two_layer", "--stage", "dead_code").out != plain
    done = lvmc_command("show", "two_layer", "--stage", "magic")
    assert (done.status, done.out) == (1, "")
    assert "zero_messages" in done.err
    assert lvmc_command("show", "qp2_vgg16_released", "--of", "score").status == 1


def test_init_writes_a_spec_that_compiles(lvmc_command: Call, tmp_path: Path) -> None:
    assert lvmc_command("init").status == 0
    assert lvmc.load(tmp_path / "my_model.yaml").name == "my_model"
    assert lvmc_command("init", "other-net", "--json").document == {"path": "other-net.yaml", "name": "other_net"}
    assert lvmc_command("compile", "other-net.yaml").status == 0


def test_init_overwrites_nothing(lvmc_command: Call, tmp_path: Path) -> None:
    (tmp_path / "my_model.yaml").write_text("mine")
    done = lvmc_command("init")
    assert (done.status, done.err) == (1, "lvmc: my_model.yaml: File exists\n")
    assert (tmp_path / "my_model.yaml").read_text() == "mine"
    assert lvmc_command("init", "class.yaml").status == 1


def test_zoo_lists_every_spec(lvmc_command: Call) -> None:
    done = lvmc_command("zoo")
    assert all(f"\n{name} " in done.out for name in specs.names())
    found = {each["name"]: each for each in lvmc_command("zoo", "--json").document}
    assert list(found) == specs.names()
    assert found["qp2_vgg16"]["parameters"] == 137_486_976
    assert (found["nnls"]["passes"], found["nnls"]["until"]) == (50, None)


def test_zoo_says_at_most(lvmc_command: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "net.yaml").write_text(UNTIL)
    monkeypatch.setattr("lvmc.specs.names", lambda: ["net"])
    monkeypatch.setattr("lvmc.specs.path", lambda name: tmp_path / f"{name}.yaml")
    assert "≤ 200" in lvmc_command("zoo").out
    [net] = lvmc_command("zoo", "--json").document
    assert net["until"] == {"residual": 1e-4, "max_passes": 200}


def test_schema_is_json(lvmc_command: Call) -> None:
    plain = lvmc_command("schema")
    assert plain.document["title"] == "lvmc spec"
    assert lvmc_command("schema", "--json").out == plain.out


def test_the_doctor_finds_this_machine_well(lvmc_command: Call) -> None:
    done = lvmc_command("doctor")
    assert done.status == 0
    assert "agrees with its numpy meaning" in done.out
    document = lvmc_command("doctor", "--json").document
    assert document["healthy"]
    assert {finding["verdict"] for finding in document["findings"]} <= {"ok", "note"}
    assert {"inductor", "cudagraph"} <= {finding["what"] for finding in document["findings"]}


def test_the_doctor_tells_a_broken_part(lvmc_command: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("no graphviz today")

    monkeypatch.setattr("lvmc.pipeline.draw", broken)
    done = lvmc_command("doctor", "--json")
    assert done.status == 1
    assert not done.document["healthy"]
    assert "RuntimeError: no graphviz today" in done.out


LIGHT = """
import json, sys, time
from lvmc.cli import main

sys.argv = ["lvmc", *json.loads(sys.argv[1])]
try:
    main()
except SystemExit as left:
    status = left.code or 0
print(json.dumps([status, "torch" in sys.modules, time.process_time()]), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "words",
    [
        ("--help",), ("--version",), ("schema",), ("zoo",), ("init", "new.yaml"), ("show", "two_layer"),
        ("draw", "two_layer", "net.mmd"), ("draw", "two_layer", "net.png", "--view", "energy"),
        ("compile", "two_layer"),
    ],
)  # fmt: skip
def test_what_needs_no_torch_does_not_import_it(words: tuple[str, ...], tmp_path: Path) -> None:
    """And starts in under a second of processor time (pictures, which start Graphviz, in three)."""
    done = subprocess.run(
        [sys.executable, "-c", LIGHT, json.dumps(words)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    status, torch_came, seconds = json.loads(done.stderr.splitlines()[-1])
    assert (status, torch_came) == (0, False)
    draws = words[0] == "compile" or words[-2:] == ("--view", "energy")
    assert seconds < (6 if draws else 1.5)


def test_the_module_is_the_program() -> None:
    done = subprocess.run([sys.executable, "-m", "lvmc", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"lvmc {lvmc.__version__}\n"


def test_a_reader_that_stops_is_no_mistake() -> None:
    """`lvmc show … | head`."""
    script = f"{sys.executable} -m lvmc show qp2_vgg16 | head -1"
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert "Traceback" not in done.stderr
    assert "lvmc:" not in done.stderr
