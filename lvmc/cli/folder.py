"""A folder that appears whole or not at all, and never in the place of someone's files."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

KEPT = ".safetensors"


def write_folder(target: Path, fill: Callable[[Path], None], marker: str, force: bool = False) -> Path:
    """Fill a new folder beside the target, then put it in the target's place.

    Args:
        target: The folder to make.
        fill: Writes the files into the folder it is given; one of them is the marker, a JSON object.
        marker: The file that every folder of this kind holds. It gets the names of the files under `files`.
        force: Replace a folder of this kind even if it holds weights, or files that are not under `files`.

    Returns:
        The target as an absolute path.

    Raises:
        FileExistsError: The target is not the command's to replace.
    """
    target = Path.cwd() / target
    check_replaceable(target, marker, force)
    target.parent.mkdir(parents=True, exist_ok=True)
    around = Path(mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    try:
        fresh = around / target.name
        fresh.mkdir()
        fill(fresh)
        _list_files(fresh, marker)
        if target.exists():
            target.rename(around / "before")
        _put(fresh, target, around / "before")
    finally:
        shutil.rmtree(around, ignore_errors=True)
    return target


def check_replaceable(target: Path, marker: str, force: bool) -> None:
    """Raise FileExistsError unless the target is free, empty, or a folder of this kind that may go."""
    if not os.path.lexists(target):
        return
    if not target.is_dir() or target.is_symlink():
        raise FileExistsError(f"{target} is not a folder; name another one")
    held = files_of(target)
    if held and marker not in held:
        raise FileExistsError(f"{target} holds files that lvmc did not write (it has no {marker}); name another folder")
    lost = sorted(set(held) - _listed(target / marker) - {marker}) if held else []
    if lost and not force:
        more = f" and {len(lost) - 3} more" if len(lost) > 3 else ""
        raise FileExistsError(
            f"{target} holds {', '.join(lost[:3])}{more}, to be lost; name another folder, or write --force"
        )


def files_of(folder: Path) -> list[str]:
    """Files of a folder by their path inside, without Python's caches."""
    files = [path.relative_to(folder) for path in sorted(folder.rglob("*")) if not path.is_dir()]
    return [path.as_posix() for path in files if "__pycache__" not in path.parts]


def _list_files(folder: Path, marker: str) -> None:
    """Note in the marker what may be written again: all but weights."""
    names = [name for name in files_of(folder) if not name.endswith(KEPT)]
    document = json.loads((folder / marker).read_text(encoding="utf-8")) | {"files": names}
    (folder / marker).write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _listed(marker: Path) -> set[str]:
    try:
        return set(map(str, json.loads(marker.read_text(encoding="utf-8"))["files"]))
    except (ValueError, KeyError, TypeError):
        return set()


def _put(fresh: Path, target: Path, before: Path) -> None:
    """Rename; what stood in the target's place stands there again if that fails."""
    try:
        fresh.rename(target)
    except OSError:
        if before.exists():
            before.rename(target)
        raise
