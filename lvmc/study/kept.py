"""What a study keeps of a run: its figures when it is done, its mistake when it failed, and who is at it."""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import isfinite, nan
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Literal

from lvmc.durable import save_text
from lvmc.study.plan import Run

FIGURES, FAILED = "figures.json", "failed.json"

_MOMENT = 0.05
"""Seconds to wait for a claim: looking whether there is one takes it for an instant."""

State = Literal["done", "failed", "under way", "missing"]


@dataclass(frozen=True, slots=True)
class Result:
    """How a run stands: figures if it is done, `message` if it failed."""

    run: Run
    state: State
    folder: Path
    figures: Mapping[str, float]
    seconds: float = nan
    message: str = ""


def result_of(run: Run, out: Path) -> Result:
    """How a run stands, as its folder says."""
    folder = run.folder(out)
    if (kept := _done(run, folder)) is not None:
        return Result(run, "done", folder, _numbers(kept["figures"]), float(kept["seconds"]))
    if _claimed(folder):
        return Result(run, "under way", folder, {})
    if (kept := _read(folder / FAILED, run)) is not None:
        return Result(run, "failed", folder, {}, float(kept["seconds"]), str(kept["error"]))
    return Result(run, "missing", folder, {})


def is_done(run: Run, out: Path) -> bool:
    """Whether its figures are there, of this spec, on all sets that the study names."""
    return _done(run, run.folder(out)) is not None


def failed_since(run: Run, out: Path, moment: int) -> bool:
    """Whether its failure was written after the moment (in ns, as the file system counts)."""
    file = run.folder(out) / FAILED
    return file.is_file() and file.stat().st_mtime_ns >= moment


def now(out: Path) -> int:
    """The time in ns, as the file system of the folder counts."""
    with NamedTemporaryFile(dir=out, prefix=".now.") as file:
        return Path(file.name).stat().st_mtime_ns


def keep_figures(run: Run, out: Path, figures: Mapping[str, float], seconds: float) -> None:
    """Write that a run is done."""
    numbers = {name: float(value) if isfinite(value) else None for name, value in figures.items()}
    _write(run, out, FIGURES, {"evaluate": list(run.evaluate), "seconds": round(seconds, 3), "figures": numbers})
    (run.folder(out) / FAILED).unlink(missing_ok=True)


def keep_failure(run: Run, out: Path, error: str, seconds: float, trace: str = "") -> None:
    """Write that a run failed, and how."""
    _write(run, out, FAILED, {"seconds": round(seconds, 3), "error": error, "trace": trace.splitlines()})


@contextmanager
def claim(run: Run, out: Path) -> Generator[bool]:
    """Hold a run, so that no other process makes it too; False if one does. A claim ends with its process."""
    from filelock import FileLock, Timeout

    folder = run.folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(_lock(folder))
    try:
        lock.acquire(timeout=_MOMENT, poll_interval=_MOMENT / 5)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def _claimed(folder: Path) -> bool:
    from filelock import FileLock, Timeout

    lock = _lock(folder)
    if not lock.is_file():
        return False
    try:
        with FileLock(lock).acquire(blocking=False):
            return False
    except Timeout:
        return True


def _lock(folder: Path) -> Path:
    return folder.with_name(f".{folder.name}.lock")


def _write(run: Run, out: Path, name: str, document: Mapping[str, Any]) -> None:
    folder = run.folder(out)
    folder.mkdir(parents=True, exist_ok=True)
    whole = {"variant": run.variant, "seed": run.seed, "digest": run.digest, **document}
    save_text(json.dumps(whole, indent=2, ensure_ascii=False, allow_nan=False) + "\n", folder / name)


def _done(run: Run, folder: Path) -> dict[str, Any] | None:
    kept = _read(folder / FIGURES, run)
    return kept if kept and set(run.evaluate) <= set(kept["evaluate"]) else None


def _read(file: Path, run: Run) -> dict[str, Any] | None:
    """What a file says of this very spec; None if it says nothing of it."""
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
        return kept if kept["digest"] == run.digest else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _numbers(figures: Mapping[str, float | None]) -> dict[str, float]:
    return {name: nan if value is None else float(value) for name, value in figures.items()}
