"""A study: variants of a spec, the seeds they are trained from, and what is reported of them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from lvmc.records import Record, Text, nearest, shown, whole, wrong
from lvmc.values import keyed, listed

SETS = ("validation", "test", "covered")
NAMED = "write at most 60 letters, digits and _ . + -"
_NAME = re.compile(r"\w[\w.+-]{0,59}")


def _version(value: Any) -> Any:
    if whole(value) and value == 1:
        return value
    raise wrong(f"this is version 1 of studies, not {shown(value)}", "write lvmc_study: 1")


def fits(name: str) -> bool:
    """Whether a study or a variant can be called so: folders are."""
    return _NAME.fullmatch(name) is not None


def _name(value: Any) -> str:
    if not isinstance(value, str) or not fits(value):
        raise wrong(f"should be a name for a folder, not {shown(value)}", NAMED)
    return value


def _texts(value: Any) -> tuple[str, ...]:
    items = listed(value)
    if items is None or not all(isinstance(each, str) for each in items):
        raise wrong(f"should be a list of names, not {shown(value)}", "for example [QP1, QP2]")
    return tuple(items)


def _sets(value: Any) -> tuple[str, ...]:
    names = _texts(value)
    for name in names:
        if name not in SETS:
            raise wrong(f"names no set {shown(name)}", nearest(name, SETS))
    if not names:
        raise wrong("should name a set or more", "for example [test, covered]")
    return names


def _seeds(value: Any) -> tuple[int, ...]:
    items = listed(value)
    if not items or not all(whole(each) and 0 <= each < 2**31 for each in items):
        raise wrong(f"should be a list of whole numbers from 0, not {shown(value)}", "for example [0, 1, 2]")
    if len(set(items)) < len(items):
        raise wrong("names a seed twice", "each seed is one run of a variant")
    return tuple(items)


def _pairs(value: Any) -> tuple[tuple[str, str], ...]:
    items = [listed(each) for each in listed(value) or ()]
    pairs = [each for each in items if each and len(each) == 2 and all(isinstance(name, str) for name in each)]
    if listed(value) is None or len(pairs) < len(items):
        raise wrong(f"should be a list of pairs of variants, not {shown(value)}", "for example [[QP2, QP1]]")
    return tuple((first, second) for first, second in pairs)


def _or_nothing(value: Any) -> Any:
    return {} if value is None else value


def _several(value: Any) -> Any:
    entries = keyed(value)
    return (value,) if entries is not None else tuple(listed(value) or ()) or value


def _axis(value: Any) -> dict[str, tuple[Any, ...]]:
    entries = keyed(value)
    columns = {path: tuple(listed(each) or ()) for path, each in entries.items()} if entries else {}
    if not columns or not all(columns.values()):
        raise wrong(
            f"should give lists of values by path, not {shown(value)}", "for example {inference.passes: [1, 2]}"
        )
    if len({len(each) for each in columns.values()}) > 1:
        raise wrong("gives lists of different lengths", "the values of one axis are taken together, one of each list")
    for each in next(iter(columns.values())):
        if listed(each) is not None or keyed(each) is not None:
            raise wrong(f"has {shown(each)}, which cannot stand in a name", "list words or numbers first")
    return columns


Name = Annotated[str, BeforeValidator(_name)]
Names = Annotated[tuple[str, ...], BeforeValidator(_texts)]
Changes = dict[str, Any]
"""Values by dotted path of a spec."""


class Variant(Record):
    """A spec, `base` if none is named, with changes of its own after those of the study."""

    spec: Text | None = None
    changes: Annotated[Changes, BeforeValidator(_or_nothing)] = Field(default_factory=Changes, alias="set")


class Grid(Record):
    """Variants made as a product of axes; `name` says how they are called: `QP{k}`.

    An axis gives lists of values by path, of one length, which go along together: {k: {inference.passes: [1, 2, 3]}}.
    In names, `{k}` is the value of its first path.
    """

    name: Text
    axes: Annotated[dict[str, Annotated[dict[str, tuple[Any, ...]], BeforeValidator(_axis)]], Field(min_length=1)]


class Curve(Record):
    """Curves of an evaluation against their threshold: a panel a curve, a line a variant, a band of one s.d."""

    kind: Literal["curve"]
    curves: Annotated[dict[str, Text], Field(min_length=1)]
    variants: Names | None = None
    label: Text = "threshold"


class ByVariant(Record):
    """Figures of the variants beside each other: mean, s.d. and single seeds; a panel a figure.

    With `by`, a path of the specs, variants stand at its value; else by name, in the order of the study. With `lines`,
    another path, those of one value there are joined, and get a colour.
    """

    kind: Literal["by_variant"]
    figures: Names | None = None
    variants: Names | None = None
    by: Text | None = None
    lines: Text | None = None
    label: Text | None = None


PLOTS: dict[str, type[Record]] = {"curve": Curve, "by_variant": ByVariant}
Plot = Annotated[Curve | ByVariant, Field(discriminator="kind")]


class Report(Record):
    """What the table and the plots show; `figures` gives titles by figure (all, if it gives none)."""

    figures: dict[str, Text] = Field(default_factory=dict[str, str])
    compare: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs)] = ()
    plot: Annotated[tuple[Plot, ...], BeforeValidator(_several)] = ()


class Study(Record):
    """What is trained, how often, and what is reported."""

    lvmc_study: Annotated[Literal[1], BeforeValidator(_version)]
    name: Name
    title: Text | None = None
    base: Text | None = None
    changes: Annotated[Changes, BeforeValidator(_or_nothing)] = Field(default_factory=Changes, alias="set")
    variants: dict[str, Annotated[Variant, BeforeValidator(_or_nothing)]] = Field(default_factory=dict[str, Variant])
    grid: Grid | None = None
    seeds: Annotated[tuple[int, ...], BeforeValidator(_seeds)]
    evaluate: Annotated[tuple[str, ...], BeforeValidator(_sets)] = ("test", "covered")
    report: Report = Report()
