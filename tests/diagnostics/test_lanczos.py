"""Lanczos: its bounds hold on known spectra, as often as they say, and on nets against dense eigenvalues."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from numpy.typing import NDArray

from lvmc.budget import Budget
from lvmc.diagnostics.explicit import diagonal, explicit, groups
from lvmc.diagnostics.semidefinite.flat import Flat
from lvmc.diagnostics.semidefinite.krylov import Krylov, sphere
from lvmc.diagnostics.semidefinite.lanczos import lanczos
from lvmc.graph.form import Form
from lvmc.ir import Geometry, Group
from tests.diagnostics.forms import chain, forms

Array = NDArray[np.float64]

SPECTRA = {
    "dense at the edges": 2 * np.cos(np.pi * (np.arange(400) + 0.5) / 400),
    "one alone": np.r_[np.linspace(-1, 1, 399), 2.0],
    "one just outside": np.r_[np.linspace(-1, 1, 49), 1.01],
    "a low-rank few": np.r_[np.zeros(60), 1.0, 1 - 1e-6],
    "three": np.array([-1.0, 0.5, 0.6]),
}


def run(values: Array, seed: int, steps: int) -> Krylov:
    eigenvalues = torch.as_tensor(values)

    def product(v: torch.Tensor) -> torch.Tensor:
        return eigenvalues * v

    krylov = Krylov(product, torch.as_tensor(sphere(len(values), seed)), steps)
    while not krylov.done:
        krylov.step()
    return krylov


def least(form: Form) -> float:
    """Smallest eigenvalue of D^-½ A D^-½."""
    root = np.sqrt(diagonal(form))
    return float(np.linalg.eigvalsh(explicit(form) / (root * root[:, None]))[0])


@pytest.mark.parametrize("name", SPECTRA)
def test_the_bound_holds_as_often_as_it_says(name: str) -> None:
    """Never exceeded at a chance of 1e-6; at 0.3 in at most 0.3 of 200 starts, three deviations granted."""
    values = SPECTRA[name]
    runs = [run(values, seed, 10) for seed in range(200)]
    assert all(each.largest() <= values.max() + 1e-12 for each in runs)
    assert all(each.bound(1e-6) >= values.max() - 1e-12 for each in runs)
    wrong = sum(each.bound(0.3) < values.max() - 1e-9 for each in runs) / 200
    assert wrong <= 0.3 + 3 * np.sqrt(0.3 * 0.7 / 200)


def test_the_chance_is_not_wasted() -> None:
    """With one eigenvalue alone above the rest the bound is exceeded about as often as it may be."""
    values = SPECTRA["one alone"]
    wrong = sum(run(values, seed, 12).bound(0.3) < values.max() - 1e-9 for seed in range(200)) / 200
    assert wrong > 0.2


@settings(max_examples=40, deadline=None)
@given(forms())
def test_nets_against_dense_eigenvalues(form: Form) -> None:
    exact = least(form)
    found = lanczos(form, Budget(30.0))
    assert found.lower <= exact + 1e-10
    assert found.lower > 0 or found.lower >= exact - 0.02 * (1 + abs(exact))
    assert found.certificate is not None
    assert found.certificate.margin == found.lower
    if exact < -1e-9:
        assert found.witness is not None
        assert found.witness.refutes == "psd"
        assert exact - 1e-10 <= found.upper <= exact + 0.02 * (1 + abs(exact))


def test_rows_match_the_explicit_matrix_with_groups_between() -> None:
    """H = D^-½CD^-½ − m (J − 1) in groups, column by column."""
    random = np.random.default_rng(0)
    form = chain((4, 4), [random.normal(size=(3, 2, 3, 3))], [Geometry((1, 1), (1, 1), (1, 1))], Group(2, 2, 2))
    matrix = np.eye(form.units) - explicit(form)
    for group in groups(form):
        matrix[np.ix_(group, group)] -= 0.4 * (1 - np.eye(len(group)))
    rows = Flat(form, {"h1": 0.4}).batch(torch.eye(form.units, dtype=torch.float64)).numpy()
    np.testing.assert_allclose(rows, matrix, atol=1e-12)


def test_float32_says_how_much_rounding_may_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rounding term covers what float32 does to the bounds of a net that float64 settles."""
    random = np.random.default_rng(2)
    form = chain((12, 12), [random.normal(size=(8, 8, 3, 3)) * 0.2], [Geometry((1, 1), (1, 1), (1, 1))])
    exact = least(form)
    monkeypatch.setattr("lvmc.diagnostics.semidefinite.flat.SMALL", 0)
    found = lanczos(form, Budget(30.0), steps=100)
    assert found.certificate is not None
    rounding = found.certificate.facts["rounding"]
    assert isinstance(rounding, float)
    assert 0 < rounding < 1e-3
    assert found.lower <= exact <= 1 - float(found.certificate.facts["largest"]) + rounding


def test_a_late_clock_leaves_a_true_bound() -> None:
    random = np.random.default_rng(4)
    form = chain((8, 8), [random.normal(size=(4, 4, 3, 3))], [Geometry((1, 1), (1, 1), (1, 1))])
    found = lanczos(form, Budget(0.0))
    assert found.lower <= least(form)
    assert "clock" in found.remark
