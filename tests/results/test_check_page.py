"""The page, the document and the sentences of a check: they say what the check says, whole, small and escaped."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass, replace
from functools import cache
from html.parser import HTMLParser
from itertools import combinations, pairwise, product
from math import inf, nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lvmc.diagnostics.answers import Check, Excitation, LayerMargin
from lvmc.graph.form import form_of
from lvmc.loading import resolve
from lvmc.results.check import About, document_of, figure, page_of, said
from lvmc.results.check.interval import intervals
from lvmc.results.check.maps import picture
from lvmc.results.check.network import network
from lvmc.results.check.numbers import duration, listed, percent
from lvmc.results.check.theorems import THEOREMS
from lvmc.results.check.witness import channel_shares, strongest_channels, strongest_pairs
from lvmc.results.check.words import outcome_of, scales
from lvmc.verdicts import Verdict, Witness
from lvmc.verdicts.verify.checker import OF_MATRICES, OF_NETS

from . import checks

ABOUT = About("net.yaml", "net/weights.safetensors", "0.1.0", "2026-01-02", {"certificate": Path("c.npz")})
VOID = {"meta", "img", "br", "path", "rect", "line", "use", "link"}
HOSTILE = "<script>alert('x')</script>&amp;\"'{{ 1 }}"


@cache
def made(name: str) -> Check:
    return getattr(checks, name)()


class Page(HTMLParser):
    """What a page holds: tags in order with their attributes, text outside of style, and whether tags are balanced."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self.open, f"</{tag}> ends nothing"
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "style" not in self.open:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for found, attributes in self.tags if found == tag]

    @property
    def said(self) -> str:
        return " ".join(" ".join(self.text).split())


