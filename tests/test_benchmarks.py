"""The benchmarks compare like with like, and their clocks and meters are right."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from statistics import median

import numpy as np
import pytest
import torch
from torch import Tensor

import gpu
import gpu_training
import speed
import throughput
from agreement import UnequalError, distances, require_equal
from convergence import RESIDUAL, BlockDescent, contracting, residual
from harness import Goal, Pace, Ratio, Row, Section, Spread, interleave, paired, ratio, spread
from inference import Case, net, versus
from limit import convolutions
from memory import highest, peak_bytes
from nets import small_vgg, with_passes, zoo
from report import summary, table
from rivals.fixed_point import SOLVERS, solve
from rivals.least_squares import scipy_nnls, sklearn_lasso
from subjects import (
    CACHED,
    EMITTED,
    HAND,
    HAND_WRITTEN,
    LIMIT,
    UNREWRITTEN,
    competitors,
    emitted,
    hand_written,
    image_of,
)


def trembling(model: torch.nn.Module) -> torch.nn.Module:
    """A model whose biases and norms are not what they start with."""
    random = torch.Generator().manual_seed(2)
    for name, value in model.state_dict().items():
        if value.dim() == 1:
            low = 0.5 if name.endswith(("norm.weight", "running_var")) else -0.1
            value.copy_(torch.rand(value.shape, generator=random) * 0.2 + low)
    return model


@pytest.mark.parametrize("passes", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["vgg", "qp_faces", "clvm2_vgg19"])
def test_rivals_compute_what_the_emitted_net_does(name: str, passes: int) -> None:
    """In float64, so that no group ties: pooling, several scales, norms, every k."""
    spec = with_passes(small_vgg() if name == "vgg" else zoo(name), passes)
    if name == "clvm2_vgg19":
        spec["inputs"]["image"]["size"] = [12, 12]
        spec["layers"] = {key: layer | {"channels": layer["channels"] // 8} for key, layer in spec["layers"].items()}
    model = trembling(emitted(spec).double())
    image = image_of(spec, 2).double()
    with torch.inference_mode():
        wanted = model(image)
        for rival in HAND_WRITTEN:
            module = hand_written(rival, spec, model.state_dict())
            assert distances(wanted, module(image), rival).max() < 1e-10


def test_rivals_share_the_weights() -> None:
    """A net of half a gigabyte is held once by all that are written by hand, in the order that they would have it."""
    made = competitors(small_vgg(), (EMITTED, HAND, CACHED), 1)
    one, other = (list(made.modules[name].parameters()) for name in (HAND, CACHED))
    assert [each.data_ptr() for each in one] == [each.data_ptr() for each in other]
    assert all(each.is_contiguous() for each in one)


def test_a_wrong_rival_stops_the_benchmark() -> None:
    spec = small_vgg()
    model, other = emitted(spec), emitted(spec, seed=1)
    images = [image_of(spec, 1, seed) for seed in range(3)]
    with torch.inference_mode(), pytest.raises(UnequalError, match="other: differs"):
        require_equal(model, other, "other", images)
    with pytest.raises(UnequalError, match="shapes differ"):
        distances({"a": torch.zeros(1, 2)}, {"a": torch.zeros(1, 3)}, "who")


def test_ties_are_told_and_pass_only_beside_agreement() -> None:
    """An image off by 1e-3 passes if another agrees; alone it does not."""

    def off(image: Tensor) -> dict[str, Tensor]:
        return {"a": image * torch.where(image[:, :1] > 1, 1.001, 1.0)}

    tied, clear = torch.full((1, 4), 2.0), torch.ones(1, 4)
    assert "tie in 1 of 2" in require_equal(_same, off, "who", [tied, clear])
    assert require_equal(_same, off, "who", [clear]) == ""
    with pytest.raises(UnequalError):
        require_equal(_same, off, "who", [tied, tied])


def _same(image: Tensor) -> dict[str, Tensor]:
    return {"a": image}


class Machine:
    """A fake clock, moved on by subjects; every second round takes twice as long."""

    def __init__(self) -> None:
        self.now, self.order = 0.0, list[str]()

    def clock(self) -> float:
        return self.now

    def work(self, name: str, seconds: Iterator[float]) -> None:
        self.now += next(seconds)
        self.order.append(name)


def test_rounds_rotate_and_ratios_are_paired() -> None:
    """A machine that is now fast, now slow changes the times, not the ratio."""
    machine = Machine()

    def busy(seconds: float) -> Iterator[float]:
        yield from (seconds, seconds)  # two calls to warm up
        while True:
            yield seconds
            yield 2 * seconds

    subjects: dict[str, Callable[[], object]] = {
        name: partial(machine.work, name, busy(seconds)) for name, seconds in (("a", 1.0), ("b", 3.0), ("c", 0.5))
    }
    samples = interleave(subjects, 20.0, machine.clock)
    assert samples["a"] == [1, 2, 1, 2]
    assert machine.order[6:] == list("abcbcacababc")
    assert ratio(samples, "b", "a") == Ratio("b / a", Spread(3, 3, 3))
    assert spread(samples["a"]) == Spread(1.5, 1.0, 2.0)
    assert paired([2, 9, 4], [1, 3, 2]).median == 2


def test_short_calls_are_repeated() -> None:
    """A sample of a call of 0.1 ms is the mean of 20."""
    machine = Machine()
    calls: dict[str, Callable[[], object]] = {"a": partial(machine.work, "a", iter(lambda: 1e-4, None))}
    samples = interleave(calls, 0.0, machine.clock)
    assert len(machine.order) == 2 + 3 * 20
    assert median(samples["a"]) == pytest.approx(1e-4)


def test_peak_memory_of_a_case_computed_by_hand() -> None:
    """1000² floats are 4 MB. x + 1, times 2, x + 1 released; then a sum; the peak is three blocks less none before."""
    x = torch.zeros(1000, 1000)

    def work() -> None:
        y = x + torch.ones(1000, 1000)  # two blocks; then one
        z = y * y  # two
        z = z.sin() + y  # z, z.sin(): three, and the sum: four
        del y, z

    work()
    assert peak_bytes(work) == pytest.approx(4 * 4_000_000, rel=1e-4)
    assert peak_bytes(list) == 0
    assert highest([5, -5, 3, 4, -7]) == 7
    assert highest([-5, 3]) == 0


def test_peak_memory_of_a_training_step() -> None:
    """Two blocks: the product and its rectification; then that and its gradient; then that and its product with x."""
    weight = torch.ones(1000, requires_grad=True)
    weight.grad = torch.zeros(1000)
    x = torch.ones(1000, 1000)

    def step() -> None:
        (x * weight).relu().sum().backward()

    step()
    assert peak_bytes(step) == pytest.approx(2 * 4_000_000, rel=5e-3)


def test_the_limit_is_what_the_program_computes() -> None:
    """13 messages up, 9 down to the lowest layer read, 4 of the head; the same work as the cost model's."""
    limit = convolutions(small_vgg())
    assert len(limit.runs) == 13 + 9 + 4
    assert len(convolutions(small_vgg(), passes=1).runs) == 13 + 4
    shapes = [tuple(run().shape) for run in limit.runs]
    assert shapes[0] == (1, 8, 32, 32)
    assert limit.flops == sum(_flops(run) for run in limit.runs)


