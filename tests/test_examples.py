"""Every example runs, and every block of the README and of the user's guide is true."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import lvmc

ROOT = Path(__file__).parent.parent
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
README = (ROOT / "README.md").read_text(encoding="utf-8")
GUIDE = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
SAID = {
    "density": r"mean KL to the truth: 0\.\d+, drawn: density.png",
    "demo": r"build/demo/qp2_vgg16_run/trace.png",
    "equilibrium": r"step 3: loss 0\.69\d\d, passes of each image \[.*\], all settled: True",
    "growing_score": r"none, .*e\+\d\d\n.*not copositive(.*\n)+.*: copositive, .*, 1\d\d\d\n.*strictly copositive",
    "inpainting": r"error on the missing pixels: 0\.\d+ left black, 0\.1\d+ inferred",
    "least_squares": r"largest difference [\d.]+e-1\d",
    "lifting": r"all joints: 0\.0\d\d heights off(.*\n)+without depth: 0\.1\d\d",
    "quickstart": r"drawn: qp_faces.svg",
    "training": r"QP2 before .* [\d.]+%(.*\n)+QP2  .* \d\d\.\d%(.*\n)+.*build/demo/predictions.png",
    "video": r"    7      0\.03\d\d                0\.00\d\d",
}


def blocks(text: str, language: str) -> list[str]:
    """Fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs(example: Path, tmp_path: Path) -> None:
    """In a folder of its own, and says what it is there to say."""
    environment = os.environ | {"PYTHONPATH": str(ROOT), "LVMC_DEMO_EPOCHS": "1"}
    done = subprocess.run(
        [sys.executable, example],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(SAID[example.stem], done.stdout)
    assert len(example.read_text(encoding="utf-8").splitlines()) < 60


def test_the_readme_s_example_is_the_quickstart() -> None:
    quickstart = (ROOT / "examples" / "quickstart.py").read_text(encoding="utf-8")
    assert blocks(README, "python") == [quickstart.split('"""\n\n', 1)[1]]


def test_the_readme_s_spec_is_the_zoo_s(tmp_path: Path) -> None:
    (tmp_path / "qp_faces.yaml").write_text(blocks(README, "yaml")[0], encoding="utf-8")
    written, zoo = lvmc.load(tmp_path / "qp_faces.yaml"), lvmc.load("qp_faces")
    assert written.model_dump(exclude={"description"}) == zoo.model_dump(exclude={"description"})


def test_the_readme_s_picture_is_current(tmp_path: Path) -> None:
    """`make pictures` draws it anew (where `dot` is installed, its version may draw otherwise)."""
    committed = (ROOT / "docs" / "unrolled.svg").read_text(encoding="utf-8")
    assert len(committed) < 200_000
    drawn = lvmc.draw("qp_faces", tmp_path / "unrolled.mmd").read_text(encoding="utf-8")
    for name in ("h1.weight", "h5.weight", "keypoints", "image"):
        assert name in committed
        assert name in drawn


@pytest.mark.parametrize("text", [README, GUIDE], ids=["readme", "guide"])
def test_links_lead_somewhere(text: str) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", text):
        assert link.startswith("https://") or (ROOT / link).exists() or (ROOT / "docs" / link).exists()


def test_tests_that_the_readme_names_exist() -> None:
    for path in re.findall(r"(?:tests|examples)/[\w/]+\.py", README):
        assert (ROOT / path).is_file()


@pytest.mark.parametrize("number", range(len(blocks(GUIDE, "yaml"))))
def test_the_guide_s_specs_compile(number: int, tmp_path: Path) -> None:
    (tmp_path / "spec.yaml").write_text(blocks(GUIDE, "yaml")[number], encoding="utf-8")
    spec = lvmc.load(tmp_path / "spec.yaml")
    assert lvmc.compile(spec) is not None


def test_the_guide_tells_every_key() -> None:
    """Each key of layers, couplings, heads and the other sections stands in the guide."""
    from lvmc.heads.registry import HEADS
    from lvmc.spec.augment import Augment
    from lvmc.spec.data import DATA, Occluders
    from lvmc.spec.feedback import Feedback, State, Update
    from lvmc.spec.inputs import Input, Normalize, RenderedInput, SharedFilter
    from lvmc.spec.layers import Layer
    from lvmc.spec.model import Inference
    from lvmc.spec.train import Evaluate, Stage, Target, Train

    records = (lvmc.Spec, Input, Normalize, SharedFilter, Layer, Inference, *HEADS.values())
    records += (State, RenderedInput, Feedback, Update)
    records += (Train, *DATA.values(), Occluders, Augment, Target, Evaluate, Stage)
    told = set(re.findall(r"`([a-z][a-z0-9_]*)`", GUIDE))
    for record in records:
        keys = {field.alias or name for name, field in record.model_fields.items()}
        assert keys <= told, f"{record.__name__}: {keys - told}"
    assert set(HEADS) <= told
    assert set(DATA) <= told
