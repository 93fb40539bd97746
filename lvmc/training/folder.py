"""The folder of a run: a compiled one, with a checkpoint and logs."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from lvmc.durable import save_text
from lvmc.evaluation.folder import EVALUATION
from lvmc.runtime.folder import BUILD, WEIGHTS, folder_bases, folder_files
from lvmc.runtime.module import Compiled
from lvmc.training.checkpoints import CHECKPOINT
from lvmc.training.logs import CSV, JSONL, TENSORBOARD
from lvmc.training.loop import BAD_BATCH

_OWN = (WEIGHTS, CHECKPOINT, CSV, JSONL, EVALUATION, BAD_BATCH, TENSORBOARD)


def check_folder(folder: Path, resume: bool, force: bool) -> None:
    """Raise FileExistsError unless a run may begin or go on in a folder."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise FileExistsError(f"{folder} is not a folder; name another one")
    if resume or not any(folder.iterdir()):
        return
    if not (folder / BUILD).is_file():
        raise FileExistsError(f"{folder} holds files that lvmc did not write (it has no {BUILD}); name another folder")
    if not force:
        held = "a run" if (folder / CHECKPOINT).is_file() else "a compiled model"
        how = "go on with it with --resume, or " if held == "a run" else ""
        raise FileExistsError(f"{folder} holds {held}: {how}write --force to replace it, or name another folder")


def begin(folder: Path, compiled: Compiled) -> None:
    """Make the folder of a new run, without what an earlier one left in it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*_OWN, *_listed(folder / BUILD)):
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    for name, content in folder_bases(compiled).items():
        (folder / name).write_bytes(content)
    for name, text in folder_files(compiled).items():
        save_text(text, folder / name)


def _listed(marker: Path) -> list[str]:
    """Files that `lvmc compile` or a run wrote into the folder, without leaving it."""
    try:
        document = json.loads(marker.read_text(encoding="utf-8"))
        names = [*document.get("files", ()), f"{document['name']}.py"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
    return [
        name
        for name in names
        if isinstance(name, str) and ".." not in Path(name).parts and not Path(name).is_absolute()
    ]
