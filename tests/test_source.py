"""YAML text to values: the core schema of YAML 1.2, and spans that point at what was written."""

from __future__ import annotations

from io import StringIO
from math import inf, isnan
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from lvmc.errors import Span, SpecError
from lvmc.source import parse, read_text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-7", -7), ("+7", 7), ("007", 7), ("0o17", 15), ("0xFf", 255), ("9" * 5000, inf), ("1e-3", 1e-3),
        ("1E3", 1000.0), ("1.", 1.0), (".5", 0.5), ("-.inf", -inf), ("+.INF", inf), ("1e400", inf), ("true", True),
        ("False", False), ("null", None), ("~", None), ("", None), ("on", "on"), ("yes", "yes"), ("off", "off"),
        ("1_000", "1_000"), ("0b11", "0b11"), ("1:30", "1:30"), ("2020-01-01", "2020-01-01"), ("1e", "1e"),
        ("0x", "0x"), ("none", "none"), ("'1'", "1"), ('"true"', "true"), ("|\n  1", "1\n"), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text: str, value: Any) -> None:
    read = parse(f"key: {text}\n", "spec.yaml").values["key"]
    assert read == value
    assert type(read) is type(value)


def test_not_a_number_is_a_number() -> None:
    assert isnan(parse("key: .nan", "spec.yaml").values["key"])


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=3), inner, max_size=3)


@given(
    st.recursive(st.integers(-9, 9) | st.booleans() | st.none() | st.text("ab1 #", max_size=4), nested, max_leaves=8)
)
def test_values_are_those_another_reader_gives(value: Any) -> None:
    """ruamel's own constructor is the other reader."""
    text = written({"key": value})
    assert parse(text, "spec.yaml").values == YAML(typ="safe", pure=True).load(text) == {"key": value}


def written(value: Any) -> str:
    out = StringIO()
    YAML(typ="safe", pure=True).dump(value, out)
    return out.getvalue()


def test_spans_point_at_keys_and_values() -> None:
    document = parse("name: abc\nlayers:\n  h1: {nms: [1, 2], 'from': h0}\n", "spec.yaml")

    def under(span: Span | str) -> tuple[int, str]:
        assert isinstance(span, Span)
        return span.line, span.text[span.column - 1 : span.end - 1]

    assert under(document.place(("name",))) == (1, "abc")
    assert under(document.place(("name",), on_key=True)) == (1, "name")
    assert under(document.place(("layers", "h1"))) == (3, "{nms: [1, 2], 'from': h0}")
    assert under(document.place(("layers", "h1", "nms"))) == (3, "[1, 2]")
    assert under(document.place(("layers", "h1", "nms", 1))) == (3, "2")
    assert under(document.place(("layers", "h1", "nms", 2))) == (3, "[1, 2]")
    assert under(document.place(("layers", "h1", "nms", "window"))) == (3, "[1, 2]")
    assert under(document.place(("layers", "h1", "from", "h0"), on_key=True)) == (3, "h0")
    assert under(document.place(("layers", "h1", "unit"))) == (3, "h1")
    assert under(document.place(("heads", "label"))) == (1, "name: abc")


def test_lines_end_as_files_end_them() -> None:
    for end in ("\n", "\r\n", "\r"):
        span = parse(f"a: 1{end}# note{end}b: 2{end}", "spec.yaml").keys[("b",)]
        assert (span.line, span.column, span.text) == (3, 1, "b: 2")


def test_aliases_repeat_a_value_with_its_place() -> None:
    document = parse("a: &x {k: 1}\nb: *x\n", "spec.yaml")
    assert document.values == {"a": {"k": 1}, "b": {"k": 1}}
    assert document.values["a"] is not document.values["b"]
    assert document.spans[("b", "k")] == document.spans[("a", "k")]


def test_mistakes_that_leave_a_value_do_not_stop_the_reading() -> None:
    document = parse("a: !!str 1\na: 2\n[1]: 3\nb: 4\n", "spec.yaml")
    assert document.values == {"a": 1, "b": 4}
    assert len(document.problems) == 3


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="there is no such file"):
        read_text(tmp_path / "none.yaml")
    with pytest.raises(SpecError, match="there is no such file"):
        read_text(tmp_path)
