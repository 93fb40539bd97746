"""The zoo: one YAML a model."""

from __future__ import annotations

from pathlib import Path

from lvmc.errors import Problem, SpecError
from lvmc.records import nearest

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Names of the models, in alphabetical order."""
    return sorted(file.stem for file in _FOLDER.glob("*.yaml"))


def path(name: str) -> Path:
    """The file of a model.

    Raises:
        SpecError: No model has this name.
    """
    if name not in names():
        raise SpecError([Problem(name, "no model of the zoo has this name", nearest(name, names()))])
    return _FOLDER / f"{name}.yaml"
