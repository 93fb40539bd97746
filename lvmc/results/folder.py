"""All pictures and numbers of a run in one folder."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from zipfile import ZipFile

import numpy as np
from numpy.typing import NDArray

from lvmc.results.densities import draw_density
from lvmc.results.figures import save
from lvmc.results.heads import draw_head
from lvmc.results.latents import draw_latent
from lvmc.results.ran import Ran
from lvmc.results.steps import COLUMNS as STEP_COLUMNS
from lvmc.results.steps import draw_state, step_rows
from lvmc.results.trace import COLUMNS, draw_trace, trace_rows


def write_results(ran: Ran, folder: Path) -> None:
    """Write `heads.npz` and `latents.npz`, a picture of every head and layer, `trace.csv` and `trace.png`.

    With outer feedback heads are drawn after the last step, and in place of the trace there are `states.npz`, a picture
    of every state, and `steps.csv`.
    """
    save_arrays(folder / "latents.npz", ran.latents)
    (folder / "latents").mkdir()
    for name, values in ran.latents.items():
        save(draw_latent(name, values), folder / "latents" / f"{name}.png")
    if ran.heads:
        save_arrays(folder / "heads.npz", ran.heads)
        (folder / "heads").mkdir()
    for head, key in ((each, key) for each in ran.graph.heads for key in each.outputs):
        if key in ran.densities:
            figure = draw_density(key, ran.densities[key], ran.picture)
            save(figure, folder / "heads" / f"{key}.png")
            continue
        values = ran.heads[key][-1] if ran.stacked else ran.heads[key]
        read = {f"{key}_p{k}": each for k, each in enumerate(values, 1)} if head.record.at == "each" else {key: values}
        for name, each in read.items():
            save(draw_head(name, head.record, each, ran.picture), folder / "heads" / f"{name}.png")
    if ran.trace is None:
        _write_steps(ran, folder)
        return
    with (folder / "trace.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([COLUMNS, *trace_rows(ran.trace)])
    save(draw_trace(ran.trace, ran.graph.name), folder / "trace.png")


def _write_steps(ran: Ran, folder: Path) -> None:
    save_arrays(folder / "states.npz", ran.states)
    (folder / "states").mkdir()
    for name, values in ran.states.items():
        save(draw_state(name, values, ran.picture), folder / "states" / f"{name}.png")
    with (folder / "steps.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([STEP_COLUMNS, *step_rows(ran.states)])


def save_arrays(path: Path, arrays: Mapping[str, NDArray[np.float32]]) -> None:
    """What `numpy.savez` writes, whatever the names: a layer may be called `file`."""
    with ZipFile(path, "w") as archive:
        for name, values in arrays.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                np.lib.format.write_array(file, values, allow_pickle=False)
