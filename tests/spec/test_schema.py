"""The JSON Schema takes every spec that `load` takes, and refuses what an editor should underline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from lvmc import specs
from lvmc.source import parse
from lvmc.spec import json_schema
from lvmc.spec.keys import known_keys

from ..conftest import Golden
from ..laws.specs import specs as random_specs
from .json_schema import accepts
from .test_write import TEXTS, text_of

SCHEMA = json_schema()
BASE: dict[str, Any] = {"lvmc": 1, "name": "example", "layers": {"h1": {"channels": 1, "filter": 1}}}


def test_the_zoo_ships_the_schema_of_this_version(golden: Golden) -> None:
    golden(specs.path("two_layer").with_name("schema.json"), json.dumps(SCHEMA, indent=2, ensure_ascii=False) + "\n")


@pytest.mark.parametrize("name", specs.names())
def test_the_schema_takes_the_zoo(name: str) -> None:
    text = specs.path(name).read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    assert accepts(SCHEMA, parse(text, name).values, SCHEMA)


@pytest.mark.parametrize("name", TEXTS)
def test_the_schema_takes_every_form(name: str) -> None:
    assert accepts(SCHEMA, parse(text_of(name), name).values, SCHEMA)


@given(random_specs())
def test_the_schema_takes_random_specs(values: dict[str, Any]) -> None:
    assert accepts(SCHEMA, values, SCHEMA)


@pytest.mark.parametrize(
    "change",
    [
        {"lvmc": 2},
        {"nom": "example"},
        {"layers": {}},
        {"layers": {"h1": {"channels": 1, "filtre": 1}}},
        {"layers": {"h1": {"channels": 0, "filter": 1}}},
        {"layers": {"h1": {"channels": 1, "filter": [1, 2, 3]}}},
        {"layers": {"h1": {"channels": 1, "from": {"x": {"filtre": 1}}}}},
        {"layers": {"h1": {"channels": 1, "filter": 1, "nms": {"windows": 2}}}},
        {"layers": {"h1": {"channels": 1, "filter": 1, "unit": "relu"}}},
        {"layers": {"h1": {"channels": 1, "filter": 1, "bias": "yes"}}},
        {"layers": {"h1": {"channels": 1, "filter": 1, "init": {"normal": 1, "bias": "he"}}}},
        {"inference": {"passes": 1.5}},
        {"heads": {"k": {"kind": "heatmaps", "channels": 1, "reads": "h1"}}},
        {"layers": {"h1": {"channels": 1, "filter": 1, "init": "weights.pth"}}},
        {"train": {"epoch": 3}},
        {"train": {"epochs": 0}},
        {"train": {"data": {"kind": "figure"}}},
        {"train": {"data": {"kind": "npz"}}},
        {"train": {"data": {"kind": "masks", "images": "a", "masks": "b", "validation": 2}}},
        {"train": {"optimizer": "adamw"}},
        {"train": {"optimizer": {"kind": "sgd", "momentum": 1}}},
        {"train": {"schedule": {"step": [3]}}},
        {"train": {"augment": {"flip": 2}}},
        {"train": {"augment": {"occluder": [0.5]}}},
        {"train": {"targets": {"k": {"radus": 1}}}},
        {"train": {"stages": [{"rate": 1}]}},
        {"train": {"workers": -1}},
        {"train": {"init": "weights.pth"}},
        {"heads": {"k": {"kind": "heatmap", "outputs": 1, "reads": "h1"}}},
        {"heads": {"k": {"kind": "heatmap", "channels": 1, "reads": {"h1": {"stride": 1}}}}},
    ],
)
def test_the_schema_refuses_mistakes(change: dict[str, Any]) -> None:
    assert accepts(SCHEMA, BASE, SCHEMA)
    assert not accepts(SCHEMA, BASE | change, SCHEMA)


def test_the_schema_knows_the_keys_that_messages_name() -> None:
    layer = SCHEMA["$defs"]["Layer"]
    assert set(layer["properties"]) == set(known_keys(("layers", "h1"), {}))
    assert set(SCHEMA["properties"]) == set(known_keys((), {}))
    assert layer["required"] == ["channels"]


def test_the_schema_is_shipped_beside_the_specs() -> None:
    assert json.loads((Path(specs.path("two_layer")).parent / "schema.json").read_text(encoding="utf-8")) == SCHEMA
