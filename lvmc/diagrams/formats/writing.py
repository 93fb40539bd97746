"""Writes a picture to a file, in the format its suffix names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from lvmc.diagrams.drawing.picture import Picture
from lvmc.diagrams.formats.dot import dot_source
from lvmc.diagrams.formats.mermaid import mermaid_text
from lvmc.diagrams.formats.render import DrawError, pdf, png, svg
from lvmc.durable import replacing

SUFFIXES = {".svg": "svg", ".png": "png", ".pdf": "pdf", ".dot": "dot", ".gv": "dot", ".mmd": "mermaid",
            ".mermaid": "mermaid"}  # fmt: skip
_RENDERED: dict[str, Callable[[str], bytes]] = {"svg": svg, "png": png, "pdf": pdf}
FORMATS = (*_RENDERED, "dot", "mermaid")


def write(picture: Picture, path: str | Path, format: str | None = None) -> Path:  # noqa: A002
    """Write a picture, whole or not at all: beside the target first, then renamed.

    Args:
        picture: What to draw.
        path: The file; its suffix names the format if `format` does not.
        format: svg, png, pdf, dot or mermaid.

    Returns:
        The file written.

    Raises:
        DrawError: The format is unknown, something it needs is not installed, or the file cannot be written.
    """
    target = Path(path)
    drawn = content(picture, format or _format_of(target))
    try:
        with replacing(target) as fresh:
            fresh.write_bytes(drawn)
    except OSError as error:
        raise DrawError(f"cannot write {target}: {error.strerror or error}") from error
    return target


def content(picture: Picture, format: str) -> bytes:  # noqa: A002
    """The picture in a format; text is UTF-8."""
    match format:
        case "dot":
            return dot_source(picture).encode()
        case "mermaid":
            return mermaid_text(picture).encode()
        case "svg" | "png" | "pdf":
            return _RENDERED[format](dot_source(picture))
        case _:
            raise DrawError(f"no format is named '{format}'; write {', '.join(FORMATS)}")


def _format_of(path: Path) -> str:
    found = SUFFIXES.get(path.suffix.lower())
    if found is None:
        raise DrawError(f"{path.name} does not say its format; end it in {', '.join(SUFFIXES)}, or give format")
    return found
