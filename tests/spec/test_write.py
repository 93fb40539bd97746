"""`load(dump(spec)) == spec`, for the zoo, for random specs, and for every form of every key."""

from __future__ import annotations

from io import StringIO
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from lvmc import dump, load, specs
from lvmc.loading import resolve
from lvmc.source import parse
from lvmc.spec import Spec
from lvmc.spec.keys import known_keys, record_of
from lvmc.values import at

from ..laws.specs import specs as random_specs
from .texts import OTHERS, SHORT_AND_LONG

TEXTS = {
    name: text
    for name, pair in SHORT_AND_LONG.items()
    for text, name in zip(pair, (name, f"{name}, long"), strict=True)
}
TEXTS |= OTHERS


def text_of(name: str) -> str:
    return f"lvmc: 1\nname: example\n{dedent(TEXTS[name])}"


def reloaded(spec: Spec) -> Spec:
    return load(StringIO(dump(spec)))


@pytest.mark.parametrize("name", specs.names())
def test_the_zoo_is_dumped_as_it_is(name: str) -> None:
    assert reloaded(load(name)) == load(name)


@pytest.mark.parametrize("name", TEXTS)
def test_every_form_is_dumped_as_it_is(name: str) -> None:
    spec = load(StringIO(text_of(name)))
    assert reloaded(spec) == spec
    assert dump(reloaded(spec)) == dump(spec)


@given(random_specs())
def test_random_specs_are_dumped_as_they_are(values: dict[str, Any]) -> None:
    assert reloaded(load(values)) == load(values)


texts = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("\n\t#:'\"\\-?{}[],&*!|>%@`0~=<"),
    max_size=12,
)


@given(texts, st.lists(texts, min_size=1, max_size=3))
def test_any_text_is_dumped_as_it_is(text: str, classes: list[str]) -> None:
    head = {"kind": "segmentation", "channels": len(classes), "reads": "h", "classes": classes}
    layer = {"channels": 1, "from": "none", "size": 1}
    spec = load({"lvmc": 1, "name": "example", "description": text, "layers": {"h": layer}, "heads": {"k": head}})
    assert reloaded(spec) == spec


@given(st.lists(st.floats(min_value=0, exclude_min=True, allow_infinity=False), min_size=1, max_size=5))
def test_numbers_are_dumped_to_the_last_bit(numbers: list[float]) -> None:
    layer = {"channels": len(numbers), "from": "none", "size": 1, "diagonal": numbers}
    spec = load({"lvmc": 1, "name": "example", "layers": {"h": layer}})
    assert reloaded(spec).layers["h"].diagonal == tuple(numbers)


@pytest.mark.parametrize("name", SHORT_AND_LONG)
def test_short_and_long_forms_mean_the_same(name: str) -> None:
    assert resolve(StringIO(text_of(name)))[1] == resolve(StringIO(text_of(f"{name}, long")))[1]


def test_the_forms_above_use_every_key_of_the_language() -> None:
    """A new key must be written in tests/spec/texts.py, or its dump is not tested."""
    used: dict[type[BaseModel], set[str]] = {}
    known: dict[type[BaseModel], set[str]] = {}
    for name in TEXTS:
        document = parse(text_of(name), name)
        for path in document.spans:
            record = record_of(path, document.values)
            value = at(document.values, path)
            if record is not None and isinstance(value, dict) and set(value) != {"normal"}:
                used.setdefault(record, set()).update(value)
                known[record] = set(known_keys(path, document.values))
    assert {record: keys - used[record] for record, keys in known.items() if keys - used[record]} == {}
    assert len(known) == 38
