"""A file that appears whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import NamedTemporaryFile


def write_file(target: Path, content: bytes) -> None:
    """Write beside the target, then put it in the target's place; folders above are made."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as file:
        fresh = Path(file.name)
        try:
            file.write(content)
            file.close()
            fresh.chmod(_usual_mode())
            fresh.replace(target)
        except BaseException:
            fresh.unlink(missing_ok=True)
            raise


def check_writable(target: Path) -> None:
    """Raise an OSError now if a file there could not be written later."""
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder; name a file")
    above = next(folder for folder in (Path.cwd() / target).parents if folder.exists())
    if not above.is_dir() or not os.access(above, os.W_OK):
        raise PermissionError(f"{target}: no file can be written in {above}")


def _usual_mode() -> int:
    """What a new file may be read by: temporary files are made for the owner only."""
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask
