"""Memory budgets: the same gradients from less memory, and plans that say what is recomputed."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch

import lvmc
from lvmc.assemble import Options, programs
from lvmc.loading import resolve
from lvmc.memory import bytes_of, recompute

from .kept import kept_bytes

SPEC: dict[str, Any] = {
    "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 16}},
    "layers": {"h1": {"channels": 8, "filter": 3, "nms": 2}, "h2": {"channels": 8, "filter": 3}},
    "heads": {
        "p": {"kind": "heatmap", "channels": 2, "reads": {"h2": 1, "h1": 1}, "at": "each"},
        "q": {"kind": "classes", "outputs": 3, "reads": "h2", "pool": "mean"},
    },
}  # fmt: skip


def small(model: torch.nn.Module) -> torch.nn.Module:
    """The model with filters so small that many passes stay finite."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if not name.startswith("heads"):
                parameter.mul_(0.3)
    return model.double()


def step(model: torch.nn.Module, image: torch.Tensor) -> tuple[int, dict[str, torch.Tensor]]:
    """Bytes that autograd keeps for the backward pass, and the gradients."""
    kept, out = kept_bytes(partial(model, image))
    model.zero_grad()
    sum(value.square().sum() for value in out.values()).backward()
    return kept, {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def test_a_budget_changes_no_gradient_but_what_is_kept() -> None:
    image = torch.randn(6, 1, 16, 16, dtype=torch.double)
    plain = small(lvmc.compile(SPEC))
    thrifty = small(lvmc.compile(SPEC, memory="200kB"))
    for key, value in plain(image).items():
        torch.testing.assert_close(thrifty(image)[key], value, rtol=1e-12, atol=1e-14)
    much, wanted = step(plain, image)
    little, found = step(thrifty, image)
    assert little < 0.5 * much
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-10, atol=1e-12)
    for key, value in plain.latents(image).items():
        torch.testing.assert_close(thrifty.latents(image)[key], value, rtol=1e-12, atol=1e-14)


def test_a_budget_thins_out_the_states_of_a_long_loop() -> None:
    spec = SPEC | {"heads": {"q": SPEC["heads"]["q"]}}
    image = torch.randn(2, 1, 16, 16, dtype=torch.double)
    plain, thrifty = small(lvmc.compile(spec, passes=60)), small(lvmc.compile(spec, passes=60, memory="100kB"))
    assert "rounds(state" in lvmc.pipeline.emitted(spec, Options(passes=60, memory=100_000)).source
    much, wanted = step(plain, image)
    little, found = step(thrifty, image)
    assert little < 0.3 * much
    for name, gradient in wanted.items():
        torch.testing.assert_close(found[name], gradient, rtol=1e-10, atol=1e-12)


def test_large_budgets_recompute_nothing() -> None:
    image = torch.randn(4, 1, 16, 16, dtype=torch.double)
    assert step(small(lvmc.compile(SPEC, memory="4GB")), image)[0] == step(small(lvmc.compile(SPEC)), image)[0]


def test_norms_keep_a_batch_whole() -> None:
    """Batch statistics are those of the whole batch, so it is not split; the budget then thins out loops only."""
    layers = {name: layer | {"norm": "drive"} for name, layer in SPEC["layers"].items()}
    spec = SPEC | {"layers": layers}
    _, graph = resolve(spec)
    assert recompute(graph, programs(graph, Options()), Options(memory=1000)).rows(8) == 8
    image = torch.randn(4, 1, 16, 16)
    plain, thrifty = lvmc.compile(spec).train(), lvmc.compile(spec, memory=1000).train()
    assert torch.equal(thrifty(image)["q"], plain(image)["q"])


@pytest.mark.parametrize(
    ("text", "size"),
    [("2GB", 2 * 10**9), ("1.5 GiB", 3 * 2**29), ("500mb", 5 * 10**8), ("64k", 64_000), ("100", 100), (7, 7)],
)
def test_sizes(text: str | int, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "two", "-1GB", "0", 0, -5, "1XB", True, None, 1.5])
def test_no_sizes(text: Any) -> None:
    with pytest.raises(ValueError, match="memory"):
        bytes_of(text)


@pytest.mark.parametrize("inference", [{"until": {}}, {"passes": 9, "gradient": "implicit"}])
def test_budgets_are_refused_where_they_mean_nothing(inference: dict[str, Any]) -> None:
    spec = SPEC | {"inference": inference, "heads": {"q": SPEC["heads"]["q"]}}
    with pytest.raises(ValueError, match=r"memory: .*leave memory out"):
        lvmc.compile(spec, memory="1GB")
