"""Recorded calls give what emitted ones give, whatever happens to inputs, outputs and weights in between."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
import torch

import lvmc
from lvmc.runtime.backends import Runner
from lvmc.runtime.module import runner_of

from .recorder import SPEC, UNTIL, FakeRecorder, graphed, same

if TYPE_CHECKING:
    from lvmc.runtime.module import Model


def images(count: int = 4, batch: int = 1, size: int = 8) -> list[torch.Tensor]:
    random = torch.Generator().manual_seed(count + 10 * batch + size)
    return [torch.randn(batch, 1, size, size, generator=random) for _ in range(count)]


@pytest.fixture(autouse=True)
def no_warning() -> object:
    """Nothing here warns, but where a test asks for it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for torchs in (DeprecationWarning, torch.jit.TracerWarning):
            warnings.simplefilter("ignore", torchs)
        yield


def test_outputs_stay_when_the_next_call_comes() -> None:
    """The first call runs as emitted, the second is recorded; all results are the user's to keep."""
    model, plain, recorder = graphed()
    with torch.no_grad():
        found = [model.latents(image) for image in images()]
        meant = [plain.latents(image) for image in images()]
    assert all(map(same, found, meant))
    assert (recorder.records, recorder.replays) == (1, 3)
    assert len({value.data_ptr() for out in found for value in out.values()}) == 8


def test_every_method_is_recorded() -> None:
    """Dicts in, dicts and tensors out; losses too."""
    model, plain, recorder = graphed()
    with torch.no_grad():
        for image in images(3):
            heads, z = model(image), model.latents(image)
            targets = {"points": torch.ones(1, 2, 8, 8)}
            assert same(heads, plain(image))
            assert same(model.score(image, z), plain.score(image, z))
            assert same(model.losses(heads, targets), plain.losses(heads, targets))
    assert (recorder.records, recorder.replays) == (4, 8)


def test_clamped_layers_and_starts_by_keyword() -> None:
    model, plain, recorder = graphed(clamp={"h2": "mask"}, start="given")
    with torch.no_grad():
        for seed in range(3):
            random = torch.Generator().manual_seed(seed)
            given = {"h1": torch.rand(1, 2, 8, 8, generator=random), "h2": torch.rand(1, 3, 4, 4, generator=random)}
            given["h2_mask"] = given["h2"] > 0.5
            (image,) = images(1)
            assert same(model.latents(image, **given), plain.latents(image, **given))
    assert recorder.records == 1


def test_a_model_without_inputs() -> None:
    """The batch size is part of what is recorded."""
    spec = {"lvmc": 1, "name": "free", "layers": {"h1": {"channels": 1, "from": "none", "size": 2}}}
    model, plain, recorder = graphed(spec)
    with torch.no_grad():
        for batch in (2, 3, 2, 3, 2):
            assert same(model.latents(batch=batch), plain.latents(batch=batch))
    assert recorder.records == 2


def test_few_recordings_are_held_and_the_latest_used_stay() -> None:
    model, plain, recorder = graphed()
    model.max_graphs = 2
    with torch.no_grad():
        for batch in (1, 1, 2, 2, 1, 3, 3):  # 3 drives out 2
            (image,) = images(1, batch)
            assert same(model.latents(image), plain.latents(image))
        assert len(runner_of(model).graphs) == 2  # pyright: ignore[reportOptionalMemberAccess]
        assert recorder.records == 3
        before = recorder.replays
        model.latents(*images(1, 1))
        assert (recorder.records, recorder.replays) == (3, before + 1)
        model.max_graphs = 0
        before = recorder.replays
        model.latents(*images(1, 1))
        assert recorder.replays == before
        assert not len(runner_of(model).graphs)  # pyright: ignore[reportOptionalMemberAccess]


def test_sizes_that_come_once_are_not_recorded() -> None:
    model, plain, recorder = graphed()
    with torch.no_grad():
        for size in range(4, 40, 2):
            (image,) = images(1, 1, size)
            assert same(model.latents(image), plain.latents(image))
    assert recorder.records == 0


