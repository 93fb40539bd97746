"""Files that are whole at any moment: written beside, brought to disk, and put in the place of the one before."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from secrets import token_hex


@contextmanager
def replacing(target: Path) -> Generator[Path]:
    """A path beside the target to write a file to, which takes the target's place when nothing fails.

    Whenever the machine stops, the file before or the new one is there. New files may be read as the user's others,
    whatever wrote them.
    """
    fresh = target.with_name(f".{target.name}.{token_hex(4)}.part")
    try:
        yield fresh
        fresh.chmod(_usual_mode())
        _to_disk(fresh)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    _to_disk(target.parent)


def save_text(text: str, file: Path) -> None:
    """Write a text so."""
    with replacing(file) as fresh:
        fresh.write_text(text, encoding="utf-8")


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
    """What a new file may be read by; some libraries make files for the owner only."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
