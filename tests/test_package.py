"""The package as it is installed: every folder, template and spec is in the wheel, and the wheel works."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

import lvmc

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
HOMES = {"lvmc": "lvmc", "codegen": "lvmc.codegen", "specs": "lvmc.specs"}


def files_of_the_package() -> dict[str, Path]:
    """Every file that belongs to the package, by its path in a wheel."""
    found: dict[str, Path] = {}
    for folder, package in HOMES.items():
        for file in sorted((ROOT / folder).rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                inside = Path(*package.split("."), file.relative_to(ROOT / folder))
                found[inside.as_posix()] = file
    return found


def test_the_package_list_is_the_folders() -> None:
    folders = {Path(path).parent for path in files_of_the_package() if path.endswith("/__init__.py")}
    assert sorted(PROJECT["tool"]["setuptools"]["packages"]) == sorted(".".join(folder.parts) for folder in folders)


def test_the_version_is_said_once_each() -> None:
    assert PROJECT["project"]["version"] == lvmc.__version__


def test_pins_are_of_what_the_project_needs() -> None:
    pins = {
        line.split("==")[0].lower().replace("_", "-")
        for line in (ROOT / "constraints.txt").read_text().splitlines()
        if "==" in line
    }
    extras = PROJECT["project"]["optional-dependencies"]
    needs = [*PROJECT["project"]["dependencies"], *extras["test"], *extras["lint"]]
    assert {need.split(">=")[0].lower() for need in needs} <= pins


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of a copy of the sources, so that no `build` folder is left in the checkout, nor used from it."""
    copy = tmp_path_factory.mktemp("source")
    for name in (*HOMES, "pyproject.toml", "README.md", "LICENSE"):
        source = ROOT / name
        copier = shutil.copytree if source.is_dir() else shutil.copy
        copier(source, copy / name)
    command = "from setuptools.build_meta import build_wheel; print(build_wheel('.'))"
    done = subprocess.run([sys.executable, "-c", command], cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return copy / done.stdout.splitlines()[-1]


def test_the_wheel_holds_every_file(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    wanted = {path for path, file in files_of_the_package().items() if not file.name.startswith(".")}
    assert held == wanted


def test_the_wheel_compiles_a_model(wheel: Path, tmp_path: Path) -> None:
    """Unpacked where no checkout is in reach."""
    with ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    script = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
sys.meta_path[:] = [finder for finder in sys.meta_path if "editable" not in f"{{finder.__module__}} {{finder}}"]
import lvmc, torch
assert lvmc.__file__.startswith({str(tmp_path)!r}), lvmc.__file__
print(*lvmc.compile("two_layer")(torch.zeros(1, 1, 16, 16)))
"""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.stdout == "h1 h2\n", done.stderr