def test_weights_changed_in_place_are_seen() -> None:
    model, plain, recorder = graphed()
    with torch.no_grad():
        for image in images():
            assert same(model(image), plain(image))
            for each in (model, plain):
                each.h1.weight.mul_(1.5)  # pyright: ignore[reportCallIssue, reportArgumentType]
    assert recorder.records == 1


def assign(model: Model) -> None:
    state = {name: value * 2 for name, value in model.state_dict().items()}
    model.load_state_dict(state, assign=True)


def replace_data(model: Model) -> None:
    model.get_parameter("h1.weight").data = model.get_parameter("h1.weight").data * 2


def replace_module(model: Model) -> None:
    torch.manual_seed(0)
    model.h1 = torch.nn.Conv2d(1, 2, 3, padding=1)


@pytest.mark.parametrize("change", [assign, replace_data, replace_module])
def test_weights_that_lie_elsewhere_are_recorded_anew(change: Callable[[Model], None]) -> None:
    model, plain, recorder = graphed()
    (image,) = images(1)
    with torch.no_grad():
        for _ in range(3):
            assert same(model(image), plain(image))
        change(model), change(plain)
        for _ in range(3):
            assert same(model(image), plain(image))
    assert recorder.records == 2
    assert recorder.settled == 1


def test_other_numbers_and_modes() -> None:
    """Each of dtype, memory format, autocast and mode has recordings of its own."""
    model, plain, recorder = graphed()
    (image,) = images(1, 2)
    other = image.to(memory_format=torch.channels_last)
    with torch.no_grad():
        for _ in range(2):
            assert same(model(image), plain(image))
            assert same(model(other), plain(other))
            with torch.autocast("cpu", torch.bfloat16):
                assert model(image)["points"].dtype == plain(image)["points"].dtype == torch.bfloat16
                assert same(model(image), plain(image))
        assert recorder.records == 3
        model.train()
        for _ in range(2):
            assert same(model(image), plain(image))
        assert recorder.records == 4
        model.double(), plain.double()
        for _ in range(3):
            assert same(model(image.double()), plain(image.double()))
    assert recorder.records == 5


def test_autocast_follows_weights() -> None:
    """A cast of the weights that autocast holds from before the recording is not used in it."""
    model, plain, _ = graphed()
    (image,) = images(1)
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        model(image), model(image)
    with torch.no_grad():
        model.get_parameter("h1.weight").mul_(3), plain.get_parameter("h1.weight").mul_(3)
        with torch.autocast("cpu", torch.bfloat16):
            assert same(model(image), plain(image))


def test_inside_and_outside_of_inference_mode() -> None:
    """Recordings made inside serve outside, and results are of the caller's kind."""
    model, plain, recorder = graphed()
    with torch.inference_mode():
        inside = images(3)
        for image in inside:
            found = model(image)
            assert same(found, plain(image))
            assert found["points"].is_inference()
    with torch.no_grad():
        for image in (*inside, *images(2)):
            found = model(image)
            assert same(found, plain(image))
            assert not found["points"].is_inference()
    with torch.inference_mode():
        assert same(model(inside[0]), plain(inside[0]))
    assert recorder.records == 1
    model(images(1)[0])["points"].sum().backward()
    assert model.get_parameter("h1.weight").grad is not None


def test_gradients_over_three_micro_batches_are_the_eager_ones() -> None:
    """Bit for bit, with recorded calls in between: a call that needs gradients is never recorded."""
    model, plain, recorder = graphed()
    for image in images(3):
        for each in (model, plain):
            sum(each.losses(each(image), {"points": torch.ones(1, 2, 8, 8)}).values()).backward()  # pyright: ignore
            with torch.no_grad():
                each(image)
    assert recorder.records == 1
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        assert one.grad is not None
        assert torch.equal(one.grad, other.grad)  # pyright: ignore[reportArgumentType]


def test_gradients_of_inputs_only() -> None:
    model, plain, recorder = graphed()
    for each in (model, plain):
        each.requires_grad_(False)
    given = [image.requires_grad_() for image in images(3)]
    for image in given:
        (found,) = torch.autograd.grad(model(image)["points"].sum(), image)
        (meant,) = torch.autograd.grad(plain(image)["points"].sum(), image)
        assert torch.equal(found, meant)
    assert recorder.records == 0
    for image in images(3):  # nothing requires a gradient
        assert same(model(image), plain(image))
    assert recorder.records == 1


