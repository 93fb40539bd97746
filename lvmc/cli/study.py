"""`lvmc study`: variants of a spec, trained from several seeds, in one table with paired differences."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lvmc.cli.options import AsJson

if TYPE_CHECKING:
    from lvmc.study import Outcome
    from lvmc.study.tables import Table

File = Annotated[Path, typer.Argument(metavar="STUDY.yaml", help="The study: docs/study.md.", show_default=False)]
Out = Annotated[
    Path, typer.Option("--out", "-o", metavar="OUT", help="Folder that keeps its runs.", show_default=False)
]
Jobs = Annotated[int, typer.Option("--jobs", "-j", metavar="N", help="Runs at a time, each in a process.", min=1)]
TableOnly = Annotated[
    bool, typer.Option("--table", metavar="", help="Make no runs: only tables and plots, of what is there.")
]


def study(file: File, out: Out, jobs: Jobs = 1, table_only: TableOnly = False, as_json: AsJson = False) -> None:
    """Train what is missing of a study, and write its tables and plots. Interrupted, it goes on where it was.

    Exit status: 0 all runs are done (or another process is at them), 1 one failed.
    """
    from lvmc.cli.output import print_json, progress, remark
    from lvmc.study import run_study
    from lvmc.study.report import document_of

    try:
        with progress(not as_json) as tell:
            found = run_study(file, out, jobs=jobs, table_only=table_only, tell=tell, say=remark)
    except KeyboardInterrupt:
        remark("interrupted; the same command goes on where it was")
        raise typer.Exit(130) from None
    if as_json:
        document = document_of(found.plan, found.results, found.summary)
        print_json({**document, "files": [str(each) for each in found.files]})
    else:
        _show(found)
    if not (found.whole or table_only):
        raise typer.Exit(1)


def _show(found: Outcome) -> None:
    from lvmc.cli.output import console
    from lvmc.study.tables import differences, means

    out, study = console(), found.plan.study
    out.print(f"{study.title or study.name}: mean ± s.d. over seeds\n")
    out.print(_rich(means(found.plan, found.summary)))
    if (compared := differences(found.summary)) is not None:
        out.print("\npaired by seed:\n")
        out.print(_rich(compared))
    for text in found.summary.remarks:
        out.print(f"\n{text}", soft_wrap=True)
    out.print(f"\nwritten: {', '.join(map(str, found.files))}", soft_wrap=True)


def _rich(made: Table) -> object:
    from lvmc.cli.output import table

    return table(made.columns, made.rows, left=made.left)
