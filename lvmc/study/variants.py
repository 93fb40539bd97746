"""The variants of a study: those written out, and those a grid makes, each as changes of a spec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from lvmc.errors import Problem, SpecError
from lvmc.records import shown
from lvmc.source import Document
from lvmc.spec.changes import Change, change, change_to
from lvmc.study.record import NAMED, Study, fits
from lvmc.values import at, keyed

MOST_RUNS = 10_000
_SEED = "train.seed"


@dataclass(frozen=True, slots=True)
class Made:
    """A variant: the spec that it changes, with the place of its name, and its changes in order."""

    spec: str | None
    place: tuple[str, ...]
    changes: tuple[Change, ...]


def variants(study: Study, document: Document) -> dict[str, Made]:
    """All variants by name: those written out, then the grid's.

    Raises:
        SpecError: There are none, or two of a name; a name fits no folder; one has no spec, or sets its seed.
    """
    common = _changes(document, ("set",))
    made = {
        name: Made(
            each.spec or study.base,
            ("variants", name, "spec") if each.spec else ("base",),
            (*common, *_changes(document, ("variants", name, "set"))),
        )
        for name, each in study.variants.items()
    }
    for name, changes in _grid(study, document):
        if name in made:
            fault = f"makes a second variant {shown(name)}"
            raise SpecError([Problem(document.place(("grid", "name")), fault, "let the name tell all axes: QP{k}_{n}")])
        made[name] = Made(study.base, ("base",), (*common, *changes))
    _check(study, made, document)
    return made


def _check(study: Study, made: Mapping[str, Made], document: Document) -> None:
    """Raise a SpecError unless there are variants, each with a spec, a proper name, and no seed of its own."""
    if not made:
        place, remedy = document.place(()), "write variants: {QP1: {set: {inference.passes: 1}}}, or a grid"
        raise SpecError([Problem(place, "the study has no variants", remedy)])
    if len(made) * len(study.seeds) > MOST_RUNS:
        raise SpecError([Problem(document.place(("seeds",)), f"more than {MOST_RUNS:,} runs", "leave some out")])
    problems: list[Problem] = []
    for name, each in made.items():
        place = document.place(("variants", name) if name in study.variants else ("grid", "name"), on_key=True)
        if not fits(name):
            problems.append(Problem(place, f"a variant cannot be called {shown(name)}", NAMED))
        if each.spec is None:
            problems.append(Problem(place, f"variant {shown(name)} has no spec", "write base: my_spec.yaml"))
        problems += [
            Problem(item.key, "the seed is given by 'seeds'", "leave it out")
            for item in each.changes
            if item.path == _SEED
        ]
    if problems:
        raise SpecError(problems)


def _changes(document: Document, path: tuple[str, ...]) -> list[Change]:
    section = keyed(at(document.values, path)) or {}
    return [change(document, (*path, key)) for key in section]


def _grid(study: Study, document: Document) -> Iterator[tuple[str, list[Change]]]:
    """Names and changes of a product's variants, the last axis running fastest."""
    grid = study.grid
    if grid is None:
        return
    lengths = {axis: len(next(iter(columns.values()))) for axis, columns in grid.axes.items()}
    for numbers in product(*map(range, lengths.values())):
        chosen = dict(zip(grid.axes, numbers, strict=True))
        shown_as = {axis: _word(next(iter(grid.axes[axis].values()))[number]) for axis, number in chosen.items()}
        try:
            name = grid.name.format_map(shown_as)
        except (KeyError, ValueError, IndexError, AttributeError):
            remedy = "known here: " + ", ".join(f"{{{axis}}}" for axis in grid.axes)
            raise SpecError([Problem(document.place(("grid", "name")), "names no axis of the grid", remedy)]) from None
        yield (
            name,
            [
                change_to(path, document, (*around, number), document.place(around, on_key=True))
                for axis, number in chosen.items()
                for path in grid.axes[axis]
                for around in [("grid", "axes", axis, path)]
            ],
        )


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) or value is None else str(value)
