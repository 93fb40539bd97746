"""Which backend carries out what; the default changes nothing that a module is otherwise good for."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch._dynamo.utils import counters

import lvmc
from lvmc.runtime.module import compiled_of, runner_of

from .recorder import SPEC, UNTIL

if TYPE_CHECKING:
    from lvmc.runtime.module import Model

BACKENDS = ("eager", "inductor", "cudagraph", None)
IMAGE = torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8)


@pytest.mark.parametrize("call", [partial(lvmc.compile, SPEC), partial(lvmc.open, "nowhere")])
def test_an_unknown_backend_is_told_the_known_ones(call: Any) -> None:
    with pytest.raises(ValueError, match=r"'eager', 'inductor', 'cudagraph', or None .*, not 'tensorrt'"):
        call(backend="tensorrt")


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_live_model_is_the_emitted_class(backend: Any) -> None:
    """Same names in the state, same class for isinstance and repr, same signatures, copies and pickles."""
    model, plain = lvmc.compile(SPEC, backend=backend, seed=3), lvmc.compile(SPEC, backend="eager", seed=3)
    assert isinstance(model, type(plain))
    assert repr(model) == repr(plain)
    assert list(model.state_dict()) == list(plain.state_dict())
    model.load_state_dict(plain.state_dict())
    assert lvmc.trace(model, IMAGE).layers == ("h1", "h2", "h2", "h1")
    if backend in ("eager", None):
        for same in (model, copy.deepcopy(model), copy.copy(model), pickle.loads(pickle.dumps(model))):
            assert torch.equal(same(IMAGE)["points"], plain(IMAGE)["points"])
            assert compiled_of(same).class_name == "Net"


def test_a_pickle_opens_where_nothing_was_compiled(tmp_path: Path) -> None:
    """Weights, mode, settings and backend come along; data loaders and launchers start fresh processes."""
    model = lvmc.compile(SPEC, seed=5).eval()
    model.max_graphs = 3
    torch.save(model, tmp_path / "model.pt")
    script = """
import sys, torch
model = torch.load(sys.argv[1], weights_only=False)
assert not model.training and model.max_graphs == 3
print(model(torch.linspace(-1, 1, 64).reshape(1, 1, 8, 8))["points"].double().sum().item())
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path / "model.pt")], check=True, capture_output=True)
    assert float(done.stdout) == pytest.approx(model(IMAGE)["points"].double().sum().item(), rel=1e-6)


def test_opened_folders_take_a_backend(tmp_path: Path) -> None:
    """The folder names none: that is for the machine that opens it."""
    from lvmc.assemble import Options
    from lvmc.pipeline import emitted
    from lvmc.runtime.folder import folder_files

    for name, text in folder_files(emitted(SPEC, Options())).items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    runner = runner_of(lvmc.open(tmp_path, backend="inductor"))
    assert runner is not None
    assert runner.backend == "inductor"
    assert runner_of(lvmc.open(tmp_path, backend="eager")) is None
    assert runner_of(lvmc.open(tmp_path)).backend is None  # pyright: ignore[reportOptionalMemberAccess]


