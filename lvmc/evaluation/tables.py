"""An evaluation as tables: for the terminal, as Markdown, and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lvmc.evaluation.evaluation import Evaluation, Table

LENGTHS = {
    *(f"{name}{kind}" for name in ("nme", "mpjpe", "pa_mpjpe") for kind in ("", "_visible", "_hidden")),
    *(f"{name}{kind}" for name in ("mae", "rmse") for kind in ("", "_mean", "_refined")),
    "nme_refined", "nll", "nll_error",
}  # fmt: skip
"""Metrics in units of error, of values or of the data in 3D, and in nats."""

CHANGES = {"nme_change", "mae_change", "rmse_change"}
"""Likewise, with a sign."""

OFFSETS = {"offset_x", "offset_y"}
"""Metrics in pixels, with a sign; all others are shares."""

WORDS = {
    "nme": "NME", "nme_visible": "NME, visible points", "nme_hidden": "NME, hidden points",
    "pck": "PCK@{limit}", "pck_visible": "PCK@{limit}, visible points", "pck_hidden": "PCK@{limit}, hidden points",
    "auc": "AUC to {limit}", "auc_visible": "AUC, visible points", "auc_hidden": "AUC, hidden points",
    "offset_x": "mean offset in x, pixels", "offset_y": "mean offset in y, pixels",
    "mpjpe": "MPJPE", "mpjpe_visible": "MPJPE, visible points", "mpjpe_hidden": "MPJPE, hidden points",
    "pa_mpjpe": "PA-MPJPE", "pa_mpjpe_visible": "PA-MPJPE, visible points",
    "pa_mpjpe_hidden": "PA-MPJPE, hidden points",
    "pcp": "PCP, strict", "visible_ap": "AP of visibility", "hidden_ap": "AP of hiddenness",
    "oks_ap": "OKS AP", "oks_ap50": "OKS AP at .50", "oks_ap75": "OKS AP at .75", "oks_ar": "OKS AR",
    "mae": "mean absolute error", "mae_mean": "mean absolute error of the mean",
    "mae_refined": "mean absolute error, refined", "mae_change": "change by refining",
    "rmse": "root mean square error", "rmse_mean": "root mean square error of the mean",
    "rmse_refined": "root mean square error, refined", "rmse_change": "change by refining",
    "nme_refined": "NME, refined", "nme_change": "change by refining",
    "nll": "negative log-likelihood, nats", "nll_error": "± normaliser",
    "coverage_50": "truth in central 50 % intervals", "coverage_90": "truth in central 90 % intervals",
    "accuracy": "accuracy", "mean_accuracy": "mean accuracy of classes", "miou": "mean IoU", "iou": "IoU",
    "superpixel_accuracy": "accuracy of superpixels", "points": "points", "pixels": "pixels",
}  # fmt: skip
"""What metrics are called, in the order in which they are shown."""

SHORT = (
    "points", "nme", "nme_visible", "nme_hidden", "pck", "pck_visible", "pck_hidden", "mpjpe", "mpjpe_visible",
    "mpjpe_hidden", "pixels", "accuracy", "iou",
)  # fmt: skip
"""What is shown by joint or class."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A table in words: the first column is aligned left, the others right."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def listings(evaluation: Evaluation, limit: float, rows_of: str | None = None) -> list[Listing]:
    """A table for each head with a column a set, then one by joint, class or step for each set and head.

    Args:
        evaluation: What to show.
        limit: The threshold of PCK, for its heading.
        rows_of: The only set whose joints, classes and steps are shown; all, if not given.
    """
    found = [_of_head(evaluation, head, limit) for head in _heads(evaluation.figures)]
    for rows, what in ((evaluation.joints, "joint"), (evaluation.classes, "class"), (evaluation.steps, "step")):
        kept = [place for place in rows if rows_of is None or place.startswith(f"{rows_of}/")]
        found += [_by_row(f"{place}, by {what}", what, rows[place], limit) for place in kept]
    return found


def markdown(tables: Iterable[Listing]) -> str:
    """The tables as Markdown, under their titles."""
    return "\n".join(_markdown(table) for table in tables)


def write_figures(evaluation: Evaluation, path: Path) -> None:
    """A row a figure: set, head, metric, value."""
    rows = [(*name.split("/"), value) for name, value in evaluation.figures.items()]
    _write_csv(path, ("set", "head", "metric", "value"), rows)


def write_rows(tables: dict[str, Table], what: str, path: Path) -> None:
    """A row a joint or class: set, head, its name, and its metrics; empty where one has no value."""
    metrics = list(dict.fromkeys(metric for table in tables.values() for row in table.values() for metric in row))
    rows = [
        (*place.split("/"), name, *(row.get(metric, "") for metric in metrics))
        for place, table in tables.items()
        for name, row in table.items()
    ]
    _write_csv(path, ("set", "head", what, *metrics), rows)


def words(metric: str, limit: float) -> str:
    """What a metric is called; `nme_step2` is NME after step 2."""
    plain, _, step = metric.partition("_step")
    return WORDS.get(plain, plain).format(limit=f"{limit:g}") + (f" after step {step}" if step else "")


def shown(metric: str, value: float | None) -> str:
    """A length with four digits, a change and an offset with a sign, a share in percent, a count as it is."""
    if value is None:
        return "–"
    if metric in ("points", "pixels"):
        return f"{value:,.0f}"
    if metric in OFFSETS:
        return f"{value:+.2f}"
    if metric in CHANGES:
        return f"{value:+.4f}"
    return f"{value:.4f}" if metric.partition("_step")[0] in LENGTHS else f"{100 * value:.1f} %"


def _heads(figures: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(name.split("/")[1] for name in figures))


def _of_head(evaluation: Evaluation, head: str, limit: float) -> Listing:
    figures = {tuple(name.split("/")): value for name, value in evaluation.figures.items()}
    sets = list(dict.fromkeys(place for place, of, _ in figures if of == head))
    known = dict.fromkeys(metric for _, of, metric in figures if of == head and "_step" not in metric)
    metrics = _told([metric for metric in WORDS if metric in known] + [each for each in known if each not in WORDS])
    rows = [
        (words(metric, limit), *(shown(metric, figures.get((place, head, metric))) for place in sets))
        for metric in metrics
    ]
    return Listing(head, ("", *sets), tuple(rows))


def _told(metrics: Sequence[str]) -> list[str]:
    """Without those of visible points where none is hidden: they are those of all."""
    apart = any(metric.endswith("_hidden") for metric in metrics)
    return [metric for metric in metrics if apart or not metric.endswith("_visible")]


def _by_row(title: str, what: str, table: Table, limit: float) -> Listing:
    metrics = _told([metric for metric in SHORT if any(metric in row for row in table.values())])
    heads = (words(metric, limit).replace(" points", "") for metric in metrics)
    rows = [(name, *(shown(metric, row.get(metric)) for metric in metrics)) for name, row in table.items()]
    return Listing(title, (what, *(head or "points" for head in heads)), tuple(rows))


def _markdown(table: Listing) -> str:
    rule = "|".join([" --- ", *(" ---: " for _ in table.columns[1:])])
    lines = [_line(table.columns), f"|{rule}|", *(_line(row) for row in table.rows)]
    return f"## {table.title}\n\n" + "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str | float]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
