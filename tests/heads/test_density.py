"""Density heads: loss, values and losses of families, Algorithm 1, integrals, each against an evaluation of its own."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from scipy.stats import kstest, laplace, norm
from torch.func import functional_call

import lvmc
from lvmc.assemble import Options, programs
from lvmc.graph.densities import density_heads, mean_program, value_program
from lvmc.ir import interpret, verify
from lvmc.loading import resolve
from lvmc.runtime.density import Density
from lvmc.runtime.module import compiled_of, import_source

from ..laws.dense import Array
from ..laws.test_meaning import agree, as_arrays
from .densities import Energy, importance, refined, spec_of, state_of

if TYPE_CHECKING:
    from lvmc.runtime.module import Model

ENERGIES: dict[str, dict[str, Any]] = {
    "plain": {"dims": 1, "sigmas": [0.1, 0.8], "samples": 7},
    "wide": {"dims": 2, "sigmas": [0.5, [0.1, 2.0]], "samples": 5, "target": [3, 4], "joint": [6], "pool": "mean"},
    "smooth": {"dims": 3, "sigmas": [1.0], "samples": 4, "target": [], "joint": [5, 3, 2], "activation": "tanh"},
    "several": {"dims": 1, "sigmas": [0.3], "samples": 3, "reads": ["h1", "h2"], "weight": 0.5},
    "each": {"dims": 2, "sigmas": [0.3, 1.0, 3.0], "samples": 3, "at": "each"},
}
FAMILIES: dict[str, dict[str, Any]] = {
    "gaussian": {"model": "gaussian", "dims": 2},
    "laplace": {"model": "laplace", "dims": 3, "at": "each"},
    "softmax": {"model": "softmax", "dims": 2, "bins": 5, "range": [-2, 3]},
    "softmax_more": {"model": "softmax", "dims": 1, "bins": 7, "range": [-1, 1], "l2": 0.1, "variance": 0.05},
}
HEADS = ENERGIES | FAMILIES


def image(batch: int = 3, seed: int = 1) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(batch, 2, 4, 4)))


def numbers(*shape: int, seed: int = 2) -> torch.Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def setting(name: str, seed: int = 3) -> tuple[dict[str, Any], Model]:
    spec = spec_of(HEADS[name])
    return spec, lvmc.compile(spec, seed=seed, backend="eager").double()


def density(name: str, seed: int = 3) -> Density:
    _, model = setting(name, seed)
    return model.densities(model(image()))["y"]


def given_of(name: str, model: Model) -> list[dict[str, torch.Tensor]]:
    """What the head gives, targets, and of an energy samples: the arguments of `losses`."""
    head = HEADS[name]
    samples = [{"y": numbers(3, head["samples"], head["dims"], seed=5)}] if "samples" in head else []
    return [model(image()), {"y": numbers(3, head["dims"])}, *samples]


@pytest.mark.parametrize("name", ENERGIES)
def test_the_loss_is_equation_4(name: str) -> None:
    """By explicit loops in float64, to 1e-12 in float64 and 1e-6 in float32."""
    _, model = setting(name)
    head = HEADS[name]
    out, targets, samples = given_of(name, model)
    energy = Energy(state_of(model), head.get("activation", "relu"))
    sigmas = [np.broadcast_to(sigma, head["dims"]) for sigma in head["sigmas"]]
    features = out["y"].detach().numpy().reshape(-1, 3, out["y"].shape[-1])
    terms = [
        importance(energy, each[row], targets["y"][row].numpy(), samples["y"][row].numpy(), sigmas)
        for each in features
        for row in range(3)
    ]
    wanted = head.get("weight", 1.0) * np.mean(terms)
    assert np.isclose(float(model.losses(out, targets, samples)["y"].detach()), wanted, rtol=1e-12, atol=1e-12)
    single = {key: value.float() for key, value in out.items()}
    given = ({key: value.float() for key, value in each.items()} for each in (targets, samples))
    found = model.float().losses(single, *given)["y"].detach()
    assert abs(float(found) - wanted) <= 1e-6 * (1 + abs(wanted))


@pytest.mark.parametrize("name", HEADS)
def test_emitted_is_interpreted(name: str) -> None:
    """forward, losses, values at any number of candidates, and means; all programs verify."""
    spec, model = setting(name)
    graph, state = resolve(spec)[1], state_of(model)
    out, *rest = given_of(name, model)
    made = programs(graph, Options())
    assert made.losses is not None
    agree(as_arrays(out), interpret(made.forward, {"image": image().numpy()} | state))
    told = dict(zip(("out.y", "targets.y", "samples.y"), (out["y"], *(each["y"] for each in rest)), strict=False))
    agree(
        as_arrays(model.losses(out, *rest)),
        interpret(made.losses, {key: value.detach().numpy() for key, value in told.items()} | state),
    )
    ((head, record),) = density_heads(graph)
    last = out["y"][-1] if record.at == "each" else out["y"]
    found = model.densities(out)["y"]
    for candidates in (1, 4):
        program, y = value_program(graph, head, record, candidates), numbers(3, candidates, record.dims, seed=6)
        verify(program)
        wanted = interpret(program, {"given": last.detach().numpy(), "y": y.numpy()} | state)
        agree({"value": found.value(y).detach().numpy()}, wanted)
    mean = mean_program(graph, head, record)
    if mean is None:
        assert found.mean is None
    else:
        assert found.mean is not None
        agree({"mean": found.mean.detach().numpy()}, interpret(mean, {"given": last.detach().numpy()}))


@pytest.mark.parametrize(("name", "family"), [("gaussian", norm), ("laplace", laplace)])
def test_families_are_scipys(name: str, family: Any) -> None:
    """log p of independent coordinates, and minus its mean at the targets as the loss."""
    _, model = setting(name)
    dims = HEADS[name]["dims"]
    out, targets = given_of(name, model)
    given = out["y"].detach().numpy()
    scale = np.exp(given[..., dims:] * (0.5 if family is norm else 1.0))
    wanted = family.logpdf(targets["y"].numpy(), given[..., :dims], scale).sum(-1)
    assert np.isclose(float(model.losses(out, targets)["y"].detach()), -wanted.mean(), rtol=1e-12)
    found = model.densities(out)["y"].value(targets["y"][:, None])[:, 0]
    assert np.allclose(found.detach().numpy(), wanted if wanted.ndim == 1 else wanted[-1], rtol=1e-12)


@pytest.mark.parametrize("name", ["softmax", "softmax_more"])
def test_bins_are_histograms(name: str) -> None:
    """Bin by bin; the outermost bins take what lies beyond; the penalties of the age experiment."""
    _, model = setting(name)
    head = HEADS[name]
    out, targets = given_of(name, model)
    (low, high), bins = head["range"], head["bins"]
    edges = np.linspace(low, high, bins + 1)
    middle, width = (edges[1:] + edges[:-1]) / 2, (high - low) / bins
    losses: list[float] = []
    penalties: list[float] = []
    for row, logits in zip(targets["y"].numpy(), out["y"].detach().numpy().reshape(3, -1, bins), strict=True):
        total = 0.0
        for y, each in zip(row, logits, strict=True):
            share = np.exp(each) / np.exp(each).sum()
            total -= np.log(share[np.clip(np.searchsorted(edges, y, side="right") - 1, 0, bins - 1)] / width)
            expected = (share * middle).sum()
            spread = (share * (middle - expected) ** 2).sum()
            penalties.append(head.get("l2", 0) * (expected - y) ** 2 + head.get("variance", 0) * spread)
        losses.append(total)
    assert np.isclose(float(model.losses(out, targets)["y"].detach()), np.mean(losses) + np.mean(penalties), rtol=1e-12)


@pytest.mark.parametrize(
    ("name", "step", "decay"), [("plain", 0.4, 0.5), ("wide", [2.0, 0.3], 0.7), ("smooth", 2.0, 0.2)]
)
def test_refinement_is_algorithm_1(name: str, step: Any, decay: float) -> None:
    """A trace of every candidate against the scalar algorithm; f never falls, and some steps are refused."""
    _, model = setting(name)
    out, head = model(image()), HEADS[name]
    found, seeds = model.densities(out)["y"], 2 * numbers(3, 5, head["dims"], seed=7)
    energy = Energy(state_of(model), head.get("activation", "relu"))
    lengths = np.broadcast_to(step, head["dims"])
    value, stayed = found.value(seeds), 0
    last = seeds
    for steps in range(9):
        y, reached = found.refine(seeds, steps, step, decay)
        for row, candidate in np.ndindex(3, 5):
            features, seed = out["y"][row].detach().numpy(), seeds[row, candidate].numpy()
            wanted, wanted_value = refined(energy, features, seed, steps, lengths, decay)
            assert np.allclose(y[row, candidate].numpy(), wanted, rtol=0, atol=1e-9)
            assert np.isclose(float(reached[row, candidate]), wanted_value, rtol=0, atol=1e-9)
        assert bool((reached >= value - 1e-12).all())
        stayed += int((y == last).all(-1).sum()) if steps else 0
        value, last = reached, y
    assert stayed > 0 or name == "smooth"  # whose steps all rise


def test_refinement_in_any_mode() -> None:
    """Under no_grad and inference_mode too; a step to where f is no number is not taken."""
    _, model = setting("plain")
    seeds = numbers(3, 4, 1, seed=8)
    wanted, _ = model.densities(model(image()))["y"].refine(seeds)
    for mode in (torch.no_grad(), torch.inference_mode()):
        with mode:
            found, _ = model.densities(model(image()))["y"].refine(seeds)
            assert torch.equal(found, wanted)
    far, _ = model.densities(model(image()))["y"].refine(seeds, 3, float("inf"))
    assert torch.equal(far, seeds)


def test_the_best_of_the_seeds_are_refined() -> None:
    """The best of all that `top` seeds come to; more of them are never worse; the defaults are the spec's."""
    spec = spec_of(ENERGIES["plain"] | {"refine": {"steps": 6, "step": 0.2, "decay": 0.9}})
    model = lvmc.compile(spec, seed=3).double()
    found = model.densities(model(image()))["y"]
    seeds = torch.linspace(-3, 3, 25, dtype=torch.float64)[:, None]
    every = seeds.expand(3, -1, -1)
    y, value = found.refine(every, 6, 0.2, 0.9)
    assert torch.equal(y, found.refine(every)[0])
    best, reached = found.best(seeds, top=25)
    assert torch.equal(reached, value.max(1).values)
    assert torch.equal(best, y[torch.arange(3), value.argmax(1)])
    few = [found.best(seeds, top=top)[1] for top in (1, 3, 9, 40)]
    assert all(bool((more >= less).all()) for less, more in pairwise(few))


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_integrals_are_quadratures(activation: str) -> None:
    """log Z, mean and variance against scipy's quadrature; where f is smooth, within the errors that are told."""
    model = lvmc.compile(spec_of(ENERGIES["plain"] | {"activation": activation}), seed=3).double()
    out = model(image())
    found = model.densities(out)["y"].integrals(-3.0, 3.0, 601)
    energy = Energy(state_of(model), activation)
    for row, features in enumerate(out["y"].detach().numpy()):

        def weighted(y: float, power: int, centre: float = 0.0, features: Array = features) -> float:
            return float(np.exp(energy.at(features, np.array([y]))[0]) * (y - centre) ** power)

        z, mean = (quad(weighted, -3, 3, (power,), limit=300, epsabs=1e-9)[0] for power in (0, 1))
        mean /= z
        variance = quad(weighted, -3, 3, (2, mean), limit=300, epsabs=1e-9)[0] / z
        for name, wanted in (("log_normaliser", np.log(z)), ("mean", mean), ("variance", variance)):
            off = abs(float(getattr(found, name)[row]) - wanted)
            assert off < 1e-4
            assert off <= float(getattr(found, f"{name}_error")[row]) + 1e-9 or activation == "relu", name


