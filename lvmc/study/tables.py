"""The tables of a study, as rows of text for people, and as Markdown and CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from math import floor, isfinite, log10
from pathlib import Path

from lvmc.study.kept import Result
from lvmc.study.plan import Plan
from lvmc.study.statistics import Moments
from lvmc.study.summary import Cell, Difference, Summary


@dataclass(frozen=True, slots=True)
class Table:
    """Columns, the first of them named in `left` aligned left, and rows."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    left: tuple[str, ...]


def means(plan: Plan, summary: Summary) -> Table:
    """Mean ± s.d. of each figure, a row a variant; n is the number of seeds, given by cell where cells differ."""
    places = {
        figure: digits_of([each.moments for each in summary.cells if each.figure == figure])
        for figure in summary.titles
    }
    rows: list[tuple[str, ...]] = []
    for variant in plan.variants:
        cells = [summary.cell(variant, figure) for figure in summary.titles]
        n = max((each.moments.n for each in cells), default=0)
        rows.append((variant, str(n), *(_mean(each, n, places[each.figure]) for each in cells)))
    return Table(("variant", "n", *summary.titles.values()), tuple(rows), ("variant",))


def differences(summary: Summary) -> Table | None:
    """Paired differences, a row a comparison and figure; None if there are none."""
    rows = [_difference(each, summary.titles[each.figure]) for each in summary.differences]
    columns = ("difference", "figure", "pairs", "mean", "95 % interval", "p (t)", "p (sign)")
    return Table(columns, tuple(rows), ("difference", "figure")) if rows else None


def markdown(plan: Plan, summary: Summary) -> str:
    """Both tables, and what was left out."""
    study = plan.study
    parts = [f"# {study.title or study.name}", _pipes(means(plan, summary)), _legend(plan)]
    if (compared := differences(summary)) is not None:
        parts += [_pipes(compared), "Differences are paired by seed, with 95 % t intervals; p by t test and sign test."]
    if summary.remarks:
        parts.append("\n".join(f"- {_plain(text)}" for text in summary.remarks))
    return "\n\n".join(parts) + "\n"


def cells_csv(summary: Summary) -> str:
    """Every cell and every difference, a row each."""
    head = ["variant", "less", "figure", "title", "n", "mean", "deviation", "low", "high", "p_t", "p_sign"]
    rows: list[list[object]] = []
    for cell in summary.cells:
        known = cell.moments
        title = summary.titles[cell.figure]
        rows.append(
            [cell.variant, "", cell.figure, title, known.n, _full(known.mean), _full(known.deviation), *[""] * 4]
        )
    for each in summary.differences:
        pair, title = each.paired, summary.titles[each.figure]
        numbers = [_full(value) for value in (pair.low, pair.high, pair.p_t, pair.p_sign)]
        rows.append([each.variant, each.less, each.figure, title, pair.n, _full(pair.mean), "", *numbers])
    return _csv([head, *rows])


def runs_csv(results: Sequence[Result]) -> str:
    """Every run with every figure."""
    figures = sorted({name for each in results for name in each.figures})
    rows: list[list[object]] = [["variant", "seed", "state", "seconds", "folder", *figures]]
    for each in results:
        numbers = [_full(each.figures[name]) if name in each.figures else "" for name in figures]
        rows.append(
            [
                each.run.variant,
                each.run.seed,
                each.state,
                _full(each.seconds),
                each.run.folder(Path()).as_posix(),
                *numbers,
            ]
        )
    return _csv(rows)


def digits_of(column: Sequence[Moments]) -> int:
    """Places after the point for a column: two digits of the median s.d., four of the largest mean if there is none."""
    deviations = sorted(each.deviation for each in column if isfinite(each.deviation) and each.deviation > 0)
    if deviations:
        return _decimals(deviations[len(deviations) // 2], 2)
    return _decimals(max((abs(each.mean) for each in column if isfinite(each.mean)), default=0.0), 4)


def _decimals(value: float, digits: int) -> int:
    """Places after the point that show so many digits of a value, 0 to 8."""
    return min(max(digits - 1 - floor(log10(value)), 0), 8) if value > 0 else digits - 1


def _number(value: float, places: int) -> str:
    return f"{value:.{places}f}".replace("-", "−")


def _mean(cell: Cell, usual: int, places: int) -> str:
    known = cell.moments
    if not known.n:
        return "–"
    deviation = f" ± {_number(known.deviation, places)}" if isfinite(known.deviation) else ""
    fewer = f" (n = {known.n})" if known.n < usual else ""
    return _number(known.mean, places) + deviation + fewer


def _difference(each: Difference, title: str) -> tuple[str, ...]:
    pair = each.paired
    places = _decimals(pair.high - pair.low if pair.high > pair.low else abs(pair.mean), 3)
    mean = ("+" if pair.mean > 0 else "") + _number(pair.mean, places)
    interval = f"{_number(pair.low, places)} to {_number(pair.high, places)}" if isfinite(pair.low) else "–"
    return f"{each.variant} − {each.less}", title, str(pair.n), mean, interval, _chance(pair.p_t), _chance(pair.p_sign)


def _chance(p: float) -> str:
    if not isfinite(p):
        return "–"
    return "< 0.0001" if p < 1e-4 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def _legend(plan: Plan) -> str:
    return f"Mean ± s.d. over n seeds of {len(plan.study.seeds)}."


def _pipes(table: Table) -> str:
    ruler = ["---" if column in table.left else "---:" for column in table.columns]
    lines = [table.columns, ruler, *table.rows]
    return "\n".join("| " + " | ".join(_plain(cell) for cell in line) + " |" for line in lines)


def _plain(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _full(value: float) -> str:
    return repr(float(value)) if isfinite(value) else ""


def _csv(rows: Sequence[Sequence[object]]) -> str:
    held = StringIO()
    csv.writer(held, lineterminator="\n").writerows(rows)
    return held.getvalue()
