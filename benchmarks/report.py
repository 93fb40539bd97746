"""Writes what was measured: a table to read, a JSON document to keep."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from harness import Ratio, Row, Section, Spread

WIDTH = 58


def environment() -> dict[str, str]:
    """Machine and versions that the numbers belong to."""
    cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else "none"
    return {
        "cpu": _cpu(),
        "threads": str(torch.get_num_threads()),
        "cuda": cuda,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def environment_line() -> str:
    """The same in one line."""
    return ", ".join(f"{key} {value}" for key, value in environment().items())


def table(section: Section) -> str:
    """One case as text: medians with quartiles, ratios with what was wanted."""
    rounds = f" ({section.rounds} rounds)" if section.rounds else ""
    lines = [f"\n{section.name}: {section.title}{rounds}"]
    lines += [_row_line(row) for row in section.rows]
    lines += [_ratio_line(each) for each in section.ratios]
    lines += [f"  {note}" for note in section.notes]
    return "\n".join(lines)


def summary(sections: Sequence[Section]) -> str:
    """How many goals were met, and the others by name."""
    wanted = [(section, each) for section in sections for each in section.ratios if each.goal]
    missed = [(section, each) for section, each in wanted if each.value and not _met(each)]
    unknown = [(section, each) for section, each in wanted if each.value is None]
    reached = len(wanted) - len(missed) - len(unknown)
    lines = [f"\n{reached} of {len(wanted)} targets met, {len(missed)} missed, {len(unknown)} not measured"]
    lines += [f"  missed: {s.name}: {r.name} {r.value.median:.2f}, wanted {r.goal}" for s, r in missed if r.value]
    lines += [f"  not measured: {section.name}: {each.name}: {each.note}" for section, each in unknown]
    return "\n".join(lines)


def write_json(path: Path, sections: Sequence[Section]) -> None:
    """Everything, with the environment."""
    document = {"environment": environment(), "sections": [_as_data(section) for section in sections]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _as_data(section: Section) -> dict[str, Any]:
    ratios = [asdict(each) | {"met": _met(each) if each.goal and each.value else None} for each in section.ratios]
    return asdict(section) | {"ratios": ratios}


def _met(each: Ratio) -> bool:
    return each.goal is None or (each.value is not None and each.goal.met(each.value.median))


def _row_line(row: Row) -> str:
    if row.value is None:
        return f"  {row.subject:<{WIDTH}}{'—':>10}     {row.note}"
    value = f"{_number(row.value.median):>10} {row.unit:<4}{_quartiles(row.value)}"
    return f"  {row.subject:<{WIDTH}}{value} {row.note}".rstrip()


def _ratio_line(each: Ratio) -> str:
    wanted = f"wanted {each.goal}" if each.goal else ""
    if each.value is None:
        return f"  {each.name:<{WIDTH}}{'—':>10}     {wanted}  {each.note}".rstrip()
    verdict = "" if each.goal is None else "met" if _met(each) else "MISSED"
    shown = f"{each.value.median:.2f}"
    quartiles = f"{each.value.low:.2f} … {each.value.high:.2f}" if each.value.low != each.value.high else ""
    return f"  {each.name:<{WIDTH}}{shown:>10} ×   {quartiles:<21}{wanted:<14}{verdict} {each.note}".rstrip()


def _quartiles(value: Spread) -> str:
    return "" if value.low == value.high else f"{_number(value.low)} … {_number(value.high)}"


def _number(value: float) -> str:
    digits = 3 if value < 1 else 2 if value < 10 else 1
    return f"{value:.{digits}f}"


def _cpu() -> str:
    info = Path("/proc/cpuinfo")
    names = [line for line in info.read_text().splitlines() if line.startswith("model name")] if info.is_file() else []
    return names[0].split(":", 1)[1].strip() if names else platform.processor() or platform.machine()