def test_integrals_of_what_is_known() -> None:
    """A two-dimensional Gaussian is normalised, with its own mean and variance, by the rule and by sampling."""
    _, model = setting("gaussian")
    found = model.densities(model(image()))["y"]
    assert found.mean is not None
    variance = model(image())["y"][:, 2:].exp()
    rule = found.integrals([-9.0, -8.0], [8.0, 9.0], 141)
    sampled = found.sampled_integrals(
        found.mean + 0.3, 20_000, [[1.0, 1.0], [3.0, 3.0]], torch.Generator().manual_seed(1)
    )
    for integrals, slack in ((rule, 1e-8), (sampled, 0.0)):
        for name, wanted in (("log_normaliser", torch.zeros(3)), ("mean", found.mean), ("variance", variance)):
            off = (getattr(integrals, name) - wanted).abs()
            assert bool((off <= 4 * getattr(integrals, f"{name}_error") + slack).all()), name
    assert bool((sampled.log_normaliser_error < 0.02).all())
    axes, grid = found.grid([-9.0, -8.0], [8.0, 9.0], 141)
    assert [len(axis) for axis in axes] == [141, 141]
    assert grid.shape == (3, 141, 141)
    wanted = found.value(torch.stack((axes[0][70], axes[1][60]))[None, None].expand(3, 1, 2)).exp()[:, 0]
    assert torch.allclose(grid[:, 70, 60], wanted, rtol=1e-6)
    with pytest.raises(ValueError, match="an odd number"):
        found.grid(-1.0, 1.0, 10)
    with pytest.raises(ValueError, match="give the deviations"):
        found.sampled_integrals(found.mean)


