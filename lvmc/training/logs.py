"""What a run writes about itself: log.jsonl, log.csv and TensorBoard's events."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from lvmc.durable import save_text

if TYPE_CHECKING:
    from torch.utils.tensorboard.writer import SummaryWriter

JSONL, CSV, TENSORBOARD = "log.jsonl", "log.csv", "tensorboard"
STEPS = 20
"""Every so many steps one is noted."""

Row = dict[str, float | int | str]


@final
class Log:
    """Notes of one run. A line of log.jsonl is a step (one of 20) or an epoch, as its `kind` says; log.csv has epochs.

    Args:
        folder: Of the run.
        step: Steps done: what the files say of later ones is from a session that was cut off, and goes.
        epochs: Epochs done, likewise.
    """

    def __init__(self, folder: Path, step: int = 0, epochs: int = 0) -> None:
        self._folder, self._step = folder, step
        done = {"step": step, "epoch": epochs}
        rows = [row for row in _read(folder / JSONL) if int(row[str(row["kind"])]) <= done[str(row["kind"])]]
        save_text("".join(map(_line, rows)), folder / JSONL)
        self._epochs = [row for row in rows if row["kind"] == "epoch"]
        self._file = (folder / JSONL).open("a", encoding="utf-8")
        self._board: SummaryWriter | None = None

    def step(self, step: int, epoch: int, rate: float, losses: Mapping[str, float]) -> None:
        """Note a step, if it is one of those that are noted."""
        if step % STEPS == 0:
            self._write({"kind": "step", "step": step, "epoch": epoch, "rate": rate, **losses})
            self._show("step", {**losses, "rate": rate}, step)

    def epoch(self, row: Row) -> None:
        """Note an epoch: `epoch`, `stage`, `step` and figures by name."""
        row = {"kind": "epoch", **row}
        self._write(row)
        self._epochs.append(row)
        save_text(_table(self._epochs), self._folder / CSV)
        figures = {name: float(value) for name, value in row.items() if not isinstance(value, str)}
        self._show("epoch", figures, int(row["step"]))

    def close(self) -> None:
        """Write what is still in memory."""
        self._file.close()
        if self._board is not None:
            self._board.close()

    def _write(self, row: Row) -> None:
        self._file.write(_line(row))
        self._file.flush()

    def _show(self, kind: str, figures: Mapping[str, float], step: int) -> None:
        """Give figures to TensorBoard; opened late, as it takes a second."""
        if self._board is None:
            from torch.utils.tensorboard.writer import SummaryWriter

            self._board = SummaryWriter(str(self._folder / TENSORBOARD), purge_step=self._step + 1)
        for name, value in figures.items():
            if name not in ("step", "epoch", "stage"):
                self._board.add_scalar(f"{kind}/{name}", value, step)  # pyright: ignore[reportUnknownMemberType]


def _line(row: Row) -> str:
    """JSON has no nan and no infinity; they are left out."""
    return json.dumps({name: value for name, value in row.items() if isinstance(value, str) or isfinite(value)}) + "\n"


def _read(file: Path) -> list[Row]:
    """The whole lines of a log; the last may be cut off."""
    found: list[Row] = []
    for line in file.read_text(encoding="utf-8").splitlines() if file.is_file() else ():
        try:
            row: Any = json.loads(line)
        except ValueError:
            continue
        found.append(row)
    return found


def _table(rows: list[Row]) -> str:
    columns = [name for name in dict.fromkeys(name for row in rows for name in row) if name != "kind"]
    text = StringIO()
    csv.writer(text).writerows([columns, *([row.get(name, "") for name in columns] for row in rows)])
    return text.getvalue()