KINDS = ("refuted", "proved", "undecided", "without_energy")


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_is_whole_and_needs_nothing_else(kind: str) -> None:
    text = page_of(made(kind), ABOUT)
    found = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    assert text == page_of(made(kind), ABOUT)
    assert not found.all("script") + found.all("link") + found.all("iframe")
    assert "@import" not in text
    assert all(each["src"].startswith("data:image/png;base64,") for each in found.all("img"))
    named = [value for _, attributes in found.tags for key, value in attributes.items() if "href" in key]
    assert all(value.startswith("#") for value in named)
    ids = [attributes["id"] for _, attributes in found.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {value[1:] for value in named} <= set(ids)
    assert len(text) < 150_000


@pytest.mark.parametrize("kind", KINDS)
def test_every_picture_has_words(kind: str) -> None:
    found = Page(page_of(made(kind), ABOUT))
    assert all(each["alt"] for each in found.all("img"))
    figures = [each for each in found.all("figure") if each.get("role") == "img"]
    assert all(each["aria-label"] for each in figures)
    drawn = [each for each in found.all("svg") if each.get("class") == "drawn"]
    assert len(found.all("svg")) == len(figures) + len(drawn)
    ids = {attributes.get("id") for _, attributes in found.tags}
    assert all(each["role"] == "img" and each["aria-labelledby"] in ids for each in drawn)


def test_a_page_says_the_verdict_first_and_then_why() -> None:
    check = made("refuted")
    found = Page(page_of(check, ABOUT)).said
    wanted = [
        "More passes can make the score grow for ever.",
        "−W is not copositive: S grows for ever along a ray that excites h2, h1 and h3.",
        "What to change",
        "scale `h3.weight` by ≤ 0.31: it holds",
        "diagonal ≥ 1.4 in every layer: undecided",
        "What excites what",
        "How the passes went",
        "What each stage found",
        "Margins by layer",
        "lvmc verify c.npz",
    ]
    places = [found.find(each) for each in wanted]
    assert min(places) >= 0, wanted[places.index(-1)]
    assert places == sorted(places)


def test_a_proof_says_its_theorem_and_how_sure_it_is() -> None:
    found = Page(page_of(made("proved"), ABOUT)).said
    assert "Weighted dominance of |C|" in found
    assert "It is a proof" in found
    assert "at every image size" in found
    proof = made("proved").certificate
    assert proof is not None
    likely = replace(proof, kind="lanczos", chance=1e-6, facts={})
    check = replace(made("proved"), every_size=False, verdict=replace(made("proved").verdict, certificate=likely))
    found = Page(page_of(check, ABOUT)).said
    assert "chance of at most 1e-06" in found
    assert "Kuczyński" in found
    assert "at every image size" not in said(check).sentence


def test_every_kind_of_certificate_has_its_theorem() -> None:
    assert set(OF_NETS) | set(OF_MATRICES) == set(THEOREMS)


def test_without_an_energy_only_passes_are_shown() -> None:
    found = Page(page_of(made("without_energy"), ABOUT)).said
    assert "no single energy: with 'norm: message'" in found
    assert "2 passes (6 updates) were run." in found
    assert "What each stage found" not in found
    assert "copositive" not in found


def test_the_floor_of_wide_random_nets_is_explained_where_it_stands() -> None:
    assert "√2" in Page(page_of(made("undecided"), ABOUT)).said
    assert "√2" not in Page(page_of(checks.undecided((4, 8, 4)), ABOUT)).said
    assert "√2" not in Page(page_of(made("refuted"), ABOUT)).said
    assert "√2" not in Page(page_of(checks.undecided(low=-14.0), ABOUT)).said


def hostile(value: Any) -> Any:
    """The value with every text in it made hostile; names of layers stay names."""
    match value:
        case str():
            return HOSTILE
        case tuple() if value and all(is_dataclass(each) for each in value):
            return tuple(
                replace(each, **{f.name: HOSTILE + f.name for f in fields(each) if f.type == "str"}) for each in value
            )
        case Verdict():
            proof = value.certificate and replace(value.certificate, kind=HOSTILE)
            return replace(value, remarks=(HOSTILE,), method=HOSTILE, certificate=proof)
        case _:
            return value


@pytest.mark.parametrize("kind", KINDS)
def test_every_text_is_escaped(kind: str) -> None:
    check = made(kind)
    spoilt = replace(check, **{f.name: hostile(getattr(check, f.name)) for f in fields(check)})
    about = About(HOSTILE, HOSTILE, HOSTILE, HOSTILE, {HOSTILE: Path(HOSTILE)})
    found = Page(page_of(spoilt, about))
    assert not found.all("script")
    assert "<script>" in found.said
    assert "{{ 1 }}" in found.said


ANSWERS = (True, False, None)


@pytest.mark.parametrize("bounded", ANSWERS)
def test_a_sentence_claims_no_more_than_the_verdict(bounded: bool | None) -> None:
    for copositive, strict, psd, size in product(ANSWERS, ANSWERS, ANSWERS, (True, False)):
        verdict = replace(made("refuted").verdict, copositive=copositive, strict=strict, psd=psd)
        told = said(replace(made("refuted"), bounded=bounded, verdict=verdict, every_size=size, why="so it is"))
        words = f"{told.headline} {told.sentence}"
        assert ("S has a maximum" in words) == (bounded is True)
        assert ("grows for ever along" in words) == (bounded is False)
        assert ("undecided" in words.lower() or "depends" in words) == (bounded is None)
        assert "not copositive" not in words or copositive is False
        assert "strictly copositive" not in told.sentence or strict is True
        assert "semidefinite" not in told.sentence or psd is True
        assert told.outcome == {True: "safe", False: "grows", None: "open"}[bounded]


def test_a_ray_is_not_told_by_layers_that_cannot_grow() -> None:
    check = made("refuted")
    assert check.form is not None
    first, *others = check.form.blocks
    form = replace(check.form, blocks=(replace(first, most=1.0), *others))
    assert said(replace(check, form=form)).sentence == "−W is not copositive: S grows for ever along a ray."


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(1, 6))
def test_bounds_are_rounded_to_the_side_that_keeps_them_true(value: float, digits: int) -> None:
    low, high = (float(figure(value, side, digits).replace("−", "-")) for side in ("down", "up"))
    near = 1e-6 * abs(value)
    assert low - near <= value <= high + near
    assert low <= float(figure(value, "nearest", digits).replace("−", "-")) <= high
    assert high - low <= 10.0 ** (1 - digits) * max(abs(low), abs(high)) * (1 + 1e-9)


