"""Reading a spec: one mistake hides no other, follows from no other, and no values give a traceback."""

from __future__ import annotations

from copy import deepcopy
from io import StringIO
from random import Random
from typing import Any

import pytest

from lvmc import Spec, SpecError, dump, load, specs
from lvmc.source import parse

from .test_write import TEXTS, reloaded, text_of

VALUES: list[Any] = [
    None, True, False, 0, 1, 2, 3, -1, 7, 64, 10**6, 10**13, 10**400, 0.0, 1e-3, float("nan"), float("inf"), "", "none",
    "same", "full", "h1", "image", "learned", "drive", "message", "on", "last", "each", "\x1b[3m", "é", "x" * 1000, [],
    [1], [3, 3], [0, 0], [1, 2, 3], [[1]], ["h1"], ["h1", "h1"], [None], [1.5, 2], {}, {"a": 1}, {"filter": 2},
    {"h1": {}}, {"h1": None}, {"window": 2}, {"kind": "drive"}, {"kind": []}, {"normal": -1}, {"map": [7, 7]}, {1: 2},
    {None: 1}, (1, 2), b"bytes", {1, 2}, object(), 2j, "x.npz", "x.safetensors", "figures", {"kind": "npz"},
    {"kind": "sgd"}, {"epochs": 3}, [{"epochs": 3}], {"steps": [3]},
]  # fmt: skip
KEYS = [
    "channels", "from", "filter", "stride", "padding", "nms", "unit", "size", "kind", "reads", "at", "norm", "init",
    "lvmc", "name", "layers", "heads", "until", "train", "<<", "data", "epochs", "stages",
]  # fmt: skip


def paths(values: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) of nested values."""
    found: list[tuple[Any, Any]] = []
    keys = list(values) if isinstance(values, dict) else range(len(values)) if isinstance(values, list) else []
    for key in keys:
        found += [(values, key), *paths(values[key])]
    return found


def spoil(values: dict[str, Any], random: Random) -> dict[str, Any]:
    """The values with one to three of them replaced, taken out, renamed, or added to."""
    values = deepcopy(values)
    for _ in range(random.choice([1, 1, 2, 3])):
        inside, key = random.choice(paths(values) or [(values, "name")])
        match random.choice(["replace", "replace", "remove", "rename", "add"]):
            case "replace":
                inside[key] = deepcopy(random.choice(VALUES))
            case "remove":
                inside.pop(key) if isinstance(inside, list) else inside.pop(key, None)
            case "rename" if isinstance(inside, dict):
                inside[random.choice(KEYS)] = inside.pop(key, 1)
            case _ if isinstance(inside, dict):
                inside[random.choice(KEYS)] = deepcopy(random.choice(VALUES))
            case _:
                inside.insert(0, deepcopy(random.choice(VALUES)))
    return values


def read(source: Any) -> Spec | SpecError:
    """The spec, which its dump gives again, or the error, every problem of which has a remedy."""
    try:
        spec = load(source)
    except SpecError as error:
        return with_remedies(error)
    assert reloaded(spec) == spec
    return spec


def with_remedies(error: SpecError) -> SpecError:
    assert error.problems
    assert [problem for problem in error.problems if not problem.remedy] == []
    return error


def test_spoilt_values_load_or_are_refused_and_nothing_else() -> None:
    random, outcomes = Random(0), {"loaded": 0, "refused": 0}
    sources = [parse(specs.path(name).read_text(encoding="utf-8"), name).values for name in specs.names()]
    sources += [parse(text_of(name), name).values for name in TEXTS]
    for _ in range(3000):
        outcome = read(spoil(random.choice(sources), random))
        outcomes["refused" if isinstance(outcome, SpecError) else "loaded"] += 1
    assert min(outcomes.values()) > 50


def test_spoilt_text_loads_or_is_refused_and_nothing_else() -> None:
    random, outcomes = Random(0), {"loaded": 0, "refused": 0}
    texts = [text_of(name) for name in TEXTS] + [dump(load(name)) for name in specs.names()]
    pieces = [*"{}[]:,-&*!|>'\"%@`#?\t\n \\0a\0\u2028", "\r\n", "---", "...", "<<: ", "&a ", "*a ", "!!int ", ": ", "~"]
    for _ in range(1500):
        text = random.choice(texts)
        for _ in range(random.choice([1, 1, 2, 8])):
            at = random.randrange(len(text))
            text = text[:at] + random.choice(pieces) + text[at + random.choice([0, 0, 1, 5]) :]
        outcome = read(StringIO(text))
        outcomes["refused" if isinstance(outcome, SpecError) else "loaded"] += 1
    assert min(outcomes.values()) > 50


@pytest.mark.parametrize(
    ("layer", "faults"),
    [
        ({"channels": "x", "filter": 1, "diagonal": [1.0, 2.0]}, ["layers.h1.channels"]),
        ({"chanels": 3, "filter": 1}, ["layers.h1.chanels"]),
        ({"channels": 3, "filtr": 1}, ["layers.h1.filtr"]),
        ({"channels": 3, "<<": {"filter": 1}}, ["layers.h1.<<"]),
        ({"channels": 3, "filter": 1, "stride": 0, "nms": 7}, ["layers.h1.stride"]),
        ({"channels": 3, "filter": 1, "color": 0, "nms": 7}, ["layers.h1.color", "layers.h1.nms"]),
        ({"channels": 3, "filter": 1, "unit": "relu", "upper": 1}, ["layers.h1.unit"]),
        ({"channels": 3, "filter": 1, "unit": "relu", "upper": 0}, ["layers.h1.unit", "layers.h1.upper"]),
        ({"channels": 3, "from": "none", "size": "big"}, ["layers.h1.size"]),
        (
            {"channels": 3, "filter": 1, "nms": {"windw": 2, "channels": 2}},
            ["layers.h1.nms.channels", "layers.h1.nms.windw"],
        ),
        (3, ["layers.h1"]),
    ],
)
def test_no_mistake_is_told_twice_and_none_is_hidden(layer: Any, faults: list[str]) -> None:
    """What follows from a mistake is not reported; what does not is."""
    head = {"kind": "classes", "outputs": 2, "reads": "h1"}
    inputs = {"image": {"channels": 1, "size": 8}}
    with pytest.raises(SpecError) as caught:
        load({"lvmc": 1, "name": "bad", "inputs": inputs, "layers": {"h1": layer}, "heads": {"label": head}})
    assert [problem.place for problem in caught.value.problems] == [f"spec: {fault}" for fault in faults]
