"""Runs that train nothing, as functions of a module, which other processes find."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from lvmc.evaluation.evaluation import Curve, Evaluation
from lvmc.study.plan import Run
from lvmc.study.runner import Event, Tell

LOG = "log.txt"


def passes(run: Run) -> int:
    return run.spec.inference.passes or 0


def figures(run: Run) -> dict[str, float]:
    """Numbers with a seed's own luck, which pairs share, and a gain a pass."""
    luck = np.random.default_rng([run.seed, 7]).normal()
    own = np.random.default_rng([run.seed, passes(run)]).normal()
    clean = 0.06 + 0.002 * luck + 0.0005 * own
    return {"test/points/nme": clean, "covered/points/nme_hidden": 0.26 - 0.01 * passes(run) + 3 * (clean - 0.06)}


def curves(run: Run) -> dict[str, Curve]:
    x = np.linspace(0, 0.2, 41)
    found: dict[str, Curve] = {}
    for kind, width in (("visible", 0.05), ("hidden", 0.16 - 0.012 * passes(run))):
        scale = width + 0.003 * np.random.default_rng([run.seed, len(kind)]).normal()
        found[f"covered/points/pck_{kind}"] = Curve(
            tuple(x.tolist()), tuple((1 - np.exp(-((x / scale) ** 2))).tolist())
        )
    return found


def note(run: Run, folder: Path, word: str) -> None:
    """A line in the log beside `runs`, written at once."""
    with (folder.parents[2] / LOG).open("a") as file:
        file.write(f"{word} {run.name} {os.getpid()} {os.environ.get('OMP_NUM_THREADS')}\n")


def quick(run: Run, folder: Path, tell: Tell) -> Mapping[str, float]:
    note(run, folder, "made")
    tell(Event(run.name, "step", "half", 0.5))
    tell(Event(run.name, "remark", "2 samples were skipped"))
    (folder / "evaluation.json").write_text(Evaluation(figures(run), curves=curves(run)).to_json())
    return figures(run)


def slow(run: Run, folder: Path, tell: Tell) -> Mapping[str, float]:
    time.sleep(0.15)
    return quick(run, folder, tell)


def failing(run: Run, folder: Path, tell: Tell) -> Mapping[str, float]:
    note(run, folder, "tried")
    if run.variant == "QP1" and run.seed == 1:
        raise FloatingPointError("the loss is nan in step 12")
    return figures(run)


def dying(run: Run, folder: Path, tell: Tell) -> Mapping[str, float]:
    note(run, folder, "tried")
    if run.variant == "QP1" and run.seed == 1:
        os._exit(3)
    return figures(run)


def interrupted(run: Run, folder: Path, tell: Tell) -> Mapping[str, float]:
    """Ends as by Ctrl-C halfway through QP2, seed 0, unless it finds what it left; goes on from there."""
    checkpoint = folder / "checkpoint.json"
    if run.variant == "QP2" and not checkpoint.is_file():
        checkpoint.write_text(json.dumps({"epoch": 1}))
        raise KeyboardInterrupt
    note(run, folder, "resumed" if checkpoint.is_file() else "made")
    return figures(run)
