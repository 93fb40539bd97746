"""Several processes that make the runs of a study; one that dies costs the run it was at."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from signal import Signals
from typing import cast

from lvmc.study.kept import keep_failure
from lvmc.study.plan import Run
from lvmc.study.runner import Event, RunOne, Tell, make_runs

_THREADS = "OMP_NUM_THREADS"


@dataclass(slots=True)
class _Worker:
    """A process, the end of the pipe that it tells of its runs, and the run it is at."""

    process: BaseProcess
    ear: Connection
    at: str | None = None


def spread(jobs: int, runs: Sequence[Run], out: Path, run_one: RunOne, tell: Tell, since: int) -> None:
    """Make the runs in so many processes, each with its share of the cores (or `OMP_NUM_THREADS` threads).

    A process that dies, for want of memory for example, leaves its run failed, and another one takes its place.
    """
    threads = os.environ.get(_THREADS) or str(max(1, (os.cpu_count() or 1) // jobs))

    def start() -> _Worker:
        ear, mouth = get_context("spawn").Pipe(duplex=False)
        process = get_context("spawn").Process(
            target=_work, args=(threads, runs, out, run_one, mouth, since), daemon=False
        )
        process.start()
        mouth.close()
        return _Worker(process, ear)

    workers = [start() for _ in range(min(jobs, len(runs)))]
    try:
        while workers:
            for ear in wait([each.ear for each in workers]):
                worker = next(each for each in workers if each.ear is ear)
                if not _hear(worker, tell):
                    workers.remove(worker)
                    if _buried(worker, runs, out, tell):
                        workers.append(start())
    finally:
        for each in workers:
            each.process.terminate()
            each.process.join()


def _work(threads: str, runs: Sequence[Run], out: Path, run_one: RunOne, mouth: Connection, since: int) -> None:
    os.environ[_THREADS] = threads  # before torch is loaded, which reads it then

    def say(event: Event) -> None:
        try:
            mouth.send(event)
        except OSError:  # the study was killed: its runs are resumed another time
            os._exit(1)

    try:
        make_runs(runs, out, run_one, say, since)
    except KeyboardInterrupt:
        os._exit(1)


def _hear(worker: _Worker, tell: Tell) -> bool:
    """Pass on what a process says; False when it will say no more."""
    try:
        event = cast("Event", worker.ear.recv())
    except (EOFError, OSError):
        return False
    worker.at = event.run if event.kind in ("begins", "step", "remark") else None
    tell(event)
    return True


def _buried(worker: _Worker, runs: Sequence[Run], out: Path, tell: Tell) -> bool:
    """Note the run that a process died at; False if it was at none."""
    worker.process.join()
    worker.ear.close()
    lost = next((run for run in runs if run.name == worker.at), None)
    if lost is None:
        return False
    code = worker.process.exitcode or 0
    how = f"by {Signals(-code).name}" if code < 0 else f"with status {code}"
    said = f"its process ended {how}" + ("; was there enough memory?" if code == -9 else "")
    keep_failure(lost, out, said, 0.0)
    tell(Event(lost.name, "failed", said))
    return True
