"""State dicts as other programs leave them: safetensors, or pickles of tensors alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from lvmc.runtime.initial import read_weights
from lvmc.spec.inits import SAFETENSORS
from lvmc.values import keyed

if TYPE_CHECKING:
    from torch import Tensor

_INSIDE = ("state_dict", "model")


def read_state_dict(file: Path) -> dict[str, Tensor]:
    """Tensors by name, on the CPU; nothing of a pickle is run.

    Args:
        file: .safetensors, or what `torch.save` made of a state dict, by itself or under `state_dict` or `model`.

    Raises:
        ValueError: It holds anything else.
        FileNotFoundError: There is no such file.
    """
    if file.suffix == SAFETENSORS:
        return read_weights(file)
    entries = keyed(_unpickled(file)) or {}
    for key in _INSIDE:
        entries = keyed(entries.get(key)) or entries
    return _tensors(file, entries)


def _unpickled(file: Path) -> Any:
    from pickle import UnpicklingError

    import torch

    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such file of weights")
    try:
        return torch.load(file, map_location="cpu", weights_only=True)
    except (UnpicklingError, RuntimeError, EOFError, ValueError, KeyError, IndexError) as error:
        why = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"{file} is no state dict of tensors alone ({why}); save it with torch.save(model.state_dict(), path)"
        ) from error


def _tensors(file: Path, entries: dict[str, Any]) -> dict[str, Tensor]:
    import torch

    others = [str(name) for name, value in entries.items() if not isinstance(value, torch.Tensor)]
    if others or not entries:
        held = f"{others[0]!r} is no tensor" if others else "it holds no tensor by name"
        raise ValueError(f"{file} is no state dict: {held}; save it with torch.save(model.state_dict(), path)")
    return entries
