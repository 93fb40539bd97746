"""Mistakes of a study: where they are, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from lvmc.errors import Span, SpecError
from lvmc.study.plan import read_plan

from .conftest import Write

MISTAKES = [
    (("seeds: [0, 1, 2]", "seed: [0]"), (9, 1), "unknown key 'seed' in the study", "did you mean 'seeds'?"),
    (("name: tiny", "name: ../tiny"), (2, 7), "'name' should be a name for a folder, not '../tiny'", "letters"),
    (("lvmc_study: 1", "lvmc_study: 2"), (1, 13), "this is version 1 of studies, not 2", "write lvmc_study: 1"),
    (("[0, 1, 2]", "[0, 1, 1]"), (9, 8), "'seeds' names a seed twice", "each seed"),
    (("[0, 1, 2]", "3"), (9, 8), "'seeds' should be a list of whole numbers from 0, not 3", "[0, 1, 2]"),
    (("[0, 1, 2]", "[-1]"), (9, 8), "'seeds' should be a list of whole numbers from 0, not [-1]", "[0, 1, 2]"),
    (("{train.epochs: 3}", "3"), (5, 6), "'set' should be a mapping, not 3", "for example set: {train.epochs: 20}"),
    (("base: tiny.yaml", "base: tiny.yml"), (4, 7), "no file", "known here"),
    (("base: tiny.yaml\n", ""), (6, 3), "variant 'QP1' has no spec", "base"),
    (("[QP2, QP1]", "[QP2, QP3]"), (12, 19), "no variant is called 'QP3'", "did you mean"),
    (("[[QP2, QP1]]", "[QP2, QP1]"), (12, 12), "'compare' should be a list of pairs of variants", "[[QP2, QP1]]"),
    (("  QP1: {set", "  Q P: {set"), (7, 3), "a variant cannot be called 'Q P'", "letters"),
    (("passes: 1}", "passes: 1, train.seed: 3}"), (7, 36), "the seed is given by 'seeds'", "leave it out"),
    (("passes: 1}", "passes: none}"), (7, 33), "'passes' should be", "for example"),
    (("inference.passes: 1", "inference.pases: 1"), (7, 15), "unknown key 'pases'", "did you mean 'passes'?"),
    (("inference.passes: 1", "layers.h3.filter: 5"), (7, 15), "layer 'h3' needs 'channels'", "channels: 32"),
    (("inference.passes: 1", "lvmc.passes: 5"), (7, 15), "lvmc.passes cannot be set: lvmc is 1 there", "as a whole"),
    (
        ("variants:", "grid: {name: Q, axes: {k: {train.epochs: [1, 2]}}}\nvariants:"),
        (6, 14),
        "makes a second",
        "all axes",
    ),
    (("variants:", 'grid: {name: "Q{n}", axes: {k: {train.epochs: [1]}}}\nvariants:'), (6, 14), "names no axis", "{k}"),
    (
        ("variants:", "grid: {name: Q, axes: {k: {train.epochs: 1}}}\nvariants:"),
        (6, 27),
        "'k' should give lists",
        "[1, 2]",
    ),
    (
        ("variants:", "grid: {name: Q, axes: {k: {a: [1], b: [1, 2]}}}\nvariants:"),
        (6, 27),
        "different lengths",
        "together",
    ),
    (("seeds:", "evaluate: [test, train]\nseeds:"), (9, 11), "'evaluate' names no set 'train'", "validation, test"),
    (("  compare", "  plot: {kind: bars}\n  compare"), (12, 16), "no plot is of kind 'bars'", "curve, by_variant"),
    (("  compare", "  plot: {by: x}\n  compare"), (12, 3), "'report.plot' needs 'kind'", "by_variant"),
    (("  compare", "  plot: {kind: curve}\n  compare"), (12, 3), "'report.plot' needs 'curves'", "for example curves"),
    (
        ("  compare", "  plot: [{kind: by_variant, bye: k}]\n  compare"),
        (12, 29),
        "unknown key 'bye'",
        "did you mean 'by'?",
    ),
    (
        ("  compare", "  plot: {kind: by_variant, variants: [QP9]}\n  compare"),
        (12, 39),
        "no variant is called 'QP9'",
        "QP1",
    ),
]


@pytest.mark.parametrize(("change", "place", "fault", "remedy"), MISTAKES)
def test_a_mistake_is_reported_where_it_is(
    study_file: Write, change: tuple[str, str], place: tuple[int, int], fault: str, remedy: str
) -> None:
    file = study_file(*change)
    with pytest.raises(SpecError) as caught:
        read_plan(file)
    first = caught.value.problems[0]
    assert isinstance(first.place, Span)
    assert (first.place.file, (first.place.line, first.place.column)) == (str(file), place)
    assert fault in first.fault
    assert remedy in first.remedy


def test_all_mistakes_are_told_at_once(study_file: Write) -> None:
    file = study_file("name: tiny", "nam: tiny", "[0, 1, 2]", "[]", "title: Does feedback help?", "title: [a]")
    with pytest.raises(SpecError) as caught:
        read_plan(file)
    assert [problem.place.line for problem in caught.value.problems if isinstance(problem.place, Span)] == [2, 3, 9]


def test_mistakes_of_all_variants_are_told_at_once(study_file: Write, tmp_path: Path) -> None:
    file = study_file("passes: 1", "passes: 0", "passes: 2", "passes: two")
    (tmp_path / "tiny.yaml").write_text((tmp_path / "tiny.yaml").read_text().replace("reads: h1", "reads: h9"))
    with pytest.raises(SpecError) as caught:
        read_plan(file)
    places = [problem.place for problem in caught.value.problems if isinstance(problem.place, Span)]
    found = sorted((Path(place.file).name, place.line) for place in places)
    assert found == [("study.yaml", 7), ("study.yaml", 8), ("tiny.yaml", 8)]


def test_no_study_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no study is called"):
        read_plan(tmp_path / "none.yaml")
    (tmp_path / "list.yaml").write_text("[1]")
    with pytest.raises(SpecError, match="a study is a mapping"):
        read_plan(tmp_path / "list.yaml")
