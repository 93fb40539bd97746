"""The `lvmc` program: its commands, and how mistakes leave it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from lvmc import __version__
from lvmc.cli.check import check
from lvmc.cli.check_matrix import check_matrix
from lvmc.cli.compile import compile_spec
from lvmc.cli.doctor import doctor
from lvmc.cli.draw import draw
from lvmc.cli.eval import eval_model
from lvmc.cli.fit_basis import fit_basis
from lvmc.cli.import_weights import import_weights
from lvmc.cli.init import init
from lvmc.cli.mistakes import reported
from lvmc.cli.repair import repair
from lvmc.cli.run import run
from lvmc.cli.schema import schema
from lvmc.cli.show import show
from lvmc.cli.study import study
from lvmc.cli.train import train
from lvmc.cli.verify import verify
from lvmc.cli.zoo import zoo

COMMANDS: dict[str, Callable[..., None]] = {
    "init": init,
    "zoo": zoo,
    "compile": compile_spec,
    "draw": draw,
    "show": show,
    "run": run,
    "train": train,
    "eval": eval_model,
    "check": check,
    "check-matrix": check_matrix,
    "verify": verify,
    "repair": repair,
    "import-weights": import_weights,
    "fit-basis": fit_basis,
    "study": study,
    "schema": schema,
    "doctor": doctor,
}

app = typer.Typer(
    name="lvmc",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _name, _command in COMMANDS.items():
    app.command(_name)(reported(_command))


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"lvmc {__version__}")
        raise typer.Exit


@app.callback()
def before_any_command(
    version: Annotated[
        bool, typer.Option("--version", metavar="", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Compile YAML specs of hierarchical energies to readable PyTorch modules.

    SPEC is a file, or the name of a zoo model (`lvmc zoo`). With --json a command prints one JSON document.
    Exit status: 0 done, 1 a bad spec or a failed check, 2 wrong usage.
    """


def main() -> None:
    """Run the command line."""
    app()