@pytest.mark.parametrize(("height", "width"), [(40, 56), (41, 33)])
def test_heatmaps_are_quadratures(height: int, width: int) -> None:
    """A smooth density of a point against a far finer rule over the area of all pixels; x goes along the last axis."""
    model = lvmc.compile(spec_of(ENERGIES["smooth"] | {"dims": 2, "sigmas": [1.0]}), seed=3).double()
    *_, last = (name for name, _ in model.named_parameters() if ".joint" in name)
    for name, factor in (("heads.y.joint1.weight", 3), (last, 30)):
        model.get_parameter(name).data *= factor
    found = model.densities(model(image()))["y"]
    integrals, share = found.heatmap(height, width)
    half = torch.tensor([1 / (width - 1), 1 / (height - 1)], dtype=torch.float64)
    low, high = (-1 - half).tolist(), (1 + half).tolist()
    wanted = found.integrals(low, high, 641)
    for name in ("log_normaliser", "mean", "variance"):
        off, told = (getattr(integrals, name) - getattr(wanted, name)).abs(), getattr(integrals, f"{name}_error")
        assert bool((off <= told).all()), name
        assert float(off.max()) < 2e-3
        assert float(told.max()) < 0.1
    assert torch.allclose(share.sum((1, 2)), torch.ones(3, dtype=torch.float64))
    place = torch.tensor([[-1 + 2 * 5 / (width - 1), -1 + 2 * 11 / (height - 1)]], dtype=torch.float64).expand(3, 1, 2)
    density = (found.value(place)[:, 0] - wanted.log_normaliser).exp()
    assert torch.allclose(share[:, 11, 5], density * 4 * half.prod(), rtol=5e-3)
    assert float(share.amax() / share.amin()) > 2


