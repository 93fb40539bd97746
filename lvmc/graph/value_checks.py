"""Mistakes of heads that learn numbers of the data: which of them, in mirrored pictures, and where they lie."""

from __future__ import annotations

from lvmc.graph.findings import Findings
from lvmc.heads.density import Density
from lvmc.heads.heatmap import Heatmap
from lvmc.heads.lift import Lift
from lvmc.heads.vector import Vector
from lvmc.spec import Spec, Train
from lvmc.spec.data import Npz
from lvmc.values import Path

_DATA: Path = ("train", "data")


def check_values(spec: Spec, train: Train, findings: Findings) -> None:
    """Columns of `data.values` are those of the heads, and mirrored pictures have values of their own."""
    numbers = _numbers(spec)
    for name in train.targets:
        if isinstance(spec.heads.get(name), Vector | Density | Heatmap | Lift):
            _check_columns(name, numbers, train, findings)
    if not isinstance(train.data, Npz):
        return
    if not train.learns_values:
        if train.data.signs is not None:
            fault = "'signs' says what mirrored values are, and 'values' names none"
            findings.add(
                (*_DATA, "signs"), fault, "write values: NAME, an array of the file, or leave it out", on_key=True
            )
        return
    if not numbers:
        remedy = "add a head, for example {kind: vector, outputs: 1, reads: h1}, or leave 'values' out"
        findings.add((*_DATA, "values"), "no head learns values", remedy, on_key=True, needs=(("heads",),))
    _check_mirrored(numbers, train, train.data, findings)
    for name, head in spec.heads.items():
        if isinstance(head, Density) and head.model == "energy" and head.range is None:
            fault = f"'{name}' learns values, and needs 'range', where they are looked for"
            remedy = "write about where values lie, for example range: [0, 100]"
            findings.add(("heads", name), fault, remedy, on_key=True, needs=(("heads", name, "range"),))


def _numbers(spec: Spec) -> dict[str, tuple[str, int]]:
    """The heads that give numbers: by what key, and how many."""
    vectors = {name: ("outputs", head.outputs) for name, head in spec.heads.items() if isinstance(head, Vector)}
    return vectors | {name: ("dims", head.dims) for name, head in spec.heads.items() if isinstance(head, Density)}


def _check_columns(name: str, numbers: dict[str, tuple[str, int]], train: Train, findings: Findings) -> None:
    columns, path = train.columns(name), ("train", "targets", name, "values")
    if columns is None:
        return
    if name not in numbers:
        fault = f"'{name}' learns no values: vector and density heads do"
        findings.add(path, fault, "leave 'values' out", on_key=True, needs=(("heads", name),))
    elif not train.learns_values:
        remedy = "name an array: data: {kind: npz, file: …, values: NAME}"
        findings.add(path, "the data have no values", remedy, on_key=True, needs=(_DATA,))
    elif len(set(columns)) < len(columns):
        findings.add(path, "a value is named twice", "name each value once")
    elif len(columns) != numbers[name][1]:
        key, many = numbers[name]
        fault = f"'{name}' gives {many} number{'s' * (many > 1)}, and 'values' has {len(columns)} entries"
        findings.add(path, fault, "name a value for each number", needs=(("heads", name, key),))


def _check_mirrored(numbers: dict[str, tuple[str, int]], train: Train, data: Npz, findings: Findings) -> None:
    """What a mirrored picture does to values is said, as a sign; their predictions have no mirror image."""
    if train.augment.flip and data.signs is None:
        fault = "pictures would be mirrored (augment.flip), and nothing says what that does to values"
        remedy = "write signs: [-1] for a value that changes its sign then ([1]: that stays), or augment: {flip: 0}"
        needs = ((*_DATA, "signs"), ("train", "augment"))
        findings.add((*_DATA, "values"), fault, remedy, on_key=True, needs=needs)
    for name, (key, many) in numbers.items():
        if data.signs is not None and train.columns(name) is None and len(data.signs) != many:
            fault = f"'signs' has {len(data.signs)} entries for the {many} numbers of '{name}'"
            findings.add((*_DATA, "signs"), fault, "write one entry a value", needs=(("heads", name, key),))
    if train.evaluate.mirror:
        fault = "what heads say of values is not averaged with what they say of the mirrored picture"
        findings.add(("train", "evaluate", "mirror"), fault, "write mirror: false", on_key=True)
