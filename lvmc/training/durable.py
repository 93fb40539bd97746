"""Tensors in a file that is whole at any moment: written beside, brought to disk, and renamed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def save_tensors(tensors: Mapping[str, Tensor], file: Path, notes: Mapping[str, str] | None = None) -> None:
    """Write a .safetensors file; whenever the machine stops, the file before or the new one is there.

    Args:
        tensors: By name, on any device.
        file: What to replace.
        notes: Texts for its header.
    """
    from safetensors.torch import save_file  # pyright: ignore[reportUnknownVariableType]: its paths are any

    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        save_file(
            {name: value.detach().cpu().contiguous() for name, value in tensors.items()}, fresh, dict(notes or {})
        )
        fresh.chmod(_usual_mode())
        _to_disk(fresh)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)
    _to_disk(file.parent)


def save_text(text: str, file: Path) -> None:
    """Write a text likewise."""
    fresh = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        fresh.write_text(text, encoding="utf-8")
        _to_disk(fresh)
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def _to_disk(path: Path) -> None:
    try:
        handle = os.open(path, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders
        return
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _usual_mode() -> int:
    """What a new file may be read by: safetensors makes files for the owner only."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
