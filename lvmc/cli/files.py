"""A file that appears whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

from lvmc.durable import replacing


def write_file(target: Path, content: bytes) -> None:
    """Write beside the target, then put it in the target's place; folders above are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as fresh:
        fresh.write_bytes(content)


def check_writable(target: Path) -> None:
    """Raise an OSError now if a file there could not be written later."""
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder; name a file")
    above = next(folder for folder in (Path.cwd() / target).parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise PermissionError(f"{target}: no file can be written in {above}")
