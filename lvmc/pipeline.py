"""load → … → module."""
from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from lvmc.errors import Problem, SpecError
from lvmc.graph import MAX_PARAMETERS, MAX_UNITS, EnergyGraph, Findings, build
from lvmc.source import Document, parse
from lvmc.spec import Spec, read_spec

def read(source, *, max_parameters=MAX_PARAMETERS, max_units=MAX_UNITS):
    document = Document("<dict>", source) if isinstance(source, dict) else parse(Path(source).read_text() if not isinstance(source,str) or "\n" not in source else source, "spec.yaml")
    reading = read_spec(document)
    findings = Findings(reading.unsure)
    graph = None
    if reading.spec is not None:
        graph = build(reading.spec, findings, max_parameters=max_parameters, max_units=max_units)
    problems = [*reading.problems, *(Problem(document.place(f.path, on_key=f.on_key), f.fault, f.remedy) for f in findings.found)]
    if problems: raise SpecError(problems)
    return reading.spec, graph
