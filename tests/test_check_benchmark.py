"""The subjects of `benchmarks/check.py` are what they are said to be, and its figures come out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import check
import lvmc
from lvmc.loading import resolve


@pytest.mark.parametrize("size", [6, 9, 12])
def test_the_boundary_is_one(size: int) -> None:
    """zᵀAz = 0 along the planted vector, and nothing lower: strict with any more on the diagonal, not with any less."""
    edge = check.boundary(size, seed=size)
    assert np.allclose(np.diag(edge), 1.0)
    assert lvmc.copositivity(edge + 1e-9 * np.eye(size)).strict is True
    assert lvmc.copositivity(edge - 1e-9 * np.eye(size)).copositive is False


@pytest.mark.parametrize(
    ("blocks", "size", "joint", "millions"),
    [(check.BIG, 112, "stride", 3.0), (check.BIG, 112, "nms", 3.0), (check.VGG16, 224, "stride", 13.5)],
)
def test_nets_have_the_units_in_their_names(
    blocks: check.Blocks, size: int, joint: check.Joint, millions: float
) -> None:
    graph = resolve(check.pyramid(blocks, size, joint))[1]
    assert sum(layer.units for layer in graph.layers) / 1e6 == pytest.approx(millions, abs=0.06)


def test_a_case_is_measured_and_written(tmp_path: Path) -> None:
    found = list(check.CASES["nonnegative"]())
    assert [each.note for each in found] == ["strict", "refuted"]
    assert all(each.value > 0 for each in found)
    check.write_json(tmp_path / "check.json", found)
    written = json.loads((tmp_path / "check.json").read_text(encoding="utf-8"))
    assert [each["what"] for each in written["findings"]] == [each.what for each in found]
