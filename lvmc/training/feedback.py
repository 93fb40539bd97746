"""Steps of outer feedback in training: the states they begin at, and what heads that move points should say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lvmc.data.batches import Batch
from lvmc.graph.states import FeedbackNode
from lvmc.runtime.starts import start_of_state
from lvmc.spec.train import Train
from lvmc.training.paths import Path, corrections_along, fixed_path
from lvmc.training.targets import known_points

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor, nn

    Out = dict[str, Tensor]


def run_along(
    module: Callable[..., Out], model: nn.Module, feedback: FeedbackNode, train: Train, batch: Batch
) -> tuple[Out, Out]:
    """What every step gives for a batch, steps in front, and the targets of the heads that move points.

    On a fixed path all steps are run at once, as one batch of steps × samples: none needs what another one found, and
    batch norms take the statistics of them all. Else each step begins where the one before it left off.

    Args:
        module: The model, or what wraps it.
        model: Holds where states start.
        feedback: Its steps.
        train: Says which path.
        batch: On the device of the model.
    """
    if train.path == "predicted":
        out: Out = module(batch.images)
        return out, corrections_of(model, feedback, batch, out)
    steps, paths = feedback.steps, dict[str, Path]()
    for state in feedback.states:
        target = known_points(batch, state.change.head)
        paths[state.name] = fixed_path(state, target, start_of_state(model, state, target), steps)
    starts = {name: path.points[:-1].flatten(0, 1) for name, path in paths.items()}
    found = module(batch.images.repeat(steps, 1, 1, 1), steps=1, **starts)
    out = {name: value[0].reshape(steps, len(batch.images), *value.shape[2:]) for name, value in found.items()}
    return out, {head: paths[state.name].corrections for head, state in feedback.corrections.items()}


def corrections_of(model: nn.Module, feedback: FeedbackNode, batch: Batch, out: Out) -> Out:
    """Targets of the heads that move points, from where each step of `out` began: (steps, B, 2 · points) by head."""
    import torch

    found: Out = {}
    for head, state in feedback.corrections.items():
        target, after = known_points(batch, head), out[state.name]
        begun = torch.cat((start_of_state(model, state, target)[None], after[:-1]))
        found[head] = corrections_along(state, target, begun)
    return found
