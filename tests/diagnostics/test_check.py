"""`lvmc.check` on models: what it says besides the verdict, and what it proposes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import lvmc
from lvmc.budget import Budget
from lvmc.diagnostics.boundedness import free_layers
from lvmc.diagnostics.bounds import lower_of
from lvmc.diagnostics.decide import decide
from lvmc.diagnostics.excitations import excitations
from lvmc.diagnostics.explicit import diagonal, explicit
from lvmc.diagnostics.net import net_of
from lvmc.diagnostics.remedies import holds, rounded_down, rounded_up, with_diagonal
from lvmc.diagnostics.repair import Goal, repair
from lvmc.diagnostics.semidefinite.lanczos import lanczos
from tests.diagnostics.net_corpus import CORPUS, Known


def chain(scale: float = 1.0, **inference: Any) -> Any:
    """Three layers of a few channels with random weights."""
    layers = {"h1": {"channels": 3, "filter": 3}, "h2": {"channels": 4, "filter": 3, "nms": 2},
              "h3": {"channels": 4, "filter": 3}}  # fmt: skip
    spec = {"lvmc": 1, "name": "chained", "inputs": {"image": {"channels": 1, "size": [8, 8]}}, "layers": layers}
    model = lvmc.compile({**spec, "inference": inference} if inference else spec, seed=3)
    for name, values in model.named_parameters():
        if name in ("h2.weight", "h3.weight"):
            values.data.mul_(scale)
    return model


def unsafe(known: Known) -> bool:
    return known.bounded is False and "Horn" not in known.name


def test_shares_and_energies_add_up() -> None:
    """Along any z: the energies are zᵀCz/zᵀDz, and each is the sum over its pairs of channels."""
    form = net_of(chain()).form
    rng = np.random.default_rng(0)
    flat = rng.normal(size=form.units)
    z = {name: values[0] for name, values in form.split(flat).items()}
    found = excitations(form, z)
    weights = diagonal(form)
    wanted = 1 - flat @ explicit(form) @ flat / (weights @ flat**2)
    assert sum(each.energy for each in found) == pytest.approx(wanted)
    assert all(each.energy == pytest.approx(each.channels.sum()) for each in found)
    assert [abs(each.energy) for each in found] == sorted((abs(each.energy) for each in found), reverse=True)


def test_an_unsafe_net() -> None:
    check = lvmc.check(chain(scale=3.0), time_limit=20)
    assert check.bounded is False
    assert check.verdict.copositive is False
    assert check.witness is not None
    assert sum(layer.share for layer in check.layers) == pytest.approx(1.0)
    assert check.remedies
    assert all(remedy.holds for remedy in check.remedies)


def test_a_tamed_net() -> None:
    check = lvmc.check(chain(scale=0.01), time_limit=20)
    assert (check.bounded, check.verdict.strict, check.verdict.psd) == (True, True, True)
    assert check.every_size
    assert not check.remedies
    assert all(0 < layer.margin <= 1 for layer in check.layers)


def test_passes_are_watched_at_the_size_of_the_image() -> None:
    image = torch.rand(2, 1, 12, 8)
    check = lvmc.check(chain(scale=0.05), image, time_limit=20)
    assert check.form is not None
    assert check.form.block["h1"].size == (12, 8)
    assert check.convergence is not None
    assert check.convergence.outcome in ("settled", "converging")


def test_a_diverging_run_gives_the_ray() -> None:
    check = lvmc.check(chain(scale=3.0), torch.rand(1, 1, 8, 8), time_limit=20)
    assert check.convergence is not None
    assert check.convergence.outcome == "diverges"
    assert check.witness is not None
    assert check.witness.value + check.witness.error < 0


def test_no_single_energy() -> None:
    model = chain(tying="untied")
    check = lvmc.check(model, torch.rand(1, 1, 8, 8), time_limit=10)
    assert "no single energy" in check.remark
    assert (check.verdict.copositive, check.bounded, check.form) == (None, None, None)
    assert check.convergence is not None


def test_the_model_is_left_as_it_was() -> None:
    model = chain(scale=2.0)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    model.train()
    lvmc.check(model, torch.rand(1, 1, 8, 8), time_limit=5)
    assert model.training
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


@pytest.mark.parametrize("known", [k for k in CORPUS if unsafe(k)][::3], ids=lambda known: known.name)
def test_every_remedy_holds(known: Known) -> None:
    """Each proposed change, put into the form by hand, makes it strictly copositive."""
    check = lvmc.check(known.model(), time_limit=20)
    form = free_layers(net_of(known.model()).form)
    assert check.remedies
    for remedy in check.remedies:
        changed = with_diagonal(form.scaled(remedy.factors), remedy.diagonal).without(list(remedy.upper))
        assert remedy.holds
        assert lower_of(decide(changed, Budget(20.0)).stages) > 0, remedy.text


@pytest.mark.parametrize("goal", ["copositive", "contractive"])
@pytest.mark.parametrize("scale", [0.02, 1.0, 4.0])
def test_repair(goal: Goal, scale: float) -> None:
    """Repaired weights pass the check; weights that pass are left alone."""
    model = chain(scale)
    passes = lvmc.check(model, time_limit=20).verdict
    repaired = repair(model, goal, Budget(20.0))
    fine = passes.strict if goal == "copositive" else passes.psd
    assert bool(repaired.factors) == (not fine)
    model.load_state_dict({name: torch.as_tensor(value) for name, value in repaired.state.items()})
    check = lvmc.check(model, time_limit=20)
    assert check.bounded
    assert goal == "copositive" or check.verdict.psd


@pytest.mark.parametrize("goal", ["copositive", "contractive"])
def test_repair_folds_a_constraint_in(goal: Goal) -> None:
    """The state of a constrained model, repaired, is that of a plain one that computes the same."""
    constrained, plain = chain(3.0, constraint=goal), chain(3.0)
    repaired = repair(constrained, goal, Budget(20.0))
    plain.load_state_dict({name: torch.as_tensor(value) for name, value in repaired.state.items()})
    image = torch.rand(2, 1, 8, 8)
    for name, value in constrained.latents(image).items():
        torch.testing.assert_close(plain.latents(image)[name], value, rtol=1e-4, atol=1e-5)
    assert not repaired.factors


def test_contractive_by_a_proof_without_chance() -> None:
    """Weak couplings are certified by dominance of |C|, at every size, before Lanczos is asked."""
    certificate = repair(chain(0.02), "contractive", Budget(20.0)).certificate
    assert certificate is not None
    assert (certificate.kind, certificate.chance, certificate.facts["every_size"]) == ("dominance", 0.0, 1)


def test_no_remedy_is_refuted_by_what_lies_outside_the_cone() -> None:
    """Strong inhibition is not semidefinite, yet strictly copositive: Lanczos' witness says nothing about K."""
    form = net_of(next(known for known in CORPUS if known.name == "inhibition -50.0").model()).form
    assert lanczos(form, Budget(10.0)).upper < 0
    assert holds(lanczos, form, Budget(10.0)) is None


def test_repair_leaves_alone_what_hardly_matters() -> None:
    """Only the coupling past its threshold is scaled, and by little more than it must be."""
    layers = {name: {"channels": 1, "filter": 1} for name in ("h1", "h2", "h3")}
    model = lvmc.compile(
        {"lvmc": 1, "name": "pairs", "inputs": {"image": {"channels": 1, "size": [2, 2]}}, "layers": layers}
    )
    weak, strong = torch.full((1, 1, 1, 1), 0.01), torch.full((1, 1, 1, 1), 2.0)
    model.load_state_dict({**model.state_dict(), "h2.weight": weak, "h3.weight": strong})
    repaired = repair(model, "copositive", Budget(20.0))
    assert list(repaired.factors) == ["h3.weight"]
    assert 0.48 < repaired.factors["h3.weight"] < (1 - 0.01**2) ** 0.5 / 2


@pytest.mark.parametrize("value", [0.7123, 1.0, 123.456, 0.000123456, 9.999])
def test_rounding_to_three_digits_keeps_its_side(value: float) -> None:
    assert 0.99 * value <= rounded_down(value) <= value <= rounded_up(value) <= 1.011 * value
