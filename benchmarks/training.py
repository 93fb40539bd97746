"""A training step (forward, loss, backward, SGD with momentum): its time, and its peak memory above what stays."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from agreement import UnequalError
from harness import Goal, Pace, Ratio, Row, Section, Spread, interleave, ratio, rounds_of, timed_rows
from memory import MIB, peak_bytes
from nets import SpecDict, vgg, zoo
from subjects import CACHED, EMITTED, HAND, TRIMMED, emitted, hand_written, image_of

CHECKPOINTED = "emitted, checkpointed"
RATE = 0.01
SHARE = 0.4
"""What checkpointing may take of the memory of the hand-written step."""


class Step:
    """One training step of a net with one heatmap head; gradients and momentum stay in place from step to step."""

    def __init__(self, module: nn.Module, loss: Callable[[Tensor], Tensor], image: Tensor) -> None:
        self.module = module.train()
        self.loss = loss
        self.image = image
        self.optimiser = torch.optim.SGD(module.parameters(), lr=RATE, momentum=0.9)

    def __call__(self) -> Tensor:
        """The loss before the step."""
        self.optimiser.zero_grad(set_to_none=False)
        (heads,) = self.module(self.image).values()
        loss = self.loss(heads)
        loss.backward()
        self.optimiser.step()
        return loss.detach()

    def gradients(self) -> Tensor:
        """Norms of the parameters' gradients in the last step, in order: (parameters,)."""
        return torch.stack([each.grad.double().norm() for each in self.module.parameters() if each.grad is not None])


def training(name: str, title: str, make: Callable[[], SpecDict], batch: int, seconds: float, pace: Pace) -> Section:
    """Time and memory of a step of one net, emitted and written by hand."""
    spec = make()
    image = image_of(spec, batch)
    steps, why = _steps(spec, image)
    _require_equal_steps(steps)
    samples = interleave(steps, pace.seconds(seconds))
    peaks = {each: peak_bytes(step) / MIB for each, step in steps.items()}
    memory_rows = tuple(Row(f"{each}, peak", _exactly(peak), "MiB") for each, peak in peaks.items())
    ratios = [
        ratio(samples, HAND, EMITTED, Goal("≥", 1.5)),
        ratio(samples, TRIMMED, EMITTED),
        ratio(samples, CACHED, EMITTED),
        _memory_ratio(peaks, EMITTED, HAND, Goal("≤", 0.7)),
        _memory_ratio(peaks, EMITTED, CACHED, None),
        _memory_ratio(peaks, CHECKPOINTED, HAND, Goal("≤", SHARE), why),
    ]
    notes = ("peak: highest number of bytes alive during the step, above parameters, gradients and momentum",)
    return Section(name, title, (*timed_rows(samples), *memory_rows), tuple(ratios), notes, rounds_of(samples))


def _steps(spec: SpecDict, image: Tensor) -> tuple[dict[str, Step], str]:
    """The competitors, and why one is not among them."""
    model = emitted(spec)
    state = deepcopy(model.state_dict())
    (head,) = spec["heads"]
    channels = spec["heads"][head]["channels"]
    random = torch.Generator().manual_seed(1)
    target = (torch.rand(image.shape[0], channels, *image.shape[2:], generator=random) < 0.01).float()

    def emitted_loss(heads: Tensor) -> Tensor:
        return model.losses({head: heads}, {head: target})[head]

    by_hand = partial(F.binary_cross_entropy_with_logits, target=target)
    steps = {EMITTED: Step(model, emitted_loss, image)}
    for name in (HAND, TRIMMED, CACHED):
        steps[name] = Step(hand_written(name, spec, state, share=False), by_hand, image)
    probe = Step(hand_written(HAND, spec, state, share=False), by_hand, image)
    probe()  # from now on gradients and momentum are there
    try:
        checkpointed = emitted(spec, memory=int(SHARE * peak_bytes(probe)))
    except ValueError as error:
        return steps, f"refused: {error}"
    checkpointed.load_state_dict(state)
    return steps | {CHECKPOINTED: Step(checkpointed, emitted_loss, image)}, ""


def _require_equal_steps(steps: dict[str, Step]) -> None:
    """Loss and gradients of the first step, to 1e-4 (gradients to 1e-3: a tie in a group moves them a little)."""
    losses = {name: float(step()) for name, step in steps.items()}
    gradients = {name: step.gradients() for name, step in steps.items()}
    for name in steps:
        apart = abs(losses[name] - losses[EMITTED]) / abs(losses[EMITTED])
        turned = float((gradients[name] - gradients[EMITTED]).norm() / gradients[EMITTED].norm())
        if not (apart <= 1e-4 and turned <= 1e-3):
            raise UnequalError(f"{name}: loss differs by {apart:.1e}, gradient norms by {turned:.1e}")


def _memory_ratio(peaks: dict[str, float], over: str, under: str, goal: Goal | None, why: str = "") -> Ratio:
    name = f"peak of {over} / {under}"
    if over not in peaks:
        return Ratio(name, None, goal, why)
    return Ratio(name, _exactly(peaks[over] / peaks[under]), goal)


def _exactly(value: float) -> Spread:
    return Spread(value, value, value)


CASES: dict[str, Callable[[Pace], Section]] = {
    "train-qp_faces": partial(
        training, "train-qp_faces", "training step of qp_faces, batch 8", partial(zoo, "qp_faces"), 8, 12
    ),
    "train-vgg112": partial(
        training, "train-vgg112", "training step of the VGG net at 112², batch 4", partial(vgg, 112), 4, 30
    ),
}
QUICK = ("train-qp_faces",)
