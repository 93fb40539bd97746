"""The files that a spec names, whose relative paths begin at the folder of the spec."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path as File
from typing import Any

from lvmc.source import Document
from lvmc.spec.feedback import NPZ
from lvmc.spec.inits import SAFETENSORS
from lvmc.values import Path, at, keyed

_DATA: dict[str, tuple[Path, ...]] = {
    "npz": (("file",),),
    "coco": (
        ("images",),
        ("annotations",),
        ("validation", "images"),
        ("validation", "annotations"),
        ("test", "images"),
        ("test", "annotations"),
    ),
    "masks": (("images",), ("masks",), ("validation",), ("test",)),
}
"""Keys of `train.data` that name files, by its kind."""


def anchored(document: Document, folder: File) -> Document:
    """The document with the relative paths of the files it names made absolute: they begin at `folder`."""
    values = deepcopy(document.values)
    for path in _files(values):
        inside = at(values, path[:-1])
        inside[path[-1]] = str(folder.absolute() / inside[path[-1]])
    return replace(document, values=values)


def _files(values: Any) -> Iterator[Path]:
    """Where the text of a mapping names a file."""
    data = at(values, ("train", "data"))
    keys = _DATA.get(str((keyed(data) or {}).get("kind")), ())
    paths = [(("train", "data"), ".npz"), (("train", "init"), SAFETENSORS)]
    paths += [(("train", "data", *key), "") for key in keys]
    paths += [(("state", name, "init"), NPZ) for name in keyed(at(values, ("state",))) or ()]
    for name in keyed(at(values, ("layers",))) or ():
        paths += [(("layers", name, "init"), SAFETENSORS), (("layers", name, "init", "file"), SAFETENSORS)]
    for name in keyed(at(values, ("heads",))) or ():
        paths.append((("heads", name, "basis"), ".npz"))
    for path, ending in paths:
        value = at(values, path)
        if keyed(at(values, path[:-1])) is not None and isinstance(value, str) and value and value.endswith(ending):
            yield path