def test_numbers_as_one_reads_them() -> None:
    assert [figure(each) for each in (0.0, -0.25, 1234567.0, 1e-9, inf, -inf, nan)] == [
        "0", "−0.25", "1.23e+6", "1.00e-9", "∞", "−∞", "unknown"
    ]  # fmt: skip
    assert [percent(each) for each in (0.0, 0.001, 0.234, 1.0)] == ["0 %", "< 1 %", "23 %", "100 %"]
    assert [duration(each) for each in (0.0, 0.0123, 1.25, 75.0)] == ["< 1 ms", "12 ms", "1.2 s", "1 min 15 s"]
    assert [listed(["a", "b", "c", "d", "e"][:n]) for n in (1, 2, 3, 5)] == [
        "a", "a and b", "a, b and c", "a, b, c and 2 others"
    ]  # fmt: skip


@given(st.floats(-50, 0.999), st.floats(0, 1))
def test_scales_are_where_the_bounds_reach_0(low: float, part: float) -> None:
    """D − αC has the least value 1 − α(1 − m)."""
    high = low + part * (1 - low)
    check = replace(made("undecided"), verdict=Verdict(None, None, None, (low, high)))
    below, above = scales(check)
    assert below <= above
    assert 1 - below * (1 - low) == pytest.approx(0, abs=1e-9)
    assert above == inf or 1 - above * (1 - high) == pytest.approx(0, abs=1e-9)


def test_what_layers_give_each_other_is_what_the_witness_gains() -> None:
    for check in (made("refuted"), checks.undecided((3, 4, 3))):
        pairs = strongest_pairs(check.excitations, 10**6)
        energies = {(each.upper, each.lower): each.energy for each in check.excitations}
        for (upper, lower), energy in energies.items():
            assert sum(p.energy for p in pairs if (p.upper, p.lower) == (upper, lower)) == pytest.approx(energy)
        assert sum(float(shares.sum()) for shares in channel_shares(check).values()) == pytest.approx(1)
    witness = made("refuted").witness
    assert witness is not None
    assert sum(each.energy for each in made("refuted").excitations) == pytest.approx(1 - witness.value)


def test_the_strongest_are_told_first() -> None:
    check = made("refuted")
    pairs, channels = strongest_pairs(check.excitations, 5), strongest_channels(check, 5)
    assert all(abs(a.energy) >= abs(b.energy) for a, b in pairwise(pairs))
    assert all(a.share >= b.share for a, b in pairwise(channels))
    largest = max(float(np.abs(each.channels).max()) for each in check.excitations)
    assert abs(pairs[0].energy) == pytest.approx(largest)


def test_a_pair_inside_a_layer_is_told_once() -> None:
    inside = Excitation("h1", "h1", 0.7, np.array([[0.1, 0.2], [0.4, 0.0]]))
    pairs = strongest_pairs([inside], 9)
    assert [(p.upper_channel, p.lower_channel) for p in pairs] == [(0, 1), (0, 0)]
    assert [p.energy for p in pairs] == pytest.approx([0.6, 0.1])


def test_bounds_lie_on_one_axis() -> None:
    drawn = intervals(made("undecided"))
    assert drawn is not None
    assert drawn.band is not None
    assert drawn.band[0] < drawn.zero < drawn.band[1]
    for bar in drawn.bars:
        assert drawn.left <= bar.x <= bar.x + bar.width <= drawn.right + 1e-9
        assert bar.x == drawn.left if bar.kind == "lower" else bar.x + bar.width == pytest.approx(drawn.right)
    assert [name for name, _ in drawn.rows] == ["weighted dominance", "Lanczos", "witness search", "together"]
    assert next(bar.text for bar in drawn.bars if bar.kind == "lower") == "◂ −21.3"
    # Lanczos's vector takes both signs: its value is no bound over the cone.
    assert [bar.text for bar in drawn.bars if bar.kind == "upper"] == ["0.15", "0.15"]
    assert intervals(made("without_energy")) is None


