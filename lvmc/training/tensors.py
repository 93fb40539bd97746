"""Tensors in a file that is whole at any moment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from lvmc.durable import replacing

if TYPE_CHECKING:
    from torch import Tensor


def save_tensors(tensors: Mapping[str, Tensor], file: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write a .safetensors file in the place of the one before.

    Args:
        tensors: By name, on any device.
        file: What to replace.
        notes: Texts for its header.
    """
    from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]: its paths are any

    whole = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    with replacing(file) as fresh:
        save_file(whole, fresh, dict(notes or {}))
