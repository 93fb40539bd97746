"""Values of a spec changed from outside: `--set train.epochs=5`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any

from pydantic_core import PydanticCustomError

from lvmc.errors import Problem, Span, SpecError
from lvmc.source import Document, parse, plain
from lvmc.spec.augment import long_augment
from lvmc.spec.changes import Change, change_to, changed
from lvmc.spec.data import long_data
from lvmc.spec.optimizer import long_optimizer
from lvmc.values import Path, at, keyed, under

FROM = "--set"
"""How messages call the text of a change."""

_LONG: dict[Path, Callable[[Any], Any]] = {
    ("train", "data"): long_data,
    ("train", "optimizer"): long_optimizer,
    ("train", "augment"): long_augment,
}


def overridden(document: Document, texts: Sequence[str]) -> Document:
    """The document with values changed by texts such as `train.epochs=5`: a dotted path, `=`, and a YAML value.

    Sections that are not there are made. Entries of lists go by number, from 0. Mistakes in a value are reported later,
    at their place in the text.

    Args:
        document: Is left as it is.
        texts: In this order.

    Raises:
        SpecError: A text is no such change, or its path leads through a value that has no keys.
    """
    if () not in document.spans:
        document = plain(document)
    problems: list[Problem] = []
    for text in texts:
        try:
            change = _change(text)
            document = changed(opened(document, change.steps), [change])
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    return document


def _change(text: str) -> Change:
    path, equals, value = text.partition("=")
    if not equals or not all(word and word == word.strip() for word in path.split(".")):
        fault = "a change is a dotted path, '=' and a value"
        raise SpecError([Problem(f"{FROM} {text}", fault, "for example train.epochs=5")])
    start, word = len(path) + 1, len(path.rpartition(".")[0])
    key = Span(FROM, 1, word + 2 if word else 1, start, text)
    return change_to(path, _value(text, start, value), (), key)


def _value(text: str, start: int, value: str) -> Document:
    """The value as a document, with its places in the whole text."""
    try:
        read = parse(" " * start + (value if value.strip() else "null"), FROM)
    except SpecError as error:
        raise SpecError([_placed(problem, text) for problem in error.problems]) from None
    if read.problems:
        raise SpecError([_placed(problem, text) for problem in read.problems])
    keys = {path: replace(span, text=text) for path, span in read.keys.items()}
    spans = {path: replace(span, text=text) for path, span in read.spans.items()}
    return replace(read, keys=keys, spans=spans)


def _placed(problem: Problem, text: str) -> Problem:
    place = problem.place
    return replace(problem, place=f"{FROM} {text}" if isinstance(place, str) else replace(place, text=text))


def opened(document: Document, steps: Path) -> Document:
    """The document with the short form that a path leads into written as the mapping it stands for."""
    path, value = steps[:2], at(document.values, steps[:2])
    if path not in _LONG or len(steps) < 3:
        return document
    if path == ("train", "data") and value is None:
        value = "figures"
    section = under(document.values, "train")
    if value is None or not (keyed(document.values) is not None and (section is None or keyed(section) is not None)):
        return document
    try:
        long = _LONG[path](value)
    except PydanticCustomError:
        return document
    values = deepcopy(document.values)
    values["train"] = (section or {}) | {steps[1]: long}
    return replace(document, values=values)
