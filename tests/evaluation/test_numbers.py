"""Numbers judged: what heads say of them, compared with quadrature, scipy and Algorithm 1, sample by sample."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.random import default_rng
from PIL import Image
from scipy.integrate import quad
from scipy.stats import laplace, norm

import lvmc
from lvmc.data.sample import About, Sample
from lvmc.evaluation import Predicted, Truth, evaluate, predict, predict_and_evaluate
from lvmc.evaluation.cumulative import family_cumulative
from lvmc.evaluation.evaluate_numbers import evaluate_numbers
from lvmc.evaluation.folder import write_densities, write_numbers, write_pictures
from lvmc.evaluation.numbers import refiners
from lvmc.heads.density import Density
from lvmc.results.grids import grid_of
from lvmc.runtime.module import compiled_of
from lvmc.spec.data import Npz
from lvmc.spec.train import Target, Train

from ..heads.densities import Energy, refined, state_of

TRAIN = Train(data=Npz(kind="npz", file="none.npz", values="ages"))
ENERGY = {"kind": "density", "sigmas": [0.5], "target": [6], "joint": [8, 4], "activation": "tanh"}
REFINE = {"steps": 6, "step": 0.3, "decay": 0.5}
HEADS: dict[str, Any] = {
    "plain": {"kind": "vector", "outputs": 1, "reads": "h2"},
    "normal": {"kind": "density", "model": "gaussian", "dims": 1, "reads": "h2"},
    "bins": {"kind": "density", "model": "softmax", "dims": 1, "reads": "h2", "bins": 9, "range": [-2, 2]},
    "energy": {**ENERGY, "dims": 1, "reads": "h2", "range": [-4, 4], "refine": REFINE, "at": "each"},
}


@dataclass(frozen=True)
class Aged:
    """Noise with values; with a point, if one is asked for."""

    count: int = 5
    dims: int = 1
    point: bool = False

    @property
    def about(self) -> About:
        return About()

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Sample:
        draw = default_rng((4, index))
        sample = Sample(f"noise {index}", draw.integers(0, 256, (8, 10, 1)).astype(np.uint8))
        values = draw.normal(size=self.dims).astype(np.float32)
        if not self.point:
            return replace(sample, values=values)
        points = draw.uniform(1, 7, (1, 2)).astype(np.float32)
        return replace(sample, points=points, visible=np.asarray([2 * (index != 1)], np.uint8), unit=2.0)


def net(heads: dict[str, Any], seed: int = 1) -> Any:
    """Without filters that start at 0, so that samples differ."""
    spec = {
        "lvmc": 1,
        "name": "net",
        "inputs": {"image": {"channels": 1, "size": [8, 10]}},
        "layers": {"h1": {"channels": 3, "filter": 3, "nms": 2}, "h2": {"channels": 4, "filter": 3}},
        "inference": {"passes": 2},
        "heads": heads,
    }
    model = lvmc.compile(spec, seed=seed)
    for name, value in model.named_parameters():
        if name.startswith("heads.") and name.endswith("weight"):
            value.data *= 8 if ".h2." in name else 2
    return model


def outputs(model: Any, samples: Aged) -> dict[str, torch.Tensor]:
    pixels = np.stack([samples[index].image for index in range(len(samples))])
    with torch.no_grad():
        return model(torch.from_numpy(pixels.astype(np.float32) / 255).permute(0, 3, 1, 2))


def test_an_energy_is_judged_as_by_quadrature() -> None:
    """Prediction, mean, likelihood and P(Y ≤ y) of every sample by scipy and by Algorithm 1 line by line."""
    model, samples = net(HEADS), Aged()
    said, out = (
        predict(model, samples, TRAIN, batch=2)["energy"],
        outputs(model, samples)["energy"][-1].double().numpy(),
    )
    energy = Energy(state_of(model), "tanh", "energy")
    errors, likelihoods = [], []
    for index, features in enumerate(out):

        def weighted(y: float, power: int = 0, features: np.ndarray = features) -> float:
            return float(np.exp(energy.at(features, np.array([y]))[0]) * y**power)

        z, first = (quad(weighted, -4, 4, (power,), limit=200)[0] for power in (0, 1))
        true = float(samples[index].values[0])
        likelihoods.append(np.log(weighted(true) / z))
        assert said.log_likelihood[index] == pytest.approx(likelihoods[-1], abs=2e-4)
        assert abs(said.log_likelihood[index] - likelihoods[-1]) <= said.log_error[index] + 1e-4
        assert said.mean[index, 0] == pytest.approx(first / z, abs=1e-3)
        assert said.cumulative[index, 0] == pytest.approx(quad(weighted, -4, true, limit=200)[0] / z, abs=1e-3)
        places = np.linspace(-4, 4, 401)
        best = places[np.argmax([weighted(y) for y in places])]
        wanted, _ = refined(energy, features, np.array([best]), 6, np.array([0.3]), 0.5)
        assert said.numbers[index, 0] == pytest.approx(wanted[0], abs=1e-3)
        errors.append(abs(wanted[0] - true))
    figures = evaluate(model, {"test": samples}, TRAIN).figures
    assert figures["test/energy/mae"] == pytest.approx(np.mean(errors), abs=1e-3)
    assert figures["test/energy/rmse"] == pytest.approx(np.sqrt(np.mean(np.square(errors))), abs=1e-3)
    assert figures["test/energy/nll"] == pytest.approx(-np.mean(likelihoods), abs=2e-4)
    assert np.std(errors) > 0.1


def test_predictions_of_others_are_refined_by_the_energy() -> None:
    """Of its own net or of another one; each by Algorithm 1 from what the head says."""
    model, samples = net(HEADS), Aged()
    other = net({"own": {**HEADS["energy"], "at": "last", "refine": {"steps": 3, "step": 0.5}}}, seed=5)
    assert refiners(compiled_of(model).graph, TRAIN, compiled_of(model).graph) == dict.fromkeys(
        ("plain", "normal", "bins"), "energy"
    )
    for by, head, steps, length in ((None, "energy", 6, 0.3), (other, "own", 3, 0.5)):
        evaluated = predict_and_evaluate(model, {"test": samples}, TRAIN, 2, refine_with=by)
        said, used = evaluated.predicted["test"], by or model
        given = outputs(used, samples)[head].double().numpy()
        energy, moved = Energy(state_of(used), "tanh", head), 0.0
        for name in ("plain", "normal", "bins"):
            for index, features in enumerate(given[-1] if given.ndim == 3 else given):
                start = said[name].numbers[index].astype(float)
                wanted, _ = refined(energy, features, start, steps, np.array([length]), 0.5)
                assert said[name].refined[index] == pytest.approx(wanted, abs=1e-3)
                moved += abs(float(wanted[0] - start[0]))
            figures = evaluated.evaluation.figures
            change = figures[f"test/{name}/mae_refined"] - figures[f"test/{name}/mae"]
            assert figures[f"test/{name}/mae_change"] == pytest.approx(change)
        assert moved > 0.05
        assert said["energy"].refined is None


def test_families_lie_below_as_in_scipy() -> None:
    draw = torch.Generator().manual_seed(0)
    given, y = torch.randn(6, 4, generator=draw).double(), 2 * torch.randn(6, 2, generator=draw).double()
    centre, spread = given.numpy()[:, :2], given.numpy()[:, 2:]
    for model, family, scale in (("gaussian", norm, np.exp(spread / 2)), ("laplace", laplace, np.exp(spread))):
        record = Density(kind="density", model=model, dims=2, reads={"h": {}})  # pyright: ignore[reportArgumentType]
        assert np.allclose(family_cumulative(record, given, y), family.cdf(y.numpy(), centre, scale), atol=1e-12)


def test_bins_lie_below_linearly() -> None:
    """Against sums over the bins; what lies beyond the range has none or all below."""
    record = Density(kind="density", model="softmax", dims=1, reads={"h": {}}, bins=4, range=(0.0, 2.0))  # pyright: ignore[reportArgumentType]
    logits = torch.tensor([[0.3, -1.0, 2.0, 0.1]]).double()
    share = torch.softmax(logits, 1)[0]
    places = torch.tensor([[-1.0], [0.0], [0.25], [0.5], [1.2], [2.0], [9.0]]).double()
    wanted = [0, 0, share[0] / 2, share[0], share[0] + share[1] + 0.4 * share[2], 1, 1]
    assert np.allclose(family_cumulative(record, logits.expand(7, -1), places)[:, 0], wanted)


@pytest.mark.parametrize("pixels", [False, True])
def test_two_numbers_lie_below_as_in_a_plane_of_sums(pixels: bool) -> None:
    """The marginals of a correlated energy of two numbers, by sums over a far finer grid; over pixels likewise."""
    heads = {"both": {**ENERGY, "dims": 2, "reads": "h2", "range": [-2, 2]}}
    model = net(heads).double()
    out = {"both": torch.randn(2, 8, generator=torch.Generator().manual_seed(2)).double()}
    density, record = model.densities(out)["both"], compiled_of(model).graph.heads[0].record
    found = grid_of(density, record, out["both"], (40, 60) if pixels else None)
    low, high = ([-1.0, -1.0], [1.0, 1.0]) if pixels else ([-2.0, -2.0], [2.0, 2.0])
    axes, fine = density.grid(low, high, 501)
    y = torch.tensor([[0.3, -0.4], [-0.7, 0.1]]).double()
    below = found.cumulative(y)
    for row in range(2):
        for number in range(2):
            marginal = fine[row].sum(1 - number)
            wanted = marginal[axes[number] <= y[row, number]].sum() / marginal.sum()
            assert float(below[row, number]) == pytest.approx(float(wanted), abs=5e-3)
    assert torch.allclose(found.cumulative(y * 0 + 9), torch.ones(2, 2).double())
    assert torch.allclose(found.cumulative(y * 0 - 9), torch.zeros(2, 2).double())
    at = [
        found.density[row, *[int((axis == peak[n]).nonzero()) for n, axis in enumerate(found.axes)]]
        for row, peak in enumerate(found.peaks)
    ]
    assert torch.equal(torch.stack(at), found.density.flatten(1).amax(1))


def test_figures_by_hand() -> None:
    """Of two columns of three; coverage counts coordinates, and what is unknown counts nowhere."""
    values = np.asarray([[1.0, 7, 2], [0, 7, 4]], np.float32)
    said = Predicted(
        numbers=np.asarray([[2, 2], [0, 1]], np.float32),
        mean=np.asarray([[1, 2], [0, 3]], np.float32),
        log_likelihood=np.asarray([-1, np.nan], np.float32),
        log_error=np.asarray([0.5, 0.1], np.float32),
        cumulative=np.asarray([[0.5, 0.04], [0.8, np.nan]], np.float32),
    )
    found = evaluate_numbers("s/h", said, Truth(units=np.ones(2, np.float32), values=values), (0, 2)).figures
    wanted = {
        "mae": 1.0, "rmse": np.sqrt(10 / 4), "mae_mean": 0.25, "rmse_mean": 0.5, "nll": 1.0, "nll_error": 0.3,
        "coverage_50": 1 / 3, "coverage_90": 2 / 3,
    }  # fmt: skip
    assert found == {f"s/h/{name}": pytest.approx(value) for name, value in wanted.items()}


def test_points_are_judged_in_pixels_with_the_density_of_their_picture() -> None:
    """The heatmap's normaliser; a point that is not annotated has no likelihood."""
    heads = {
        "place": {**ENERGY, "dims": 2, "reads": "h2", "refine": REFINE},
        "plain": {"kind": "vector", "outputs": 2, "reads": "h2"},
    }
    model, samples = net(heads), Aged(point=True)
    train = Train()
    evaluated = predict_and_evaluate(model, {"test": samples}, train)
    said, figures = evaluated.predicted["test"], evaluated.evaluation.figures
    density = model.densities(outputs(model, samples))["place"]
    integrals, share = density.heatmap(8, 10)
    half = np.asarray([4.5, 3.5])
    for index in range(5):
        row, column = divmod(int(share[index].argmax()), 10)
        seed = torch.tensor([[column / 4.5 - 1, row / 3.5 - 1]]).expand(5, 1, 2)
        wanted = (density.refine(seed)[0][index, 0].numpy() + 1) * half
        assert np.allclose(said["place"].points[index, 0], wanted, atol=1e-3)
        true = torch.from_numpy(samples[index].points / half - 1).float().expand(5, 1, 2)
        log_p = float(density.value(true)[index, 0].detach() - integrals.log_normaliser[index])
        assert said["place"].log_likelihood[index] == pytest.approx(
            np.nan if index == 1 else log_p, abs=1e-4, nan_ok=True
        )
    known = [0, 2, 3, 4]
    assert figures["test/place/nll"] == pytest.approx(-said["place"].log_likelihood[known].mean(), abs=1e-4)
    off = [np.linalg.norm(said["plain"].refined[index, 0] - samples[index].points[0]) / 2 for index in known]
    assert figures["test/plain/nme_refined"] == pytest.approx(np.mean(off), abs=1e-4)
    assert "test/place/mae" not in figures


