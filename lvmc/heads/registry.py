"""Finds the kinds of heads by their files, and reads each by its `kind`."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Union

from pydantic import Field

from lvmc.heads.head import HeadRecord


def _kind(stem: str) -> type[HeadRecord] | None:
    members = vars(import_module(f"lvmc.heads.{stem}")).values()
    kinds = [m for m in members if isinstance(m, type) and issubclass(m, HeadRecord) and "kind" in m.model_fields]
    return next((kind for kind in kinds if kind.__module__ == f"lvmc.heads.{stem}"), None)


_FILES = sorted(path.stem for path in Path(__file__).parent.glob("*.py") if path.stem not in ("__init__", "registry"))
HEADS: dict[str, type[HeadRecord]] = {stem: kind for stem in _FILES if (kind := _kind(stem)) is not None}

if TYPE_CHECKING:
    Head = HeadRecord
else:
    Head: Any = Annotated[Union[tuple(HEADS.values())], Field(discriminator="kind")]  # noqa: UP007
