"""How results reach the terminal: one JSON document, or text and tables by rich; remarks go to stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | int | bool | None


def print_json(document: Json) -> None:
    """The one document of a command on stdout."""
    print(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


def remark(text: str) -> None:
    """A line beside the result, on stderr."""
    print(text, file=sys.stderr)


def console() -> Console:
    """Where people read results; not a terminal: plain text, as wide as it needs."""
    from rich.console import Console

    terminal = sys.stdout.isatty()
    return Console(highlight=False, markup=False, emoji=False, width=None if terminal else 140)


@contextmanager
def progress(wanted: bool) -> Generator[Callable[[str, float], None]]:
    """A bar on stderr while something runs, gone afterwards; none where nobody looks on.

    Gives `tell(stage, done)`: what is being done, and how much of it, 0 to 1.
    """
    if not wanted or not sys.stderr.isatty():
        yield _told_nobody
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=1.0)

        def tell(stage: str, done: float) -> None:
            bar.update(task, description=stage, completed=min(max(done, 0.0), 1.0))

        yield tell


def _told_nobody(stage: str, done: float) -> None: ...


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], left: Sequence[str] = ()) -> Table:
    """A table without frame; columns named in `left` are aligned left, numbers right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    made = Table(box=SIMPLE_HEAD, pad_edge=False, header_style="bold", show_edge=False)
    for column in columns:
        made.add_column(Text(column), justify="left" if column in left else "right", overflow="fold")
    for row in rows:
        made.add_row(*(Text(cell) for cell in row))
    return made


def count(number: int) -> str:
    """1248 → 1,248."""
    return f"{number:,}"


def large(number: int, unit: str = "") -> str:
    """123514892176 → 123.5 G."""
    for scale, letter in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if abs(number) >= scale:
            return f"{number / scale:.1f} {letter}{unit}"
    return f"{number} {unit}".rstrip()


def share(before: int, after: int) -> str:
    """How much less: −57%."""
    change = (after - before) / before if before else 0.0
    return f"{change:+.{0 if abs(change) >= 0.01 else 1}%}".replace("-", "−") if abs(change) >= 0.0005 else ""
