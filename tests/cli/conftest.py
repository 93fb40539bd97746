"""The command line in this process, and files to give it."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from lvmc.cli import app


@dataclass(frozen=True)
class Done:
    """What a command left: its exit status and both streams."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Call = Callable[..., Done]


@pytest.fixture
def lvmc_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """`lvmc_command("draw", "two_layer", path)`, run in a scratch folder."""
    monkeypatch.chdir(tmp_path)

    def call(*words: object) -> Done:
        result = CliRunner().invoke(app, list(map(str, words)))
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Done(result.exit_code, result.stdout, result.stderr)

    return call


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A colour picture, 40 rows × 30 columns."""
    rows, columns = np.mgrid[0:40, 0:30]
    pixels = np.stack([rows * 6, columns * 8, (rows + columns) * 3], 2).astype(np.uint8)
    path = tmp_path / "photo.png"
    Image.fromarray(pixels).save(path)
    return path