def test_running_statistics_count_each_batch_once() -> None:
    """In training with a norm nothing is recorded, for a warm-up would count the batch again."""
    spec = deepcopy(SPEC)
    spec["layers"]["h1"]["norm"] = "drive"
    model, plain, recorder = graphed(spec)
    for training in (True, False, True, False):
        model.train(training), plain.train(training)
        with torch.no_grad():
            for image in images(3, 4):
                assert same(model(image), plain(image))
                assert same(model.state_dict(), plain.state_dict())
    assert recorder.records == 1


def test_hooks_of_submodules_are_called() -> None:
    model, _, recorder = graphed()
    (image,) = images(1)
    with torch.no_grad():
        for _ in range(3):
            model(image)
        before = recorder.replays
        called: list[str] = []
        handle = model.get_submodule("h1").register_forward_hook(lambda *_: called.append("h1"))
        for _ in range(3):
            model(image)
        assert called == ["h1"] * 3
        assert recorder.replays == before  # the fake would call them, a graph does not
        handle.remove()
        model(image)
    assert recorder.replays == before + 1


def test_transforms_and_captures_of_the_user_see_each_operation() -> None:
    model, plain, recorder = graphed()
    (image,) = images(1, 3)
    with torch.no_grad():
        for _ in range(3):
            assert same(model(image), plain(image))
        before = recorder.replays
        found = torch.func.vmap(lambda x: model(x[None])["points"][0])(image)
        assert torch.allclose(found, plain(image)["points"], atol=1e-6)
        torch.jit.trace(model, (image,), strict=False, check_trace=False)
        _, tangent = torch.func.jvp(lambda x: model(x)["points"], (image,), (image,))
        assert tangent.abs().sum() > 0
        double = {name: 2 * value for name, value in model.named_parameters()}
        found = torch.func.functional_call(model, double, (image,))
        assert same(found, torch.func.functional_call(plain, double, (image,)))
        recorder.taken = True
        assert same(model(image), plain(image))
    assert recorder.replays == before


def test_a_refused_recording_warns_once_and_runs_eagerly() -> None:
    model, plain, recorder = graphed()
    recorder.failure = "operation not permitted when stream is capturing"
    (image,) = images(1)
    with torch.no_grad():
        assert same(model(image), plain(image))
        with pytest.warns(UserWarning, match=r"Net.forward runs eagerly.*not permitted when stream.*backend='eager'"):
            assert same(model(image), plain(image))
        assert same(model(image), plain(image))
        recorder.failure = ""
        for _ in range(2):  # other methods are not given up
            assert same(model.latents(image), plain.latents(image))
    assert recorder.records == 1


def test_mistakes_of_the_call_are_reported_as_themselves() -> None:
    model, _, recorder = graphed()
    for _ in range(3):
        with torch.no_grad(), pytest.raises(ValueError, match="windows of 2×2 do not divide"):
            model(torch.zeros(1, 1, 7, 8))
        with torch.no_grad(), pytest.raises(TypeError):
            model(torch.zeros(1, 1, 8, 8), unknown=[1])
        with torch.no_grad(), pytest.raises(Exception, match="numpy"):
            model(torch.zeros(1, 1, 8, 8).numpy())
    assert recorder.records == 0


def test_passes_until_a_residual_are_not_recorded() -> None:
    """How many there are depends on the values; it is said once, and `score` is recorded still."""
    model, plain, recorder = graphed(UNTIL)
    told = pytest.warns(UserWarning, match="how many this model takes shows only when it runs")
    with torch.no_grad():
        with told:
            model(*images(1))
        for image in images(3):
            z = model.latents(image)
            assert same(z, plain.latents(image))
            assert same(model.score(image, z), plain.score(image, z))
    assert recorder.records == 1


def test_copies_record_for_themselves() -> None:
    """A copy has its own weights, and starts with no recordings."""
    model, plain, recorder = graphed()
    (image,) = images(1)
    with torch.no_grad():
        for _ in range(2):
            model(image)
        copy = deepcopy(model)
        assert runner_of(copy) is not runner_of(model)
        copy.__dict__["_lvmc_runner"] = Runner("cudagraph", FakeRecorder())
        copy.get_parameter("h1.weight").mul_(2)
        assert not same(copy.latents(image), plain.latents(image))
        assert same(model(image), plain(image))
    assert recorder.records == 1