def test_heatmaps_of_what_is_known_and_of_what_is_too_sharp() -> None:
    """A Gaussian of a few pixels is summed to rounding; where one is narrower than a pixel the error says so."""
    _, model = setting("gaussian")
    for deviation, sharp in ((0.12, False), (0.004, True)):
        given = torch.tensor([[0.1, -0.2, *[2 * np.log(deviation)] * 2]], dtype=torch.float64)
        found, share = model.densities({"y": given})["y"].heatmap(64, 48)
        off = float(found.log_normaliser.abs())
        assert off <= float(found.log_normaliser_error) + 1e-9
        assert (float(found.log_normaliser_error) > 0.3) == sharp
        if not sharp:
            assert off < 1e-9
            assert torch.allclose(found.mean, given[:, :2], atol=1e-9)
            assert torch.allclose(found.variance, torch.full((1, 2), 0.12**2, dtype=torch.float64), atol=1e-9)
            row, column = divmod(int(share.argmax()), 48)
            assert abs(column - 0.55 * 47) <= 0.5 + 1e-9
            assert abs(row - 0.4 * 63) <= 0.5 + 1e-9
    with pytest.raises(ValueError, match="of one point and 2 × 2 pixels"):
        model.densities({"y": torch.zeros(1, 4)})["y"].heatmap(1, 9)


@pytest.mark.parametrize("name", ["bins", "softmax", "importance", "normal"])
def test_heads_may_be_called_like_functions_of_the_file(name: str) -> None:
    """A head `bins` has a value bins_mean, a head `importance` an importance_loss: they do not hide the functions."""
    for head in (HEADS["softmax_more"], HEADS["plain"]):
        model, usual = (lvmc.compile(spec_of(head, each), seed=3).double() for each in (name, "y"))
        usual.load_state_dict({key.replace(f".{name}.", ".y."): value for key, value in model.state_dict().items()})
        out, wanted = model(image()), usual(image())
        targets = numbers(3, head["dims"], seed=4)
        samples = numbers(3, 8, head["dims"], seed=5)
        more = {"samples": {name: samples}} if "samples" in head else {}
        loss = model.losses(out, {name: targets}, **more)[name]
        more = {"samples": {"y": samples}} if more else {}
        assert torch.equal(loss, usual.losses(wanted, {"y": targets}, **more)["y"])
        found, known = model.densities(out)[name], usual.densities(wanted)["y"]
        assert torch.equal(found.value(samples), known.value(samples))
        assert found.mean is known.mean is None or torch.equal(found.mean, known.mean)


