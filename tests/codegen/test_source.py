"""Laws 9 and 10: emitted text is the same every time, imports only torch, and holds only names and literals."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lvmc.codegen import emit
from lvmc.codegen.support import definitions

from lvmc import SpecError, specs
from lvmc.assemble import Options, programs
from lvmc.ir import listing
from lvmc.ir.ops import OPS
from lvmc.loading import resolve
from lvmc.methods import plan
from lvmc.source import parse
from lvmc.spec import dump
from tests.conftest import Golden
from tests.laws.specs import specs as random_specs

SHOWN = ("two_layer", "strided", "qp_faces", "gaussian", "boltzmann", "generator", "stereo", "density_1d")


def source_of(spec: Any, **options: Any) -> str:
    resolved, graph = resolve(spec)
    return emit(plan(graph, Options(**options), dump(resolved)))


@pytest.mark.parametrize("name", [*SHOWN, "qp2_vgg16", "qp2_vgg16_released", "ief_pose", "cpm"])
def test_emitted_text(name: str, golden: Golden) -> None:
    """What users read, as it was last looked at."""
    golden(Path(__file__).parents[1] / "golden" / f"{name}.py.txt", source_of(name))


def test_emitted_text_of_a_constraint(golden: Golden) -> None:
    """Filters multiplied by a factor, which is worked out once a call: strides, groups, laterals, learned diagonals."""
    layers = {
        "h1": {"channels": 4, "filter": 3, "nms": 2},
        "h2": {"channels": 6, "filter": 3, "diagonal": "learned", "lateral": {"filter": 3}},
        "h3": {"channels": 5, "filter": 3, "stride": 2, "unit": "gaussian"},
    }
    inputs, inference = {"image": {"channels": 1, "size": 16}}, {"constraint": "copositive"}
    spec = {"lvmc": 1, "name": "constrained", "inputs": inputs, "layers": layers, "inference": inference}
    golden(Path(__file__).parents[1] / "golden" / "constrained.py.txt", source_of(spec))


def test_emitted_text_of_a_lift(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    """A basis of the zoo, named from its folder: where it lies is part of the spec, and so of its digest."""
    monkeypatch.chdir(specs.path("lift_figures").parent)
    lift = {"kind": "lift", "landmarks": "joints", "basis": "figures3d_basis.npz", "weights": 0.3, "gradient": "paper"}
    spec = {
        "lvmc": 1,
        "name": "lifted",
        "inputs": {"image": {"channels": 1, "size": 16}},
        "layers": {"h1": {"channels": 4, "filter": 3, "nms": 2}, "h2": {"channels": 6, "filter": 3}},
        "heads": {"joints": {"kind": "heatmap", "channels": 16, "reads": ["h2", "h1"]}, "pose3d": lift},
    }
    golden(Path(__file__).parents[1] / "golden" / "lifted.py.txt", source_of(spec))


def test_emitted_text_of_stages_that_lift(golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    """The zoo's, named from its folder."""
    monkeypatch.chdir(specs.path("cpm_lift").parent)
    values = parse(Path("cpm_lift.yaml").read_text(encoding="utf-8"), "cpm_lift.yaml").values
    golden(Path(__file__).parents[1] / "golden" / "cpm_lift.py.txt", source_of(values))


@pytest.mark.parametrize("name", ["two_layer", "qp2_vgg16"])
def test_listings(name: str, golden: Golden) -> None:
    """The rewritten program as text."""
    golden(
        Path(__file__).parents[1] / "golden" / f"{name}.listing.txt",
        listing(programs(resolve(name)[1], Options()).forward),
    )


@pytest.mark.parametrize("name", specs.names())
def test_emitted_files_import_torch_only(name: str) -> None:
    """Every zoo file: parses, imports torch and of the rest only types of the standard library, keeps to the width."""
    for options in ({}, {"optimize": False}):
        text = source_of(name, **options)
        imported = {
            alias.name if isinstance(node, ast.Import) else node.module
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Import | ast.ImportFrom)
            for alias in node.names
        }
        assert imported - {"collections.abc", "math", "typing"} == {"torch", "torch.nn.functional"}
        assert max(map(len, text.splitlines())) <= 120


def test_the_same_bytes_in_another_process() -> None:
    """Hash seeds, dict orders and earlier compilations leave no trace in the text."""
    code = (
        "import sys, tests.codegen.test_source as t; sys.stdout.write(t.source_of('qp2_vgg16') + t.source_of('stereo'))"
    )
    root = Path(__file__).parents[2]
    outs = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            cwd=root,
            env={"PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    }
    assert outs == {source_of("qp2_vgg16") + source_of("stereo")}


@settings(max_examples=60, deadline=None, derandomize=True, database=None)
@given(random_specs())
def test_dumped_specs_emit_the_same(spec: dict[str, Any]) -> None:
    """load(dump(spec)) = spec, down to the emitted bytes."""
    resolved, _ = resolve(spec)
    again, _ = resolve(resolved)
    assert again == resolved
    assert source_of(spec) == source_of(resolved)


NASTY = [
    '"""',
    "'; import os #",
    "\n    import os",
    "{{ 7 * 7 }}",
    "__import__('os')",
    "\\",
    "x.y",
    "é",
    "h1 ",
    "self",
    "class",
    "_h",
]


@given(st.sampled_from(NASTY) | st.text(max_size=12), st.sampled_from(["name", "input", "layer", "head", "filter"]))
@settings(max_examples=300, deadline=None, derandomize=True, database=None)
def test_no_text_of_a_spec_reaches_the_code(text: str, place: str) -> None:
    """A name is an identifier or refused; the emitted file then holds it as a name only."""
    name = {"name": "net", "input": "image", "layer": "h1", "head": "read", "filter": "common"} | {place: text}
    spec = {
        "lvmc": 1,
        "name": name["name"],
        "description": "SPEC TEXT " + text,
        "inputs": {name["input"]: {"channels": 1, "size": 4}},
        "filters": {name["filter"]: {"size": 3}},
        "layers": {name["layer"]: {"channels": 2, "filter": name["filter"]}},
        "heads": {name["head"]: {"kind": "heatmap", "channels": 1, "reads": name["layer"]}},
    }
    try:
        source = source_of(spec)
    except SpecError:
        return
    assert text.isidentifier()
    assert "SPEC TEXT" not in source
    ast.parse(source)


def test_every_op_has_an_expression() -> None:
    """The backend covers the closed table."""
    from lvmc.codegen.writers import WRITERS

    assert set(WRITERS) == set(OPS)


def test_every_carried_function_is_documented() -> None:
    """Emitted functions are part of what a user reads."""
    for name, text in definitions().items():
        if text.startswith(("def", "class")):
            node = ast.parse(text).body[0]
            assert isinstance(node, ast.FunctionDef | ast.ClassDef)
            assert ast.get_docstring(node), name
