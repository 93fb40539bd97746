"""Every wrong spec of tests/errors gives exactly its report; no file gives a traceback or takes long."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from lvmc import SpecError, load
from lvmc.errors import Problem, Span

from .conftest import Golden

ERRORS = Path(__file__).parent / "errors"
NAMES = sorted(file.stem for file in ERRORS.glob("*.yaml"))
HEAD = "lvmc: 1\nname: bad\n"
INPUT: dict[str, Any] = {"image": {"channels": 1, "size": 8}}
LAYER: dict[str, Any] = {"channels": 1, "filter": 1}


def refused(source: Any) -> SpecError:
    """The error that loading raises, in less than a second of work (whatever else the machine does)."""
    start = process_time()
    with pytest.raises(SpecError) as caught:
        load(source)
    assert process_time() - start < 1.0
    return caught.value


def given(**sections: Any) -> dict[str, Any]:
    return {"lvmc": 1, "name": "bad", "inputs": INPUT, "layers": {"h1": LAYER}, **sections}


@pytest.mark.parametrize("name", NAMES)
def test_every_file_gives_exactly_its_report(name: str, golden: Golden, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ERRORS)
    golden(ERRORS / f"{name}.txt", f"{refused(f'{name}.yaml')}\n")


def test_there_is_a_spec_for_every_report() -> None:
    assert sorted(file.stem for file in ERRORS.glob("*.txt")) == NAMES
    assert len(NAMES) >= 45


@pytest.mark.parametrize("name", NAMES)
def test_every_problem_has_a_place_in_the_text_and_a_remedy(name: str) -> None:
    lines = (ERRORS / f"{name}.yaml").read_text(encoding="utf-8").split("\n")
    for problem in refused(ERRORS / f"{name}.yaml").problems:
        assert problem.remedy
        if isinstance(problem.place, Span):
            assert lines[problem.place.line - 1] == problem.place.text
            assert 1 <= problem.place.column < problem.place.end <= len(problem.place.text) + 2
        else:
            assert not "".join(lines).strip("# abcdefghijklmnopqrstuvwxyz"), "only an empty file has no line to show"


@pytest.mark.parametrize(
    ("make", "said"),
    [
        pytest.param(lambda: b"a" * 50_000_000, "longer than 400,000 characters", id="50 MB"),
        pytest.param(lambda: b"[" + b"1," * 190_000 + b"]", "more than 20,000 values", id="a long list"),
        pytest.param(lambda: bytes(range(256)) * 10, "not text in UTF-8", id="binary"),
        pytest.param(lambda: b"\x7fELF\0\0\0\0", "U+007F cannot stand", id="control characters"),
        pytest.param(lambda: "lvmc: 1".encode("utf-16"), "not text in UTF-8", id="UTF-16"),
        pytest.param(lambda: b"[" * 100_000, "more than 50 levels deep", id="brackets"),
        pytest.param(lambda: b"a: {" * 100_000, "more than 50 levels deep", id="braces"),
        pytest.param(lambda: b"- " * 100_000, "more than 50 levels deep", id="dashes"),
        pytest.param(lambda: "\n".join(" " * n + "a:" for n in range(800)).encode(), "50 levels deep", id="indents"),
        pytest.param(lambda: b"a: " + b"9" * 390_000, "unknown key 'a'", id="a long number"),
        pytest.param(lambda: b'"' + b"\\x41" * 90_000 + b'": 1', "not YAML", id="a long key"),
        pytest.param(lambda: b"? " + b"a" * 390_000 + b"\n: 1", "unknown key 'aaa", id="a longer key"),
        pytest.param(lambda: b"&a [*a]", "stands inside the value it repeats", id="itself"),
        pytest.param(lambda: b"&a {b: {c: [*a]}}", "stands inside the value it repeats", id="inside itself"),
        pytest.param(lambda: b"\t", "a tab cannot stand here", id="a tab"),
        pytest.param(lambda: b"\xef\xbb\xbf", "there is nothing in it", id="a byte order mark"),
    ],
)
def test_no_file_gives_a_traceback(make: Callable[[], bytes], said: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_bytes(make())
    assert said in str(refused(file))


@pytest.mark.parametrize(
    ("sections", "said"),
    [
        ({"layers": {"h1": {"channels": 10**6, "filter": 1}, "h2": {"channels": 10**6, "filter": 1}}}, "parameters"),
        ({"layers": {"h1": {"channels": 10**15, "filter": [10**14 + 1, 10**14 + 1]}}}, "about 10^43 parameters"),
        ({"layers": {"h1": {"channels": 10**400, "filter": 1}}}, "not a number of more than 40 digits"),
        ({"inputs": {"image": {"channels": 1, "size": 10**13}}}, "latent units"),
        ({"layers": {"h1": {**LAYER, "nms": 7}}, "inputs": {"image": {"channels": 1, "size": 10**15}}}, "windows"),
        ({"inference": {"passes": 10**12, "tying": "untied"}}, "updates to unroll"),
        ({"layers": {"h1": {**LAYER, "upper": 10**400}}}, "'upper' should be a number above 0"),
        ({"layers": {"h1": {**LAYER, "diagonal": [float("nan")]}}}, "'diagonal' should be above 0, not .nan"),
        ({"layers": {f"h{n}": {**LAYER, "from": "h"} for n in range(1000)}}, "no layer or input is named 'h'"),
        ({"layers": {1: LAYER}}, "the key 1 is not text"),
        ({"layers": {"h1": {**LAYER, "bias": object()}}}, "a value of type object cannot stand in a spec"),
        ({"layers": {"h1": {**LAYER, "unit": {"a": 1}}}}, "no unit is called {a: …}"),
        ({"layers": {"h1": [LAYER] * 20_000}}, "more than 20,000 values"),
        ({"heads": {"k": {"kind": ["heatmap"], "reads": "h1"}}}, "no head is of kind ['heatmap']"),
    ],
)
def test_no_dict_gives_a_traceback(sections: dict[str, Any], said: str) -> None:
    assert said in str(refused(given(**sections)))


def test_a_dict_inside_itself_is_refused() -> None:
    values = given()
    values["layers"]["h1"] = values
    assert "50 levels" in str(refused(values))


def test_problems_of_a_dict_are_placed_by_key() -> None:
    error = refused(given(layers={"h1": {**LAYER, "stride": 0}}, heads={"k": 3}))
    assert [problem.place for problem in error.problems] == ["spec: heads.k", "spec: layers.h1.stride"]


def test_a_report_shows_the_line_the_caret_and_the_help() -> None:
    """The example of style.md, word for word."""
    span = Span("qp_faces.yaml", 14, 28, 31, "  h3: {channels: 64, from: h22, filter: 3}")
    problem = Problem(span, "no layer or input is named 'h22'", "did you mean 'h2'? known here: image, h1, h2")
    assert problem.report() == (
        "qp_faces.yaml:14:28: no layer or input is named 'h22'\n"
        "   |\n"
        "14 |   h3: {channels: 64, from: h22, filter: 3}\n"
        "   |                            ^^^\n"
        "   = help: did you mean 'h2'? known here: image, h1, h2"
    )


def test_a_report_sends_no_commands_to_a_terminal() -> None:
    error = refused(given(name="\x1b[31mred\n", layers={"h1": {**LAYER, "\x1b]0;title\a": "\x1b"}}))
    assert all(character.isprintable() or character == "\n" for character in str(error))


def test_the_same_problem_is_told_once() -> None:
    assert len(SpecError([Problem("a", "wrong"), Problem("a", "wrong")]).problems) == 1