def _flops(run: partial[Tensor]) -> int:
    """2 × filter × positions of a convolution with same padding; one more an output where there is a bias."""
    x, weight = run.args[0], run.args[1]
    out = run()
    return 2 * weight.numel() * x.shape[2] * x.shape[3] + (out.numel() if run.args[2] is not None else 0)


def test_the_limit_takes_strides_and_whole_planes() -> None:
    assert convolutions(zoo("strided")).flops > 0
    spec = small_vgg()
    spec["layers"]["conv5_3"]["nms"] = 2
    spec["layers"]["top"] = {"channels": 16, "filter": "full"}
    spec["heads"]["keypoints"]["reads"] = {"top": {"map": [2, 2]}, "conv4_3": 1}
    shapes = [tuple(run().shape) for run in convolutions(spec).runs]
    assert (1, 16) in shapes  # the matrix product up
    assert (1, 64) in shapes  # and down, to 64×1×1


@pytest.mark.skipif(find_spec("torchdeq") is None, reason="torchdeq is not installed: pip install -e '.[bench]'")
@pytest.mark.parametrize("solver", SOLVERS)
def test_solvers_of_torchdeq_reach_the_residual(solver: str) -> None:
    _, chain = contracting(size=8)
    image = image_of({"inputs": {"image": {"channels": 3, "size": [8, 8]}}}, 1)
    with torch.inference_mode():
        for map_ in (chain.sweep, chain.jacobi):
            found = solve(map_(chain.bottom(image)), chain.start(1), solver, 1e-6)
            assert residual(chain, image, found) <= RESIDUAL


def test_the_spec_of_least_squares_solves_it() -> None:
    random = np.random.default_rng(0)
    a, y = random.normal(size=(80, 40)), random.normal(size=80)
    wanted = scipy_nnls(a, y)
    np.testing.assert_allclose(BlockDescent(40)(a, y), wanted, atol=1e-3 * wanted.max())
    if find_spec("sklearn") is None:
        pytest.skip("scikit-learn is not installed: pip install -e '.[bench]'")
    np.testing.assert_allclose(sklearn_lasso(a, y), wanted, atol=1e-3 * wanted.max())


