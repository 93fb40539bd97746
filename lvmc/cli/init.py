"""`lvmc init`: a commented spec to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from lvmc.cli.options import AsJson

STARTER = Path(__file__).with_name("starter.yaml")

Target = Annotated[Path, typer.Argument(metavar="PATH", help="File to write; its name is the model's.")]


def init(path: Target = Path("my_model.yaml"), as_json: AsJson = False) -> None:
    """Write a commented spec that compiles, to start from."""
    from lvmc.cli.output import print_json
    from lvmc.spec.names import name_fault

    target = path if path.suffix else path.with_suffix(".yaml")
    name = target.stem.replace("-", "_")
    fault = name_fault(name)
    if fault:
        raise ValueError(f"{target}: {fault}")
    text = STARTER.read_text(encoding="utf-8").replace("name: my_model", f"name: {name}")
    with target.open("x", encoding="utf-8") as file:
        file.write(text)
    if as_json:
        print_json({"path": str(target), "name": name})
    else:
        typer.echo(f"{target} written. Next: lvmc show {target}; lvmc draw {target} {name}.svg; lvmc compile {target}")
