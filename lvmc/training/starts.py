"""Where states of outer feedback start: the median or mean of the points of the training set, before augmentation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, cast

import numpy as np

from lvmc.data.sample import SampleSet
from lvmc.runtime.module import compiled_of
from lvmc.training.paths import start_of

if TYPE_CHECKING:
    from lvmc.runtime.module import Model

STATISTICS = ("median", "mean")


def start_at_points(model: Model, samples: SampleSet) -> None:
    """Give the buffers `<state>.start` their values; those of other states stay as they are.

    Raises:
        ValueError: The samples have other points than a state.
    """
    import torch

    feedback = compiled_of(model).graph.feedback
    states = [state for state in feedback.states if state.init in STATISTICS] if feedback else []
    if not states:
        return
    known = [(each.points, each.visible) for each in (samples[row] for row in range(len(samples)))]
    given = [(points, visible) for points, visible in known if points is not None and visible is not None]
    counts = {len(points) for points, _ in given}
    for state in states:
        if counts != {state.shape[0]}:
            several = " or ".join(map(str, sorted(counts))) or "no"
            raise ValueError(f"state {state.name!r} has {state.shape[0]} points, but the samples have {several}")
        points = torch.as_tensor(np.stack([each for each, _ in given]))
        counted = torch.as_tensor(np.stack([visible > 0 for _, visible in given]))
        how = cast('Literal["median", "mean"]', state.init)
        model.get_buffer(state.start).copy_(start_of(points, how, counted))
