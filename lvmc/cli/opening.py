"""What commands that run a model share: opening a folder or a spec, its weights, and files for its inputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import torch

    from lvmc.runtime.backends import Backend
    from lvmc.runtime.module import Model

FolderOrSpec = Annotated[
    str, typer.Argument(metavar="DIR|SPEC", help="A compiled folder, a spec file or a zoo name.", show_default=False)
]
Height = Annotated[
    str | None, typer.Option("--size", metavar="HxW", help="Bring pictures to this size instead of the nominal one.")
]
Named = Annotated[
    list[str] | None,
    typer.Option("--given", metavar="NAME=FILE", help="A clamped layer, a mask or a start value: picture or .npy."),
]
Seed = Annotated[int, typer.Option(help="Of the weights, where SPEC has none.")]
Weights = Annotated[
    Path | None, typer.Option(metavar="W.safetensors", help="Weights by state name, instead of the folder's.")
]


def open_model(model: str, seed: int, backend: Backend | None = None, weights: Path | None = None) -> tuple[Model, str]:
    """The model of a compiled folder or a spec, and where its weights are from.

    Raises:
        ValueError: The weights are not those of this model.
    """
    import lvmc
    from lvmc.runtime.folder import WEIGHTS

    folder = Path(model)
    if not folder.is_dir():
        net, whence = lvmc.compile(model, seed=seed, backend=backend), f"as first drawn (seed {seed}); not trained"
    elif (folder / WEIGHTS).is_file():
        net, whence = lvmc.open(folder, backend=backend), str(folder / WEIGHTS)
    else:
        net, whence = lvmc.open(folder, backend=backend), f"as first drawn: {folder} holds no {WEIGHTS}; not trained"
    if weights is None:
        return net, whence
    load_weights(net, weights)
    return net, str(weights)


def load_weights(model: torch.nn.Module, file: Path) -> None:
    """Give a model the weights of a file.

    Raises:
        ValueError: The file is none of safetensors, or its names or shapes are not the model's.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        state = load(file.read_bytes())
    except SafetensorError as error:
        raise ValueError(f"{file} is no safetensors file: {error}") from error
    wanted = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    found = {name: tuple(value.shape) for name, value in state.items()}
    faults = [f"no {name}" for name in wanted if name not in found]
    faults += [f"{name}, which the model has not" for name in found if name not in wanted]
    faults += [f"{n} as {found[n]} instead of {wanted[n]}" for n in wanted if n in found and found[n] != wanted[n]]
    if faults:
        more = f", and {len(faults) - 3} more faults" if len(faults) > 3 else ""
        raise ValueError(f"{file} does not fit the model: it holds {'; '.join(faults[:3])}{more}")
    model.load_state_dict(state)


def inputs_of(
    model: Model, images: Sequence[Path], given: Mapping[str, Path], size: tuple[int, int] | None
) -> tuple[list[torch.Tensor], dict[str, torch.Tensor]]:
    """Files as what a model takes: its inputs in spec order, and the rest by keyword.

    Raises:
        ValueError: Files are missing, too many, or do not fit.
    """
    import torch

    from lvmc.results.ran import keywords_of, read_inputs, read_named
    from lvmc.runtime.module import compiled_of

    graph = compiled_of(model).graph
    read = read_inputs(graph, images, size) | read_named(graph, given, keywords_of(model))
    tensors = {name: torch.as_tensor(each.values) for name, each in read.items()}
    return [tensors.pop(node.name) for node in graph.plain_inputs], tensors


def size_of(text: str) -> tuple[int, int]:
    """`224x320` → (224, 320).

    Raises:
        ValueError: It is not a height and a width.
    """
    height, _, width = text.lower().replace("×", "x").partition("x")
    if not (height.isdecimal() and width.isdecimal() and int(height) and int(width)):
        raise ValueError(f"--size {text}: write height x width, for example 224x320")
    return int(height), int(width)


def files_of(texts: Sequence[str]) -> dict[str, Path]:
    """`h5=top.npy` → {h5: top.npy}.

    Raises:
        ValueError: A part is missing.
    """
    pairs = [text.partition("=") for text in texts]
    for name, _, file in pairs:
        if not (name and file):
            raise ValueError(f"--given {name}: write NAME=FILE, for example h5=top.npy")
    return {name: Path(file) for name, _, file in pairs}
