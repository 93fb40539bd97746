"""The inside of a run on files, as pictures and numbers in a folder of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from lvmc.diagnostics.inside import GradientNorms, Silence, activations, gradient_norms, silenced
from lvmc.results.figures import save
from lvmc.results.folder import save_arrays
from lvmc.results.inside import BOTH, BOTTOM, TOP, draw_activations, draw_gradients, draw_silenced
from lvmc.results.ran import Ran

if TYPE_CHECKING:
    from lvmc.runtime.module import Model

Numbers = NDArray[np.float32]

HEARD: Mapping[str, Silence] = {BOTH: (), BOTTOM: "top", TOP: "bottom"}
LOSS = "½ Σ outputs²"


@dataclass(frozen=True)
class Inside:
    """What happens inside a run on one sample.

    Attributes:
        activations: Every layer after each pass, (passes, C, H, W).
        silenced: Every head (with `at: each`, its last prediction) by what of its messages was heard.
        gradients: Of half the sum of squares of all outputs, by pass and filter.
    """

    activations: Mapping[str, Numbers]
    silenced: Mapping[str, Mapping[str, Numbers]]
    gradients: GradientNorms


def look_inside(model: Model, ran: Ran) -> Inside:
    """Run a model again on what a run was given, and look.

    Raises:
        ValueError: There are too many passes to look at each.
    """
    import torch

    tensors = {name: torch.as_tensor(each.values) for name, each in ran.given.items()}
    inputs = [tensors.pop(node.name) for node in ran.graph.plain_inputs]
    stacked = {key: head.record.at == "each" for head in ran.graph.heads for key in head.outputs}
    heard = {
        words: silenced(model, inputs, silence, tensors).heads for words, silence in HEARD.items() if ran.graph.heads
    }
    return Inside(
        {name: z[:, 0] for name, z in activations(model, inputs, tensors).items()},
        {name: {w: h[name][-1, 0] if each else h[name][0] for w, h in heard.items()} for name, each in stacked.items()},
        gradient_norms(model, inputs, given=tensors),
    )


def write_inside(inside: Inside, ran: Ran, folder: Path) -> None:
    """Write `inside.npz`, and in `inside/` a picture of every layer by pass, every head silenced, and the gradients."""
    where = folder / "inside"
    where.mkdir()
    for name, values in inside.activations.items():
        save(draw_activations(name, values), where / f"{name}_by_pass.png")
    for head in ran.graph.heads:
        for key in head.outputs:
            figure = draw_silenced(key, head.record, inside.silenced[key], ran.picture)
            save(figure, where / f"{key}_silenced.png")
    gradients = inside.gradients
    if gradients.used.any():
        save(draw_gradients(gradients, ran.graph.name, LOSS), where / "gradients.png")
    arrays = {f"activations/{name}": values for name, values in inside.activations.items()}
    for name, each in inside.silenced.items():
        arrays |= {f"silenced/{name}/{words}": values for words, values in each.items()}
    arrays |= {
        "gradients/norms": gradients.norms.astype(np.float32),
        "gradients/sum": gradients.total.astype(np.float32),
    }
    save_arrays(folder / "inside.npz", arrays)