def test_many_numbers_have_likelihoods_by_importance_sampling() -> None:
    """Three numbers have no grid: Algorithm 1 starts from what the vector says, and no coverage is told."""
    heads = {
        "many": {**ENERGY, "dims": 3, "reads": "h2", "range": [-2, 2], "samples": 4096, "sigmas": [0.5, 2.0]},
        "plain": {"kind": "vector", "outputs": 3, "reads": "h2"},
    }
    model, samples = net(heads), Aged(dims=3)
    evaluated = predict_and_evaluate(model, {"test": samples}, TRAIN)
    said, figures = evaluated.predicted["test"], evaluated.evaluation.figures
    assert np.array_equal(said["many"].numbers, said["plain"].refined)
    assert {name.split("/")[2] for name in figures if "/many/" in name} == {"mae", "rmse", "nll", "nll_error"}
    assert np.isfinite(figures["test/many/nll"])


def test_tables_and_pictures_of_numbers(tmp_path: Path) -> None:
    heads = HEADS | {"both": {**ENERGY, "dims": 2, "reads": "h2", "range": [-2, 2]}}
    train = TRAIN.model_copy(update={"targets": {name: Target(values=(0,)) for name in HEADS}})
    model, sets = net(heads), {"test": Aged(dims=2)}
    evaluated = predict_and_evaluate(model, sets, train)
    write_numbers(evaluated.evaluation, 0.1, tmp_path)
    table = (tmp_path / "table.md").read_text()
    assert f"| mean absolute error, refined | {evaluated.evaluation.figures['test/plain/mae_refined']:.4f} |" in table
    assert "| truth in central 90 % intervals |" in table
    write_pictures(model, sets, evaluated, train, 2, tmp_path)
    write_densities(model, sets, train, 3, tmp_path)
    names = {path.name for path in (tmp_path / "pictures" / "test").glob("density_*.png")}
    assert names == {f"density_{head}.png" for head in ("normal", "bins", "energy", "both")}
    for name in names:
        pixels = np.asarray(Image.open(tmp_path / "pictures" / "test" / name).convert("RGB"))
        assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 20
