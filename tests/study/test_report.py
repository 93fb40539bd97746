"""Tables and plots of a study: what they hold, and what is left out and told."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from dataclasses import replace
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from lvmc.study import Outcome, run_study
from lvmc.study.kept import Result
from lvmc.study.plan import Run, read_plan
from lvmc.study.plot_curves import series_of
from lvmc.study.plot_variants import places_of
from lvmc.study.record import ByVariant, Curve
from lvmc.study.statistics import Moments
from lvmc.study.summary import summary_of
from lvmc.study.tables import digits_of, markdown

from .conftest import Write
from .fakes import curves, figures, quick

PLOTS = """  plot:
    - kind: curve
      curves: {covered/points/pck_visible: visible points, covered/points/pck_hidden: hidden points}
    - {kind: by_variant, by: inference.passes}
    - {kind: by_variant, figures: [covered/points/nme_hidden], variants: [QP2]}
"""
NUMBERS: Mapping[str, float] = {
    "QP1 0": 0.051,
    "QP1 1": 0.062,
    "QP1 2": 0.055,
    "QP2 0": 0.049,
    "QP2 1": 0.058,
    "QP2 2": 0.054,
}


def results(file: Path, numbers: Mapping[str, float]) -> list[Result]:
    """Runs with these figures; missing where there are none."""
    found: list[Result] = []
    for run in read_plan(file).runs:
        value = numbers.get(f"{run.variant} {run.seed}")
        state = "missing" if value is None else "done"
        found.append(Result(run, state, run.folder(Path("out")), {} if value is None else {"test/points/nme": value}))
    return found


def text_of(file: Path, numbers: Mapping[str, float]) -> str:
    plan = read_plan(file)
    return markdown(plan, summary_of(plan, results(file, numbers)))


def test_the_table(study_file: Write) -> None:
    """Read by people: two digits of the s.d., the difference with its interval to as many places."""
    assert text_of(study_file(), NUMBERS) == (
        "# Does feedback help?\n\n"
        "| variant | n | clean NME |\n| --- | ---: | ---: |\n"
        "| QP1 | 3 | 0.0560 ± 0.0056 |\n| QP2 | 3 | 0.0537 ± 0.0045 |\n\n"
        "Mean ± s.d. over n seeds of 3.\n\n"
        "| difference | figure | pairs | mean | 95 % interval | p (t) | p (sign) |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| QP2 − QP1 | clean NME | 3 | −0.00233 | −0.00613 to 0.00146 | 0.12 | 0.25 |\n\n"
        "Differences are paired by seed, with 95 % t intervals; p by t test and sign test.\n"
    )


def test_pairs_are_of_one_seed(study_file: Write) -> None:
    file = study_file()
    plan = read_plan(file)
    some = {name: value for name, value in NUMBERS.items() if name not in ("QP1 0", "QP2 2")}
    summary = summary_of(plan, results(file, some))
    assert (summary.differences[0].paired.n, summary.differences[0].paired.mean) == (1, pytest.approx(0.058 - 0.062))
    assert summary.cell("QP1", "test/points/nme").moments.n == 2
    assert summary.remarks == ("2 of 6 runs not made yet: QP1, seed 0; QP2, seed 2",)


def test_what_has_no_pair_is_told(study_file: Write) -> None:
    text = text_of(study_file(), {name: NUMBERS[name] for name in ("QP1 0", "QP2 1")})
    assert "QP2 and QP1 are not compared: no seed is done for both" in text
    assert "95 %" not in text
    assert "| QP1 | 1 | 0.05100 |" in text


def test_figures_that_nobody_has_are_told(study_file: Write) -> None:
    text = text_of(study_file("points/nme:", "points/nmes:"), NUMBERS)
    assert "no run has a figure test/points/nmes: did you mean 'test/points/nme'?" in text
    assert "| QP1 | 0 | – |" in text


def test_numbers_that_are_not_finite_are_left_out_and_told(study_file: Write) -> None:
    text = text_of(study_file(), {**NUMBERS, "QP1 1": nan})
    assert "QP1, seed 1 is left out of clean NME: it is not a finite number there" in text
    assert "| QP1 | 2 |" in text


@pytest.mark.parametrize(
    ("column", "places"),
    [
        ([(0.05712, 0.00123)], 4),
        ([(93.26, 1.28), (90.1, 0.04), (91.5, 2.6)], 1),
        ([(12345.6, 678.9)], 0),
        ([(0.5, nan), (0.25, nan)], 4),
        ([(0.5, 0.0)], 4),
        ([(nan, nan)], 3),
    ],
)
def test_a_column_has_two_digits_of_its_spread(column: list[tuple[float, float]], places: int) -> None:
    assert digits_of([Moments(3, mean, deviation) for mean, deviation in column]) == places


@pytest.fixture
def outcome(study_file: Write, tmp_path: Path) -> Outcome:
    return run_study(study_file("  compare", PLOTS + "  compare"), tmp_path / "out", run_one=quick)


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_csv_has_every_digit(outcome: Outcome, tmp_path: Path) -> None:
    made = rows(tmp_path / "out" / "runs.csv")
    for row, result in zip(made, outcome.results, strict=True):
        assert (row["variant"], row["seed"], row["state"]) == (result.run.variant, str(result.run.seed), "done")
        assert {name: float(row[name]) for name in figures(result.run)} == figures(result.run)
    table = rows(tmp_path / "out" / "table.csv")
    first, second = (
        [float(row["test/points/nme"]) for row in made if row["variant"] == name] for name in ("QP2", "QP1")
    )
    assert float(table[0]["mean"]) == pytest.approx(np.mean(second), rel=1e-12)
    test = stats.ttest_rel(first, second)
    assert float(table[-1]["p_t"]) == pytest.approx(test.pvalue, rel=1e-9)
    assert (table[-1]["variant"], table[-1]["less"]) == ("QP2", "QP1")


def test_json_says_all(outcome: Outcome, tmp_path: Path) -> None:
    document: dict[str, Any] = json.loads((tmp_path / "out" / "study.json").read_text())
    assert (document["name"], document["seeds"], document["variants"]) == ("tiny", [0, 1, 2], ["QP1", "QP2"])
    assert [run["figures"] for run in document["runs"]] == [figures(result.run) for result in outcome.results]
    assert document["differences"][0]["low"] < document["differences"][0]["mean"] < document["differences"][0]["high"]


def test_plots_are_drawn(outcome: Outcome, tmp_path: Path) -> None:
    for name in ("curve.png", "by_variant.png", "by_variant_2.png"):
        assert tmp_path / "out" / name in outcome.files
        pixels = np.asarray(Image.open(tmp_path / "out" / name).convert("RGB"))
        assert min(pixels.shape[:2]) > 400
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 50


def test_curves_are_those_of_the_runs(outcome: Outcome) -> None:
    plot = outcome.plan.study.report.plot[0]
    assert isinstance(plot, Curve)
    mine = [each for each in outcome.results if each.run.variant == "QP2"]
    x, y = series_of(plot, mine)["covered/points/pck_hidden"]
    expected = [curves(each.run)["covered/points/pck_hidden"] for each in mine]
    assert x.tolist() == list(expected[0].x)
    assert np.allclose(y, [each.y for each in expected], atol=1e-12)


def test_variants_stand_at_the_numbers_of_their_specs(outcome: Outcome) -> None:
    by_number = places_of(ByVariant(kind="by_variant", by="inference.passes"), ["QP2", "QP1"], outcome.results)
    assert by_number.x == {"QP1": 1.0, "QP2": 2.0}
    assert by_number.ticks == {1.0: "1", 2.0: "2"}
    by_word = places_of(ByVariant(kind="by_variant", by="layers.h1.norm"), ["QP2", "QP1"], _with_norms(outcome))
    assert (by_word.x, by_word.ticks) == ({"QP2": 0.0, "QP1": 1.0}, {0.0: "drive", 1.0: "nothing"})
    lines = places_of(ByVariant(kind="by_variant", lines="inference.passes"), ["QP1", "QP2"], outcome.results).lines
    assert lines == {"1": ["QP1"], "2": ["QP2"]}


def _with_norms(outcome: Outcome) -> list[Result]:
    """QP2 with a norm in h1."""
    from lvmc.spec import Norm

    def normed(run: Run) -> Run:
        layers = {"h1": run.spec.layers["h1"].model_copy(update={"norm": Norm(kind="drive")})}
        return replace(run, spec=run.spec.model_copy(update={"layers": run.spec.layers | layers}))

    return [replace(each, run=normed(each.run)) if each.run.variant == "QP2" else each for each in outcome.results]
