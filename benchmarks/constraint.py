"""What `constraint` costs a training step: the same net and weights with and without it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor

from harness import Goal, Pace, Section, interleave, ratio, rounds_of, timed_rows
from nets import SpecDict, vgg, zoo
from subjects import emitted, image_of
from training import Step

NONE, COPOSITIVE, CONTRACTIVE = "none", "copositive", "contractive"
GOAL = Goal("≤", 1.05)


def cost(name: str, title: str, make: Callable[[], SpecDict], batch: int, seconds: float, pace: Pace) -> Section:
    """Time of a step of one net under every constraint."""
    spec = make()
    image = image_of(spec, batch)
    samples = interleave({each: _step(spec, each, image) for each in (NONE, COPOSITIVE, CONTRACTIVE)},
                         pace.seconds(seconds))  # fmt: skip
    ratios = tuple(ratio(samples, each, NONE, GOAL) for each in (COPOSITIVE, CONTRACTIVE))
    return Section(name, title, timed_rows(samples), ratios, rounds=rounds_of(samples))


def _step(spec: SpecDict, constraint: str, image: Tensor) -> Step:
    constrained = {**spec, "inference": {**spec["inference"], "constraint": constraint}}
    return Step(emitted(constrained), _loss, image)


def _loss(heads: Tensor) -> Tensor:
    return F.binary_cross_entropy_with_logits(heads, torch.zeros_like(heads))


CASES: dict[str, Callable[[Pace], Section]] = {
    "constraint_faces": partial(
        cost, "constraint_faces", "training step, qp_faces, batch 8", partial(zoo, "qp_faces"), 8, 12.0
    ),
    "constraint_vgg112": partial(
        cost, "constraint_vgg112", "training step, QP2-VGG 112², batch 4", partial(vgg, 112), 4, 20.0
    ),
    "constraint_vgg224": partial(
        cost, "constraint_vgg224", "training step, QP2-VGG 224², batch 8", partial(vgg, 224), 8, 60.0
    ),
}
QUICK = ("constraint_faces",)