def test_threads_get_their_own_results() -> None:
    model, plain, _ = graphed()
    given = images(40)
    with torch.no_grad():
        meant = [plain(image) for image in given]

    def call(image: torch.Tensor) -> object:
        with torch.no_grad():
            return model(image)

    with ThreadPoolExecutor(4) as pool:
        assert all(map(same, pool.map(call, given), meant))  # pyright: ignore[reportArgumentType]


def test_outside_of_the_device_it_says_so_once() -> None:
    model = lvmc.compile(SPEC, backend="cudagraph")
    (image,) = images(1)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for method in (model.latents, model, model.latents):
            method(image)
    (only,) = told
    assert only.category is UserWarning
    assert "Net runs eagerly: backend='cudagraph' needs the model and its inputs on a CUDA device" in str(only.message)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device; the laws above run on a fake recorder")
class TestOnCuda:
    """The same laws where graphs are real."""

    @pytest.fixture
    def pair(self) -> tuple[Model, Model]:
        """With a recorder of its own, and as emitted."""
        return lvmc.compile(SPEC).cuda().eval(), lvmc.compile(SPEC, backend="eager").cuda().eval()

    def test_results_weights_and_sizes(self, pair: tuple[Model, Model]) -> None:
        model, plain = pair
        found: list[dict[str, torch.Tensor]] = []
        meant: list[dict[str, torch.Tensor]] = []
        with torch.inference_mode():
            for batch in (1, 1, 1, 2, 2, 1, 2):
                image = images(1, batch)[0].cuda()
                found.append(model.latents(image))
                meant.append(plain.latents(image))
                for each in pair:
                    each.get_parameter("h1.weight").mul_(1.1)
        for one, other in zip(found, meant, strict=True):
            torch.testing.assert_close(one, other)
        assert len(runner_of(model).graphs) == 2  # pyright: ignore[reportOptionalMemberAccess]

    def test_moved_weights_streams_and_eviction(self, pair: tuple[Model, Model]) -> None:
        model, plain = pair
        model.max_graphs = 1
        side = torch.cuda.Stream()
        with torch.no_grad():
            for _ in range(3):
                for batch in (1, 1, 1, 3, 3, 3):
                    image = images(1, batch)[0].cuda()
                    torch.testing.assert_close(model(image), plain(image))
                    side.wait_stream(torch.cuda.current_stream())
                    with torch.cuda.stream(side):
                        found = model(image)
                    torch.cuda.current_stream().wait_stream(side)
                    torch.testing.assert_close(found, plain(image))
                for each in pair:
                    assign(each)

    def test_autocast(self, pair: tuple[Model, Model]) -> None:
        model, plain = pair
        image = images(1)[0].cuda()
        for _ in range(4):
            with torch.no_grad(), torch.autocast("cuda", torch.bfloat16):
                torch.testing.assert_close(model(image), plain(image))
            for each in pair:
                each.get_parameter("h1.weight").data.mul_(1.5)

    def test_a_capture_around_the_model(self, pair: tuple[Model, Model]) -> None:
        """The user's own graph holds the model's kernels."""
        model, plain = pair
        image = images(1)[0].cuda()
        with torch.no_grad():
            for _ in range(3):
                model(image)
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):
                found = model(image)
            image.mul_(2)
            graph.replay()
            torch.testing.assert_close(found, plain(image))

    def test_gradients_accumulate(self, pair: tuple[Model, Model]) -> None:
        for image in images(3):
            for each in pair:
                each(image.cuda())["points"].square().sum().backward()
        for one, other in zip(*(each.parameters() for each in pair), strict=True):
            torch.testing.assert_close(one.grad, other.grad)


def test_a_runner_starts_afresh_in_copies() -> None:
    runner = Runner("cudagraph", FakeRecorder())
    copies = [runner, deepcopy(runner), deepcopy(deepcopy(runner))]
    assert all(one is not other and one.backend == other.backend for one, other in pairwise(copies))
