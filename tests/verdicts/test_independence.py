"""The checker knows nothing of what finds proofs."""

from __future__ import annotations

import subprocess
import sys

from tests.test_imports import IMPORTS

ALLOWED = {"lvmc.verdicts.records", "lvmc.verdicts.subjects", "lvmc.verdicts.wellformed"}


def test_verify_imports_records_numpy_and_the_standard_library_only() -> None:
    mine = [
        each for each in IMPORTS if each.file.parent.name == "verify" and each.file.parent.parent.name == "verdicts"
    ]
    assert len({each.file for each in mine}) > 10
    for each in mine:
        if each.imported.startswith("lvmc"):
            assert each.imported in ALLOWED or each.imported.startswith("lvmc.verdicts.verify"), each
        else:
            assert each.imported.split(".")[0] in sys.stdlib_module_names | {"numpy"}, each


def test_nothing_else_is_loaded() -> None:
    script = """
import sys
from lvmc.verdicts.verify import verify
from lvmc.verdicts.files import load
assert not {name.split(".")[0] for name in sys.modules} & {"torch", "scipy", "pydantic"}
own = {".".join(name.split(".")[:2]) for name in sys.modules if name.startswith("lvmc.")}
assert own == {"lvmc.verdicts"}, own
"""
    subprocess.run([sys.executable, "-c", script], check=True)