def test_samples_are_of_the_mixture() -> None:
    """Equation (5) by a Kolmogorov–Smirnov test; a generator's or torch's own seed repeats the loss."""
    _, model = setting("plain")
    out, targets, _ = given_of("plain", model)
    carried = import_source(compiled_of(model).source, "net")
    sigmas = [[0.1, 1.0], [2.0, 1.0]]
    centre = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    drawn, again = (carried.proposals(centre, 4000, sigmas, torch.Generator().manual_seed(1)) for _ in range(2))
    assert drawn.shape == (1, 4000, 2)
    assert torch.equal(drawn, again)
    mixture = [(norm(1.0, 0.1), norm(1.0, 2.0)), (norm(-2.0, 1.0), norm(-2.0, 1.0))]
    for values, parts in zip(drawn[0].T.numpy(), mixture, strict=True):
        assert kstest(values, lambda y, parts=parts: np.mean([part.cdf(y) for part in parts], 0)).pvalue > 0.01
    log_q = carried.log_proposal(drawn, centre[:, None], sigmas).exp()[0]
    first, second = (norm(1.0, s).pdf(drawn[0, :, 0]) * norm(-2.0, 1.0).pdf(drawn[0, :, 1]) for s in (0.1, 2.0))
    assert np.allclose(log_q.numpy(), (first + second) / 2)
    losses = []
    for seed in (4, 4, 5):
        torch.manual_seed(seed)
        losses.append(float(model.losses(out, targets)["y"].detach()))
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("name", HEADS)
def test_gradients(name: str) -> None:
    """gradcheck of the loss in float64 with respect to every parameter and to what the head gives."""
    _, model = setting(name)
    out, *rest = given_of(name, model)
    names = [key for key, _ in model.named_parameters() if key.startswith("heads.")]
    values = [model.get_parameter(key).detach().clone().requires_grad_() for key in names]

    class Loss(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            return self.model.losses({"y": given}, *rest)["y"]

    def loss(given: torch.Tensor, *values: torch.Tensor) -> torch.Tensor:
        state = {f"model.{key}": value for key, value in zip(names, values, strict=True)}
        return functional_call(Loss(), state, (given,))

    assert torch.autograd.gradcheck(loss, (out["y"].detach().requires_grad_(), *values), atol=1e-6)
    model.losses(model(image()), *rest)["y"].backward()
    assert all(parameter.grad is not None for parameter in model.parameters())


@pytest.mark.parametrize("name", ["plain", "smooth"])
def test_the_slope_is_the_gradient(name: str) -> None:
    _, model = setting(name)
    out, dims = model(image()), HEADS[name]["dims"]
    found, y = model.densities(out)["y"], numbers(3, 4, dims, seed=9)
    energy = Energy(state_of(model), HEADS[name].get("activation", "relu"))
    value, slope = found.slope(y)
    for row, candidate in np.ndindex(3, 4):
        wanted = energy.at(out["y"][row].detach().numpy(), y[row, candidate].numpy())
        assert np.isclose(float(value[row, candidate]), wanted[0], rtol=1e-12)
        assert np.allclose(slope[row, candidate].numpy(), wanted[1], rtol=1e-10)


@pytest.mark.parametrize("name", ["wide", "softmax_more"])
def test_export_compile_and_autocast(name: str, tmp_path: Path) -> None:
    """The features after torch.export and reload; losses under torch.compile, and unchanged by autocast."""
    _, model = setting(name)
    dims = {"image": {0: torch.export.Dim("batch")}}
    torch.export.save(torch.export.export(model, (image(2),), dynamic_shapes=dims), tmp_path / "model.pt2")
    reloaded = torch.export.load(tmp_path / "model.pt2").module()
    agree(as_arrays(reloaded(image(5))), as_arrays(model(image(5))))
    given = given_of(name, model)
    compiled = torch.compile(model.losses, backend="aot_eager", fullgraph=True)
    wanted = as_arrays(model.losses(*given))
    agree(as_arrays(compiled(*given)), wanted)
    with torch.autocast("cpu", torch.bfloat16):
        agree(as_arrays(model.losses(*given)), wanted, 0.0)
