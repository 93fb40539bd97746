"""`lvmc fit-basis`: poses in, a basis out that a head takes, and what it says."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from lvmc.cli.app import app
from lvmc.cli.fit_basis import read_poses
from lvmc.data.figures3d import body_poses
from lvmc.lifting import fit_basis, read_basis
from lvmc.lifting.rotations import tilted


def test_a_file_of_poses_becomes_a_basis(tmp_path: Path) -> None:
    poses, out = tmp_path / "poses.npz", tmp_path / "basis.npz"
    given = body_poses(120)
    np.savez(poses, poses=given.transpose(0, 2, 1))
    arguments = ["fit-basis", str(poses), "-o", str(out), "--components", "2", "--dimensions", "4"]
    arguments += ["--rotations", "10", "--tilt", "15"]
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.output
    document = json.loads(done.output)
    assert (document["poses"], document["points"]) == (120, 16)
    assert sum(document["shares"]) == pytest.approx(1)
    wanted = fit_basis(given, 2, 4, 10, tilted(15.0)).basis
    found = read_basis(out)
    assert np.allclose(found.mean, wanted.mean)
    assert np.allclose(found.rotations, wanted.rotations)
    assert "exists" in CliRunner().invoke(app, arguments).output
    again = CliRunner().invoke(app, [*arguments, "--force"])
    assert again.exit_code == 0
    assert "mu, e, sigma, R_set" in again.output


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"a": np.zeros(3), "b": np.zeros(3)}, "none is called poses"),
        ({"poses": np.zeros((4, 5))}, r"not \(4, 5\)"),
        ({"poses": np.zeros((4, 5, 2))}, r"not \(4, 5, 2\)"),
    ],
)
def test_what_is_no_poses_is_said(arrays: dict[str, np.ndarray], said: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "poses.npz", **arrays)
    with pytest.raises(ValueError, match=said):
        read_poses(tmp_path / "poses.npz")
    with pytest.raises(FileNotFoundError):
        read_poses(tmp_path / "none.npz")
