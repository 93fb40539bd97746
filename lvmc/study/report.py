"""The files that tell of a study: tables for people and for machines, everything as JSON, and the plots."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lvmc.durable import save_text
from lvmc.study import tables
from lvmc.study.kept import Result
from lvmc.study.plan import Plan
from lvmc.study.plots import draw_plots
from lvmc.study.summary import Summary

STUDY = "study.json"


def write_report(plan: Plan, results: Sequence[Result], summary: Summary, out: Path) -> tuple[Path, ...]:
    """Write table.md, table.csv, runs.csv, study.json and the plots."""
    texts = {
        "table.md": tables.markdown(plan, summary),
        "table.csv": tables.cells_csv(summary),
        "runs.csv": tables.runs_csv(results),
        STUDY: json.dumps(document_of(plan, results, summary), indent=2, ensure_ascii=False, allow_nan=False) + "\n",
    }
    for name, text in texts.items():
        save_text(text, out / name)
    return (*(out / name for name in texts), *draw_plots(plan, results, summary, out))


def document_of(plan: Plan, results: Sequence[Result], summary: Summary) -> dict[str, Any]:
    """The outcome as JSON values; what is no finite number is null."""
    return {
        "name": plan.study.name,
        "title": plan.study.title,
        "seeds": list(plan.study.seeds),
        "variants": list(plan.variants),
        "figures": dict(summary.titles),
        "cells": [
            {"variant": each.variant, "figure": each.figure, "n": each.moments.n,
             "mean": _number(each.moments.mean), "deviation": _number(each.moments.deviation)}
            for each in summary.cells
        ],
        "differences": [
            {"variant": each.variant, "less": each.less, "figure": each.figure, "n": each.paired.n,
             **{key: _number(getattr(each.paired, key)) for key in ("mean", "low", "high", "p_t", "p_sign")}}
            for each in summary.differences
        ],
        "runs": [
            {"variant": each.run.variant, "seed": each.run.seed, "state": each.state, "digest": each.run.digest,
             "folder": each.run.folder(Path()).as_posix(), "seconds": _number(each.seconds), "message": each.message,
             "figures": {name: _number(value) for name, value in each.figures.items()}}
            for each in results
        ],
        "remarks": list(summary.remarks),
    }  # fmt: skip


def _number(value: float) -> float | None:
    return value if abs(value) < float("inf") else None
