"""The runs of a study: every variant from every seed, its spec resolved."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from lvmc import specs
from lvmc.errors import Problem, SpecError
from lvmc.loading import load
from lvmc.records import nearest, shown
from lvmc.source import Document, parse, read_text
from lvmc.spec import Spec, Train
from lvmc.spec.changes import changed
from lvmc.spec.files import anchored
from lvmc.spec.override import opened
from lvmc.study.read import check_names, read_study
from lvmc.study.record import Study
from lvmc.study.variants import Made, variants


@dataclass(frozen=True, slots=True)
class Run:
    """A spec to train from a seed.

    Files that the spec names are absolute. `digest` tells specs that compute other things apart; `evaluate` names the
    sets that the model is judged on.
    """

    variant: str
    seed: int
    spec: Spec
    digest: str
    evaluate: tuple[str, ...]

    @property
    def name(self) -> str:
        """`QP1, seed 0`."""
        return f"{self.variant}, seed {self.seed}"

    def folder(self, out: Path) -> Path:
        """Where it is kept. A changed spec has another folder, so that no run is lost and none is taken for another."""
        return out / "runs" / self.variant / f"seed{self.seed}-{self.digest[:8]}"


@dataclass(frozen=True, slots=True)
class Plan:
    """A study, and its runs in the order in which they are made: all variants from the first seed, then the next."""

    study: Study
    runs: tuple[Run, ...]

    @property
    def variants(self) -> tuple[str, ...]:
        """Names, in the order of the study."""
        return tuple(dict.fromkeys(run.variant for run in self.runs))


def read_plan(file: Path) -> Plan:
    """Read a study and resolve the spec of every run.

    Raises:
        SpecError: Mistakes of the study, or of the specs as it changes them.
        FileNotFoundError: There is no such file.
    """
    if not file.is_file():
        raise FileNotFoundError(f"no study is called '{file}': write one as in docs/study.md")
    document = parse(read_text(file), str(file))
    study = read_study(document)
    made = variants(study, document)
    check_names(study, list(made), document)
    resolved = _resolved(made, document, file.parent)
    return Plan(
        study, tuple(_run(study, name, seed, resolved[name], file.parent) for seed in study.seeds for name in made)
    )


def digest_of(spec: Spec, folder: Path) -> str:
    """SHA-256 over everything in a spec that its result depends on; files below `folder` count by their path in it."""
    told: dict[str, Any] = {"description": True, "train": {"workers"}}
    text = spec.model_dump_json(by_alias=True, exclude=told)
    below = json.dumps(str(folder.absolute()) + os.sep, ensure_ascii=False)[1:-1]
    return sha256(text.replace(f'"{below}', '"').encode()).hexdigest()


def _run(study: Study, variant: str, seed: int, spec: Spec, folder: Path) -> Run:
    train = (spec.train or Train()).model_copy(update={"seed": seed})
    seeded = spec.model_copy(update={"train": train})
    return Run(variant, seed, seeded, digest_of(seeded, folder), study.evaluate)


def _resolved(made: Mapping[str, Made], document: Document, folder: Path) -> dict[str, Spec]:
    """The spec of each variant; files it names are relative to its folder, those the study names to the study's."""
    problems: list[Problem] = []
    found: dict[str, Spec] = {}
    for name, each in made.items():
        try:
            file = _file(each, document, folder)
            spec = anchored(parse(read_text(file), str(file)), file.parent)
            for change in each.changes:
                spec = changed(opened(spec, change.steps), [change])
            found[name] = load(anchored(spec, folder))
        except SpecError as error:
            problems += error.problems
    if problems:
        raise SpecError(problems)
    return found


def _file(made: Made, document: Document, folder: Path) -> Path:
    """The file that a study calls its spec, or the zoo's."""
    assert made.spec is not None, "checked before"
    if (file := folder / made.spec).is_file():
        return file
    if made.spec in specs.names():
        return specs.path(made.spec)
    fault = f"no file {shown(str(file))} and no zoo model {shown(made.spec)}"
    raise SpecError([Problem(document.place(made.place), fault, nearest(made.spec, specs.names()))])
