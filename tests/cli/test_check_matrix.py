"""`lvmc check-matrix`: verdicts of matrices in files, and what is said of files that hold none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from .conftest import Call

HORN = np.array([[1, -1, 1, 1, -1], [-1, 1, -1, 1, 1], [1, -1, 1, -1, 1], [1, 1, -1, 1, -1], [-1, 1, 1, -1, 1.0]])
PSD = np.array([[2.0, -1, 0], [-1, 2, -1], [0, -1, 2]])
GROUPED = np.array([[1.0, -0.9, -0.9], [-0.9, 1, 0], [-0.9, 0, 1]])


@pytest.mark.parametrize("ending", ["npy", "npz", "csv", "txt"])
def test_matrices_are_read_by_ending(lvmc_command: Call, tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"A.{ending}"
    match ending:
        case "npy":
            np.save(file, PSD.astype(np.int64))
        case "npz":
            np.savez(file, A=PSD.astype(np.float32))
        case _:
            np.savetxt(file, PSD, delimiter="," if ending == "csv" else " ")
    done = lvmc_command("check-matrix", file.name, "--require", "strict", "--require", "psd")
    assert done.status == 0
    assert done.out.startswith(f"A.{ending} is strictly copositive: zᵀAz ≥ 0.29")
    assert "; positive semidefinite.\n" in done.out


def test_a_proof_is_written_and_verified(lvmc_command: Call, tmp_path: Path) -> None:
    np.save(tmp_path / "horn.npy", HORN)
    document = lvmc_command("check-matrix", "horn.npy", "--json", "-o", "proofs").document
    assert (document["copositive"], document["strict"], document["psd"]) == (True, False, False)
    assert document["bounds"] == [0.0, 0.0]
    assert document["files"] == {
        "certificate": "proofs/horn.certificate.npz",
        "witness": "proofs/horn.witness.npz",
    }
    again = lvmc_command("verify", *document["files"].values(), "--json")
    assert again.status == 0
    assert again.document["holds"]
    assert [each["claim"] for each in again.document["files"]] == [
        "the 5 × 5 matrix is copositive: zᵀAz ≥ 0 zᵀDz",
        "the 5 × 5 matrix is not strictly copositive: zᵀAz/zᵀDz = 0 at the z given",
    ]
    lvmc_command("check-matrix", "horn.npy", "-o", "one.npz")
    assert sorted(each.name for each in tmp_path.glob("*.npz")) == ["one.npz", "one.witness.npz"]


def test_a_requirement_that_is_not_met(lvmc_command: Call, tmp_path: Path) -> None:
    np.save(tmp_path / "horn.npy", HORN)
    assert lvmc_command("check-matrix", "horn.npy", "--require", "copositive").status == 0
    done = lvmc_command("check-matrix", "horn.npy", "--require", "strict", "--require", "copositive")
    assert (done.status, done.err) == (1, "lvmc: required, strict: refuted\n")
    assert done.out.startswith("horn.npy is copositive, but not strictly: ")
    assert lvmc_command("check-matrix", "horn.npy", "--require", "sure").status == 2
    assert lvmc_command("check-matrix").status == 2


def test_groups_flip_the_verdict(lvmc_command: Call, tmp_path: Path) -> None:
    np.save(tmp_path / "A.npy", GROUPED)
    (tmp_path / "g.json").write_text("[[1, 2]]")
    alone = lvmc_command("check-matrix", "A.npy", "--json").document
    assert (alone["copositive"], alone["witness"]["refutes"]) == (False, "copositive")
    z = np.array(alone["witness"]["z"])
    assert z @ GROUPED @ z < 0
    done = lvmc_command("check-matrix", "A.npy", "--groups", "g.json", "-o", "out")
    assert "at most one nonzero entry in each of 1 groups" in done.out
    assert lvmc_command("verify", "out/A.certificate.npz").status == 0


def save(path: Path, values: object) -> None:
    np.save(path, np.asarray(values))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (np.ones((2, 3)), "the matrix has to be square, and is 2×3"),
        (np.ones(4), "the matrix has to be square, and is 4"),
        ([[1.0, 2.0], [2.5, 1.0]], "not symmetric: row 0, column 1 is 2 and row 1, column 0 is 2.5"),
        ([[1.0, np.nan], [np.nan, 1.0]], "row 0, column 1 is nan (counted from 0), not a finite number"),
        ([[1j, 0], [0, 1]], "type complex128, not real"),
        ([["1", "2"], ["2", "1"]], "not real"),
        ([[2**60 + 1, 0], [0, 1]], "more than float64 holds"),
    ],
)
def test_what_is_no_matrix(lvmc_command: Call, tmp_path: Path, values: object, said: str) -> None:
    save(tmp_path / "A.npy", values)
    done = lvmc_command("check-matrix", "A.npy", "-o", "out")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("lvmc: A.npy: ")
    assert said in done.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("A.csv", b"1,2\n2,x\n", "no matrix can be read from it"),
        (
            "A.npy",
            b"\x93NUMPY\x01\x00v\x00{}",
            "no matrix can be read",
        ),
        ("A.npy", b"", "no matrix can be read"),
        ("A.npz", b"PK", "no matrix can be read"),
        ("A.mat", b"", "'.mat' are not known; .npy, .npz, .csv and .txt are"),
        ("A.txt", b"\xff\xfe\x00", "no matrix can be read"),
    ],
)
def test_files_that_cannot_be_read(lvmc_command: Call, tmp_path: Path, name: str, content: bytes, said: str) -> None:
    (tmp_path / name).write_bytes(content)
    done = lvmc_command("check-matrix", name)
    assert (done.status, done.out) == (1, "")
    assert said in done.err
    assert lvmc_command("check-matrix", "none.npy").err == "lvmc: none.npy: No such file or directory\n"


def test_nothing_is_unpickled(lvmc_command: Call, tmp_path: Path) -> None:
    np.save(tmp_path / "A.npy", np.array([[{}]], dtype=object), allow_pickle=True)
    done = lvmc_command("check-matrix", "A.npy")
    assert done.status == 1
    assert "allow_pickle=False" in done.err


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ("[[0, 1], [1, 2]]", "index 1 is in group 0 and in group 1"),
        ("[[0, 1], [2, 3]]", "group 1 has index 3; those of the matrix are 0 to 2"),
        ("[[0, -1]]", "group 0 has index -1"),
        ("[[0, 0]]", "group 0 names an index twice"),
        ("[[0, 1.5]]", "group 0 has 1.5 at place 1, not an index"),
        ("[0, 1]", "group 0 is no list of indices"),
        ('{"a": [0, 1]}', "write a list of groups"),
        ("[[0, 1]", "is no JSON"),
    ],
)
def test_groups_that_are_none(lvmc_command: Call, tmp_path: Path, groups: str, said: str) -> None:
    np.save(tmp_path / "A.npy", GROUPED)
    (tmp_path / "g.json").write_text(groups)
    done = lvmc_command("check-matrix", "A.npy", "--groups", "g.json", "--json")
    assert done.status == 1
    assert said in json.loads(done.out)["error"]