def test_cases_are_chosen_by_name() -> None:
    assert speed.chosen([], quick=False) == list(speed.CASES)
    assert set(speed.chosen([], quick=True)) < set(speed.CASES)
    assert speed.chosen(["train", "clvm"], quick=False) == ["clvm", "train-qp_faces", "train-vgg112"]
    with pytest.raises(ValueError, match="no case is called vgg113"):
        speed.chosen(["vgg113", "clvm"], quick=False)


def test_a_run_prints_a_table_and_writes_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    one = Spread(1.0, 0.5, 2.0)
    ratios = (
        Ratio("a / c", one, Goal("≤", 0.9)),
        Ratio("a / d", one, Goal("≥", 1)),
        Ratio("b / a", None, Goal("≤", 1), "not built"),
    )
    section = Section("fake", "a case", (Row("a", one, "ms"), Row("b", None, "ms", "not built")), ratios)

    def fake(pace: Pace) -> Section:
        assert not pace.quick
        return section

    monkeypatch.setattr(speed, "CASES", {"fake": fake, "wrong": _wrong})
    file = tmp_path / "new" / "speed.json"
    assert speed.main(["--only", "fake", "--json", str(file)]) == 0
    printed = capsys.readouterr().out
    assert table(section) in printed
    assert "1 of 3 targets met, 1 missed, 1 not measured" in summary([section])
    written = json.loads(file.read_text(encoding="utf-8"))
    assert written["sections"][0]["rows"][0]["value"]["median"] == 1.0
    assert [each["met"] for each in written["sections"][0]["ratios"]] == [False, True, None]
    assert written["environment"]["torch"] == torch.__version__
    assert speed.main(["--only", "wrong"]) == 1
    assert "error: wrong: not equal" in capsys.readouterr().err


def _wrong(pace: object) -> Section:
    raise UnequalError("not equal")


def test_a_real_case_runs() -> None:
    """One small net against its limit and the plain unrolling, all the way to the table."""
    names = (LIMIT, EMITTED, UNREWRITTEN, HAND)
    section = net(Case("small", small_vgg, 1, 0.0, names, versus(1.0, 1.0)), "small", Pace())
    assert [row.subject for row in section.rows] == list(names)
    assert {each.name for each in section.ratios} >= {f"{EMITTED} / {LIMIT}", f"{HAND} / {EMITTED}"}


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_without_a_gpu_there_is_nothing_to_measure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["gpu.py"])
    assert gpu.main() == 0
    assert "no CUDA device" in capsys.readouterr().out


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has CUDA")
def test_without_a_gpu_there_is_nothing_to_train_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert gpu_training.main([]) == 0
    assert "no CUDA device" in capsys.readouterr().out


def test_what_trains_on_a_gpu_trains(monkeypatch: pytest.MonkeyPatch) -> None:
    """In little, on the CPU: a probe, then as many epochs as fit, at least one; a line of the table."""
    monkeypatch.setattr(gpu_training, "PROBE", 1)
    net = small_vgg()
    for layer in net["layers"].values():
        layer["channels"] = max(2, layer["channels"] // 4)
    data = {"kind": "figures", "count": 8, "validation": 4, "test": 4, "occluders": 1.0}
    train = {"data": data, "batch": 4, "targets": {"keypoints": {"pixels": 2.0}}, "evaluate": {"pck": 0.5}}
    line = gpu_training.measure(net, 2, train, 0.0, "cpu")
    assert line.epochs == 1
    assert line.rate > 0
    assert 0 <= line.clean <= 1
    assert gpu_training.shown([line]).splitlines()[-1].startswith("| QP2 | ")


def test_both_loops_train_the_same(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Mean losses of an epoch agree; a loop with other targets is found out."""
    monkeypatch.setattr(throughput, "IMAGES", 8)
    spec = zoo("qp_faces")
    spec["inputs"]["image"]["size"] = [32, 32]
    for layer in spec["layers"].values():
        layer["channels"] //= 8
    pixels, points = throughput._data(spec)
    np.savez(tmp_path / "data.npz", images=pixels, keypoints=points, split=np.zeros(8, np.int64))
    subjects = throughput._subjects(spec, tmp_path, pixels, points)
    throughput._require_equal(subjects)
    monkeypatch.setattr(throughput, "RADIUS", 6.0)
    with pytest.raises(UnequalError, match="mean loss"):
        throughput._require_equal(subjects)
