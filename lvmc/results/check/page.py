"""A check as one self-contained HTML page: no network, no scripts, its pictures inside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from math import isfinite
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from lvmc.diagnostics.answers import Check
from lvmc.graph.form import Form
from lvmc.results.check.curves import draw_curves, draw_moves, svg_of
from lvmc.results.check.interval import in_cone, intervals
from lvmc.results.check.maps import maps
from lvmc.results.check.margins import margins
from lvmc.results.check.network import network
from lvmc.results.check.numbers import duration, figure, percent
from lvmc.results.check.passes import passes_said, slopes
from lvmc.results.check.theorems import sureness, theorem
from lvmc.results.check.witness import shown_witness, strongest_pairs
from lvmc.results.check.words import answer_word, at_the_floor, band, said, scales

HERE = Path(__file__).parent
MOST_PAIRS = 8


@dataclass(frozen=True, slots=True)
class About:
    """What a page says of its making.

    Attributes:
        model: The spec or folder that was checked, as it was named.
        weights: Where the weights are from, in words.
        version: Of lvmc.
        made: When, in words; empty to leave it out.
        files: Certificate and witness files that were written, by what they hold.
    """

    model: str
    weights: str
    version: str
    made: str = ""
    files: Mapping[str, Path] = field(default_factory=dict[str, Path])


def page_of(check: Check, about: About) -> str:
    """The page of a check; every text in it is escaped."""
    curves = "" if check.trace is None else svg_of(draw_curves(check.trace, slopes(check)), "curves")
    moved = check.outer is not None and any(max(each) > 0 for each in check.outer.moves.values())
    moves = svg_of(draw_moves(check.outer), "moves") if check.outer is not None and moved else ""
    return _template().render(
        check=check,
        about=about,
        finite=isfinite,
        in_cone=in_cone,
        said=said(check),
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        size=size_words(check.form),
        witness=shown_witness(check),
        network=network(check),
        pairs=strongest_pairs(check.excitations, MOST_PAIRS),
        maps=maps(check),
        curves=curves,
        moves=moves,
        passes=passes_said(check),
        margins=margins(check),
        intervals=intervals(check),
        band=band(check),
        weighed=any(each.share for each in check.layers),
        scales=scales(check),
        floor=at_the_floor(check),
    )


def size_words(form: Form | None) -> str:
    """How many layers, couplings and units a form has."""
    if form is None or not form.blocks:
        return ""
    layers, couplings = len(form.blocks), len(form.edges) + len(form.sides)
    return (
        f"{form.units:,} units in {layers} layer{'' if layers == 1 else 's'}, "
        f"{couplings} coupling{'' if couplings == 1 else 's'}"
    )


@cache
def _template() -> Template:
    made = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(
        figure=figure, percent=percent, duration=duration, answer=answer_word, theorem=theorem, sureness=sureness
    )
    return made.get_template("page.html.jinja")
