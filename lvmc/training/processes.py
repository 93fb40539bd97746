"""Further processes of a run on this machine: the calling one is the first, and none outlives it for long."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import IO, Any

WORKER = "lvmc.training.worker"
_GRACE = 30.0
MISTAKE = 3
"""Status of a worker that met a mistake of the user's."""


@contextmanager
def beside(count: int, job: Mapping[str, Any]) -> Generator[None]:
    """Run with `count` processes in all: this one, and workers that do the same job.

    The environment of this process says so to Fabric meanwhile, as that of the others does. What Fabric itself would
    do is to run the whole command again in each, whatever program it is part of.

    Raises:
        ValueError: A worker met a mistake, which it tells.
        RuntimeError: A worker broke down.
    """
    shared = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()), "NODE_RANK": "0"}
    threads = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS", "1")}
    before = dict(os.environ)
    workers = [_start(os.environ | shared | threads | {"LOCAL_RANK": str(rank)}, job) for rank in range(1, count)]
    os.environ.update(shared | {"LOCAL_RANK": "0"})
    try:
        yield
        _wait(workers)
    except RuntimeError as error:  # how a lost connection shows
        _explain(workers, error)
        raise
    finally:
        os.environ.clear()
        os.environ.update(before)
        for process, told in workers:
            if process.poll() is None:
                process.kill()
            process.wait()
            told.close()


def _start(environment: Mapping[str, str], job: Mapping[str, Any]) -> tuple[subprocess.Popen[str], IO[str]]:
    # closed when the process has ended
    told = TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
    command = [sys.executable, "-m", WORKER]
    process = subprocess.Popen(command, env=dict(environment), stdin=subprocess.PIPE, stderr=told, text=True)
    assert process.stdin is not None
    process.stdin.write(json.dumps(job))
    process.stdin.close()
    return process, told


def _wait(workers: list[tuple[subprocess.Popen[str], IO[str]]]) -> None:
    for process, _ in workers:
        if process.wait(_GRACE):
            raise RuntimeError("a process of the run broke down")


def _explain(workers: list[tuple[subprocess.Popen[str], IO[str]]], error: RuntimeError) -> None:
    """Raise what a worker has told, if one ended before this process did."""
    for rank, (process, told) in enumerate(workers, 1):
        try:
            status = process.wait(1.0)
        except subprocess.TimeoutExpired:
            continue
        if status:
            told.seek(0)
            text = told.read().strip()
            kind = ValueError if status == MISTAKE else RuntimeError
            raise kind(f"process {rank} stopped: {text[-2000:]}") from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