def test_layers_are_drawn_bottom_to_top_with_every_kind_of_coupling() -> None:
    check = made("refuted")
    across = (Excitation("h3", "h1", -0.2, np.ones((1, 1))), Excitation("h2", "h2", 0.1, np.ones((1, 1))))
    drawn = network(replace(check, excitations=(*check.excitations, *across)))
    assert drawn is not None
    tops = [node.top for node in drawn.nodes]
    assert [node.name for node in drawn.nodes] == ["h1", "h2", "h3"]
    assert tops == sorted(tops, reverse=True)
    inhibiting = [link for link in drawn.links if not link.excites]
    assert [link.said for link in inhibiting] == ["h3 and h1 inhibit each other: −0.2"]
    assert len(drawn.links) == 4
    assert all(0 < link.x < drawn.width and 0 < link.y < drawn.height for link in drawn.links)


def test_numbers_of_couplings_do_not_meet() -> None:
    """Every layer with every other: five of them, with lines, bows and loops."""
    form, _ = checks.form_and_trace(checks.net((1, 1, 1, 1, 1)), 1.0, 1)
    state = {block.name: np.ones((1, *block.size)) for block in form.blocks}
    every = [
        Excitation(f"h{a}", f"h{b}", 0.1 * a - 0.26 * b, np.ones((1, 1))) for a in range(1, 6) for b in range(1, a + 1)
    ]
    verdict = replace(made("refuted").verdict, witness=Witness("copositive", state, -0.3))
    drawn = network(replace(made("refuted"), form=form, verdict=verdict, excitations=tuple(every)))
    assert drawn is not None
    assert len(drawn.links) == 15
    for a, b in combinations(drawn.links, 2):
        assert abs(a.y - b.y) >= 18 or abs(a.x - b.x) >= 58, (a.said, b.said)
    assert all(0 < link.x < drawn.width - 58 for link in drawn.links)


def test_a_map_of_a_large_plane_keeps_its_strongest_unit() -> None:
    values = np.zeros((301, 200))
    values[300, 199] = 2.0
    assert picture(values) != picture(np.zeros((301, 200)))
    assert len(picture(np.random.default_rng(0).uniform(-1, 1, (900, 700)))) < 80_000


@pytest.mark.parametrize("kind", KINDS)
def test_the_document_has_every_figure_and_no_array(kind: str) -> None:
    check = made(kind)
    text = json.dumps(document_of(check), allow_nan=False)
    found = json.loads(text)
    assert found["outcome"] == outcome_of(check)
    assert len(found["stages"]) == len(check.stages)
    assert (found["bounded"], found["psd"]) == (check.bounded, check.verdict.psd)
    assert len(text) < 20_000
    if check.witness is not None and check.form is not None:
        assert sum(each["share"] for each in found["witness"]["layers"].values()) == pytest.approx(1)


def test_a_page_of_a_large_net_stays_small() -> None:
    graph = resolve("qpk_small")[1]
    random = np.random.default_rng(0)
    form = form_of(graph, {each.name: random.normal(0, 0.1, each.type.shape) ** 2 for each in graph.parameters})
    state = {b.name: random.uniform(size=(b.channels, *b.size)) for b in form.blocks}
    excited = tuple(
        Excitation(e.upper, e.lower, 0.2, random.normal(size=e.filter.shape[:2]) / e.filter[0].size) for e in form.edges
    )
    check = replace(
        made("refuted"),
        form=form,
        verdict=replace(made("refuted").verdict, witness=Witness("copositive", state, -0.4)),
        excitations=excited,
        layers=tuple(LayerMargin(b.name, b.units, nan, 0.1) for b in form.blocks),
    )
    assert len(page_of(check, ABOUT)) < 300_000
    assert len(json.dumps(document_of(check))) < 20_000
