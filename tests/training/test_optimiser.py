"""Which parameters step at which rate, and how rates change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import lvmc
from lvmc.spec import Spec
from lvmc.spec.train import Train
from lvmc.training.optimiser import factor_of, freeze, groups_of, optimiser_of, schedule_of

from .small import spec_of


def train_of(layer: dict[str, Any] | None = None, **train: Any) -> tuple[Spec, Train]:
    spec = spec_of(Path("set.npz"), layer, **train)
    assert spec.train is not None
    return spec, spec.train


def test_the_longest_prefix_counts_word_by_word() -> None:
    rates = {"h1": 0.5, "h1.norm": 0.0, "heads.k": 0.1, "heads.k.h1": 0.01}
    names = ["h1.weight", "h1.norm.weight", "h10.weight", "heads.k.h2.bias", "heads.k.h1.bias", "heads.kk.h1.bias"]
    assert [factor_of(name, rates) for name in names] == [0.5, 0.0, 1.0, 0.1, 0.01, 1.0]


def test_adam_decays_filters_only_and_sgd_all() -> None:
    _, adam = train_of(optimizer={"kind": "adam", "decay": 0.3})
    _, sgd = train_of(optimizer={"kind": "sgd", "decay": 0.2})
    filters = ["h1.weight", "h2.h1.weight", "h2.weight_p1", "h1.lateral", "heads.k.h1.weight"]
    others = ["h1.bias", "h1.diagonal", "h1.norm.weight", "h1.norm.image_p1.weight", "heads.k.h1.bias"]
    decay = {name: group.decay for group in groups_of(filters + others, {}, adam.optimizer) for name in group.names}
    assert decay == dict.fromkeys(filters, 0.3) | dict.fromkeys(others, 0.0)
    (group,) = groups_of(filters + others, {}, sgd.optimizer)
    assert group.decay == 0.2


def test_a_rate_of_zero_freezes() -> None:
    spec, train = train_of(rates={"h1": 0, "h2.weight": 0.1})
    model = lvmc.compile(spec)
    freeze(model, train)
    assert {name for name, p in model.named_parameters() if not p.requires_grad} == {"h1.weight", "h1.bias"}
    rates = {
        id(parameter): group["lr"]
        for group in optimiser_of(model, train, 0.5, fused=False).param_groups
        for parameter in group["params"]
    }
    assert rates[id(model.get_parameter("h2.weight"))] == pytest.approx(0.05)
    assert rates[id(model.get_parameter("h2.bias"))] == 0.5
    assert id(model.get_parameter("h1.weight")) not in rates


def test_nothing_left_to_train_is_a_mistake() -> None:
    spec, train = train_of(rates={"h1": 0, "h2": 0, "heads.keypoints": 0})
    model = lvmc.compile(spec)
    freeze(model, train)
    with pytest.raises(ValueError, match="freeze every parameter"):
        optimiser_of(model, train, 0.1, fused=False)


@pytest.mark.parametrize(
    ("schedule", "rates"),
    [
        ("constant", {0: 1, 7: 1}),
        ("cosine", {0: 1, 4: 0.5, 8: 0}),
        ({"steps": [1, 3], "factor": 0.5}, {1: 1, 2: 0.5, 5: 0.5, 6: 0.25}),
        ("one-cycle", {0: 1 / 25, 7: 1 / 25e4}),
    ],
)
def test_schedules_of_four_epochs_of_two_steps(schedule: Any, rates: dict[int, float]) -> None:
    """What the rate is multiplied by after so many steps, in every group alike."""
    _, train = train_of(schedule=schedule)
    parameters = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD([{"params": [parameters[0]], "lr": 0.1}, {"params": [parameters[1]], "lr": 0.02}])
    stepped = schedule_of(optimizer, train, 4, 2)
    for step in range(9):
        if step in rates:
            assert [group["lr"] for group in optimizer.param_groups] == pytest.approx(
                [0.1 * rates[step], 0.02 * rates[step]], abs=1e-9
            )
        optimizer.step()
        if step < 8:
            stepped.step()
