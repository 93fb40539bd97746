"""From the text of a study to its record: every mistake found, in the user's words and at its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lvmc.errors import Problem, SpecError
from lvmc.records import PROBLEM, Record, closest, nearest, shown
from lvmc.source import Document
from lvmc.study.record import PLOTS, Grid, Report, Study, Variant
from lvmc.values import Path, at, dotted, holds, keyed, under

_EXAMPLES = {
    "lvmc_study": "begin with lvmc_study: 1",
    "name": "for example name: faces",
    "seeds": "for example seeds: [0, 1, 2]",
    "variants": "for example variants: {QP1: {set: {inference.passes: 1}}, QP2: {set: {inference.passes: 2}}}",
    "set": "for example set: {train.epochs: 20}",
    "grid": 'for example grid: {name: "QP{k}", axes: {k: {inference.passes: [1, 2, 3]}}}',
    "axes": "for example axes: {k: {inference.passes: [1, 2, 3]}}",
    "figures": "for example figures: {test/keypoints/nme: clean NME}",
    "curves": "for example curves: {covered/keypoints/pck_hidden: hidden points}",
    "kind": "one of " + ", ".join(PLOTS),
    "plot": "for example plot: {kind: by_variant}",
}


def read_study(document: Document) -> Study:
    """The study of a document.

    Raises:
        SpecError: All its mistakes.
    """
    if keyed(document.values) is None:
        fault = f"a study is a mapping, not {shown(document.values)}"
        raise SpecError([*document.problems, Problem(document.place(()), fault, _EXAMPLES["lvmc_study"])])
    try:
        study = Study.model_validate(document.values)
    except ValidationError as error:
        found = [(_path(each, document.values), each) for each in error.errors(include_url=False)]
        told = [_problem(path, each, document) for path, each in found if not _follows(path, each, document)]
        raise SpecError([*document.problems, *told]) from None
    if document.problems:
        raise SpecError(document.problems)
    return study


def check_names(study: Study, names: list[str], document: Document) -> None:
    """Raise a SpecError unless everything that the report calls a variant is one of `names`."""
    problems = [
        Problem(document.place(path), f"no variant is called {shown(name)}", nearest(name, names))
        for path, name in _named(study, document)
        if name not in names
    ]
    if problems:
        raise SpecError(problems)


def _named(study: Study, document: Document) -> Iterator[tuple[Path, str]]:
    """Every name of a variant in the report, and where it stands."""
    for number, pair in enumerate(study.report.compare):
        for side, name in enumerate(pair):
            yield ("report", "compare", number, side), name
    for number, plot in enumerate(study.report.plot):
        several = keyed(at(document.values, ("report", "plot"))) is None
        around: Path = ("report", "plot", number) if several else ("report", "plot")
        for index, name in enumerate(plot.variants or ()):
            yield (*around, "variants", index), name


def _path(details: ErrorDetails, values: Any) -> Path:
    """pydantic's location without what is no key of the text: names of union members, and the number of a sole plot."""
    path: list[str | int] = []
    location = details["loc"]
    for step, key in enumerate(location):
        if holds(values, key) and not (location[:2] == ("report", "plot") and step == 3 and key in PLOTS):
            path.append(key)
            values = under(values, key)
        elif step == len(location) - 1 and details["type"] == "missing":
            path.append(key)
    return tuple(path)


def _follows(path: Path, details: ErrorDetails, document: Document) -> bool:
    """Whether a key is missing as it is misspelt."""
    if details["type"] != "missing":
        return False
    around = keyed(at(document.values, path[:-1])) or {}
    unknown = [key for key in around if key not in _keys(path[:-1], document.values)]
    return closest(str(path[-1]), unknown) is not None


def _problem(path: Path, details: ErrorDetails, document: Document) -> Problem:
    key = str(path[-1]) if path else ""
    where = f"'{dotted(path[:-1])}'" if path[:-1] else "the study"
    match details["type"]:
        case "missing":
            place = document.place(path[:-1], on_key=True)
            return Problem(place, f"{where} needs '{key}'", _EXAMPLES.get(key, f"write {key}: …"))
        case "extra_forbidden":
            remedy = nearest(key, _keys(path[:-1], document.values))
            return Problem(document.place(path, on_key=True), f"unknown key {shown(key)} in {where}", remedy)
        case "union_tag_invalid":
            kind = under(details["input"], "kind")
            return Problem(
                document.place((*path, "kind")), f"no plot is of kind {shown(kind)}", nearest(str(kind), PLOTS)
            )
        case "union_tag_not_found":
            return Problem(document.place(path, on_key=True), f"'{dotted(path)}' needs 'kind'", _EXAMPLES["kind"])
        case kind if kind == PROBLEM:
            context: dict[str, Any] = details.get("ctx", {})
            fault = str(context["fault"])
            named = f"'{key}' {fault}" if key and not fault.startswith("this is") else fault
            return Problem(document.place(path), named, str(context["remedy"]))
        case kind:
            expected = "text" if kind == "string_type" else "a mapping"
            remedy = "write text in quotes" if kind == "string_type" else _EXAMPLES.get(key, "write {key: value}")
            given = details["input"]
            place = document.place(path, on_key=given is None)
            return Problem(place, f"'{key}' should be {expected}, not {shown(given)}", remedy)


def _keys(path: Path, values: Any) -> list[str]:
    """Keys that the section at `path` takes."""
    record = _record(path, values)
    return [field.alias or name for name, field in record.model_fields.items()] if record else []


def _record(path: Path, values: Any) -> type[Record] | None:
    match path:
        case ():
            return Study
        case ("variants", _):
            return Variant
        case ("grid",):
            return Grid
        case ("report",):
            return Report
        case ("report", "plot", *_):
            return PLOTS.get(str(under(at(values, path), "kind")))
        case _:
            return None
