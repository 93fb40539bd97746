"""The demo: compile two models of the zoo, run them on a photograph, and say where everything lies."""

from __future__ import annotations

from pathlib import Path

from matplotlib.cbook import get_sample_data
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from lvmc.cli.compile import compile_spec
from lvmc.cli.run import run

OUT = Path("build") / "demo"
SPECS = ("qp_faces", "qp2_vgg16")
PLACES = {
    "{name}/{name}.py": "the emitted module, to be read: it imports only torch",
    "{name}/unrolled.svg": "the net it unrolls to",
    "{name}/energy.svg": "its energy",
    "{name}/listing.txt": "its program, equation by equation",
    "{name}_run/heads/keypoints.png": "heatmaps on the photograph (weights are random: what is trained comes next)",
    "{name}_run/latents/": "every layer after its last update",
    "{name}_run/trace.png": "the score after every update",
}


def main() -> None:
    """Write everything under build/demo."""
    photograph = Path(str(get_sample_data("grace_hopper.jpg", asfileobj=False)))
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed}/{task.total}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task("", total=2 * len(SPECS))
        for name in SPECS:
            progress.update(task, description=f"compile {name}")
            compile_spec(name, OUT / name)
            progress.advance(task)
            progress.update(task, description=f"run {name}")
            run(str(OUT / name), [photograph], out=OUT / f"{name}_run")
            progress.advance(task)
        progress.update(task, description="done")
    say = Console(highlight=False, soft_wrap=True)
    for name in SPECS:
        say.print(f"\n[bold]{name}[/bold]")
        for place, what in PLACES.items():
            say.print(f"  {(OUT / place.format(name=name)).as_posix():<48}  {what}")


if __name__ == "__main__":
    main()
