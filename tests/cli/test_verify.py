"""`lvmc verify`: proofs in files, of matrices and of nets, and whether they are of a given net."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lvmc
from lvmc.diagnostics.dominance.dominance import dominance
from lvmc.diagnostics.net import net_of as net_of_model
from lvmc.graph.form import Form
from lvmc.verdicts import Certificate
from lvmc.verdicts.files import save
from lvmc.verdicts.subjects import matrix_of, net_of

from .conftest import Call

SMALL = """
lvmc: 1
name: small
inputs: {image: {channels: 1, size: [8, 8]}}
layers:
  h1: {channels: 2, filter: 3, init: {weight: {normal: 0.05}}}
  h2: {channels: 3, filter: 3, stride: 2, upper: UPPER, init: {weight: {normal: 0.05}}}
"""


@pytest.fixture
def form(tmp_path: Path) -> Form:
    """A spec in a file, and its form."""
    (tmp_path / "small.yaml").write_text(SMALL.replace(" upper: UPPER,", ""))
    (tmp_path / "bounded.yaml").write_text(SMALL.replace("UPPER", "2.0"))
    return net_of_model(lvmc.compile(tmp_path / "small.yaml")).form


def proof_of(form: Form, torus: bool = False) -> Certificate:
    proof = dominance(form, torus=torus).certificate
    assert proof is not None
    assert proof.margin > 0
    return proof


def test_a_certificate_holds(lvmc_command: Call, form: Form) -> None:
    save("a.npz", net_of(form), proof_of(form))
    done = lvmc_command("verify", "a.npz")
    assert done.status == 0
    assert done.out.startswith("a.npz holds: A = D − C of the net 'small' is strictly copositive: zᵀAz ≥ ")
    assert "checked: one product C₊v over 176 units at the net's own size" in done.out


def test_a_certificate_that_does_not_hold(lvmc_command: Call, form: Form) -> None:
    proof = proof_of(form)
    save("a.npz", net_of(form), proof)
    save("b.npz", net_of(form), replace(proof, margin=proof.margin + 0.01))
    done = lvmc_command("verify", "a.npz", "b.npz")
    assert done.status == 1
    assert "b.npz does not hold. It says: " in done.out
    assert "is not proved: only" in done.out
    document = lvmc_command("verify", "a.npz", "b.npz", "--json").document
    assert (document["holds"], [each["holds"] for each in document["files"]]) == (False, [True, False])


def test_a_certificate_of_this_net(lvmc_command: Call, form: Form) -> None:
    save("a.npz", net_of(form), proof_of(form))
    done = lvmc_command("verify", "a.npz", "--spec", "small.yaml")
    assert done.status == 0
    assert "its layers, couplings and filters are those of 'small', bit for bit" in done.out
    other = lvmc_command("verify", "a.npz", "--spec", "small.yaml", "--seed", 1)
    assert other.status == 1
    assert "its filter 'h2.weight' is not that of 'small': other weights" in other.out
    assert "that of 'two_layer'" in lvmc_command("verify", "a.npz", "--spec", "two_layer").out
    assert "says nothing of the layers h3, h4, h5" in lvmc_command("verify", "a.npz", "--spec", "qp_faces").out
    resized = lvmc_command("verify", "a.npz", "--spec", "small.yaml", "--size", "12x8")
    assert resized.status == 1
    assert "2 channels of 8×8" in resized.out


def test_weights_of_a_file(lvmc_command: Call, form: Form) -> None:
    from safetensors.torch import save_file

    model = lvmc.compile("small.yaml", seed=5)
    save_file({name: value.contiguous() for name, value in model.state_dict().items()}, "w.safetensors")
    made = net_of_model(model).form
    save("a.npz", net_of(made), proof_of(made))
    assert lvmc_command("verify", "a.npz", "--spec", "small.yaml", "--weights", "w.safetensors").status == 0
    assert lvmc_command("verify", "a.npz", "--spec", "small.yaml").status == 1


def test_a_certificate_of_every_size_and_one_of_a_part(lvmc_command: Call, form: Form) -> None:
    save("torus.npz", net_of(form), proof_of(form, torus=True))
    done = lvmc_command("verify", "torus.npz", "--spec", "small.yaml", "--size", "16x20")
    assert done.status == 0
    assert "holds at every image size" in done.out
    part = form.without(["h2"])
    save("part.npz", net_of(part), proof_of(part))
    assert "says nothing of the layers h2" in lvmc_command("verify", "part.npz", "--spec", "small.yaml").out
    done = lvmc_command("verify", "part.npz", "--spec", "bounded.yaml")
    assert done.status == 0
    assert "the net without its bounded layers h2" in done.out


def test_a_matrix_of_a_net(lvmc_command: Call, form: Form) -> None:
    from lvmc.verdicts.verify.explicit import explicit

    proof = Certificate("strict", "dominance", 0.01, {"v": np.ones(form.units)}, {"groups": 0, "matrix": 1})
    whole = explicit(net_of(form))
    save("matrix.npz", whole, proof)
    save("net.npz", net_of(form), proof)
    assert lvmc_command("verify", "matrix.npz", "net.npz", "--spec", "small.yaml").status == 0
    save("other.npz", matrix_of(np.eye(form.units)), proof)
    done = lvmc_command("verify", "other.npz", "--spec", "small.yaml")
    assert done.status == 1
    assert "the matrix is not that of 'small'" in done.out


@pytest.mark.usefixtures("form")
@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ((), 2, "Missing argument"),
        (("none.npz",), 1, "none.npz: No such file or directory"),
        (("small.yaml",), 1, "small.yaml: is no proof of lvmc's, or a damaged one"),
        (("a.npz", "--weights", "w.safetensors"), 2, "--spec SPEC"),
    ],
)
def test_wrong_usage(lvmc_command: Call, words: tuple[Any, ...], status: int, said: str) -> None:
    done = lvmc_command("verify", *words)
    assert done.status == status
    assert said in done.err