@pytest.mark.parametrize("backend", ["inductor", None])
def test_torch_compiles_and_exports_what_was_emitted(backend: Any) -> None:
    model, plain = lvmc.compile(SPEC, backend=backend).eval(), lvmc.compile(SPEC, backend="eager").eval()
    found = torch.compile(model, backend="eager", fullgraph=True)(IMAGE)
    assert torch.equal(found["points"], plain(IMAGE)["points"])
    exported = torch.export.export(model, (IMAGE,)).module()
    assert torch.equal(exported(IMAGE)["points"], plain(IMAGE)["points"])


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.compile` without the seconds that Inductor takes; all of a method must be one graph."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager", fullgraph=True))
    torch.compiler.reset()
    counters.clear()


@pytest.mark.usefixtures("traced")
def test_methods_are_one_graph_for_all_batches_and_sizes() -> None:
    """Batch sizes 1, 2, 3 and further sizes settle on two graphs a method; results are the eager ones."""
    model, plain = lvmc.compile(SPEC, backend="inductor"), lvmc.compile(SPEC, backend="eager")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("error")
        for batch, size in ((1, 8), (2, 8), (3, 8), (4, 8)):
            check(model, plain, batch, size)
        assert counters["stats"]["unique_graphs"] <= 12
        for batch, size in ((2, 12), (3, 16), (5, 20), (1, 24)):
            check(model, plain, batch, size)
        assert counters["stats"]["unique_graphs"] <= 24
        with torch.inference_mode():
            check(model, plain, 2, 12)


def check(model: Model, plain: Model, batch: int, size: int) -> None:
    x = torch.randn(batch, 1, size, size, generator=torch.Generator().manual_seed(size))
    z, targets = plain.latents(x), {"points": torch.ones(batch, 2, size, size)}
    torch.testing.assert_close(model.latents(x), z)
    torch.testing.assert_close(model(x), plain(x))
    torch.testing.assert_close(model.score(x, z), plain.score(x, z))
    torch.testing.assert_close(model.losses(plain(x), targets), plain.losses(plain(x), targets))


@pytest.mark.usefixtures("traced")
def test_mistakes_of_the_call_are_not_the_compilers() -> None:
    """They raise as themselves, before and after good calls, and leave the method compiled."""
    model = lvmc.compile(SPEC, backend="inductor")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with pytest.raises(ValueError, match="windows of 2×2 do not divide") as told:
                model(torch.zeros(1, 1, 7, 8))
            assert told.value.__context__ is None
            with pytest.raises(RuntimeError, match="to have 1 channels, but got 3"):
                model(torch.zeros(1, 3, 8, 8))
            model(IMAGE)
    assert counters["stats"]["unique_graphs"] >= 1


@pytest.mark.usefixtures("traced")
def test_compiled_methods_follow_weights_and_give_gradients() -> None:
    model, plain = lvmc.compile(SPEC, backend="inductor"), lvmc.compile(SPEC, backend="eager")
    for _ in range(3):
        for each in (model, plain):
            sum(each.losses(each(IMAGE), {"points": torch.ones(1, 2, 8, 8)}).values()).backward()  # pyright: ignore
    for one, other in zip(model.parameters(), plain.parameters(), strict=True):
        torch.testing.assert_close(one.grad, other.grad)
    with torch.no_grad():
        for each in (model, plain):
            each.get_parameter("h1.weight").mul_(2)
        torch.testing.assert_close(model(IMAGE), plain(IMAGE))
        for each in (model, plain):
            each.load_state_dict({name: 2 * value for name, value in each.state_dict().items()}, assign=True)
        torch.testing.assert_close(model(IMAGE), plain(IMAGE))
        torch.testing.assert_close(copy.deepcopy(model)(IMAGE), plain(IMAGE))


def test_passes_until_a_residual_compile_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where values decide what comes next, the compiled code is left and taken up again."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="aot_eager"))
    torch.compiler.reset()
    model, plain = lvmc.compile(UNTIL, backend="inductor"), lvmc.compile(UNTIL, backend="eager")
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("error")
        for batch in (1, 3):
            x = torch.randn(batch, 1, 8, 8, generator=torch.Generator().manual_seed(batch))
            torch.testing.assert_close(model.latents(x), plain.latents(x))


def test_without_a_compiler_it_says_so_once_and_runs_eagerly(monkeypatch: pytest.MonkeyPatch) -> None:
    class InvalidCxxCompiler(RuntimeError):  # noqa: N818  # as torch names it
        pass

    def refuse(*_: object, **__: object) -> object:
        raise InvalidCxxCompiler("No working C++ compiler found\n\nmany\nlines")

    monkeypatch.setattr(torch, "compile", lambda *_, **__: refuse)
    model, plain = lvmc.compile(SPEC, backend="inductor"), lvmc.compile(SPEC, backend="eager")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for _ in range(3):
            assert torch.equal(model(IMAGE)["points"], plain(IMAGE)["points"])
    (only,) = told
    assert only.category is UserWarning
    assert "InvalidCxxCompiler: No working C++ compiler found. Install g++ or clang++" in str(only.message)


def test_inductor_itself() -> None:
    """One real compilation, small: as eager to rounding, without a warning where a C++ compiler is at hand."""
    torch.compiler.reset()
    model, plain = lvmc.compile(SPEC, backend="inductor"), lvmc.compile(SPEC, backend="eager")
    with torch.no_grad():
        found = model.latents(IMAGE)
        torch.testing.assert_close(found, plain.latents(IMAGE))
        torch.testing.assert_close(model.latents(-IMAGE), plain.latents(-IMAGE))
        torch.testing.assert_close(found, plain.latents(IMAGE))
