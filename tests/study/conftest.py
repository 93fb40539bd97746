"""Studies of a tiny spec, and runs that train nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

SPEC = """lvmc: 1
name: tiny
inputs: {image: {channels: 1, size: [8, 8]}}
layers:
  h1: {channels: 2, filter: 3}
  h2: {channels: 2, filter: 3}
heads:
  points: {kind: heatmap, channels: 2, reads: h1}
"""

STUDY = """lvmc_study: 1
name: tiny
title: Does feedback help?
base: tiny.yaml
set: {train.epochs: 3}
variants:
  QP1: {set: {inference.passes: 1}}
  QP2: {set: {inference.passes: 2}}
seeds: [0, 1, 2]
report:
  figures: {test/points/nme: clean NME}
  compare: [[QP2, QP1]]
"""

Write = Callable[..., Path]


@pytest.fixture
def study_file(tmp_path: Path) -> Write:
    """`study_file("seeds: [0, 1, 2]", "seeds: [0]")`: the study with texts replaced, beside its spec."""

    def write(*changes: str) -> Path:
        text = STUDY
        for old, new in zip(changes[::2], changes[1::2], strict=True):
            assert old in text
            text = text.replace(old, new)
        (tmp_path / "tiny.yaml").write_text(SPEC)
        path = tmp_path / "study.yaml"
        path.write_text(text)
        return path

    return write
