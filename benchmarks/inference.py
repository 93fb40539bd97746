"""Inference: the emitted net beside the convolutions it cannot do without, and beside what one would write by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch

from harness import Goal, Pace, Ratio, Row, Samples, Section, interleave, ratio, rounds_of, timed_rows
from limit import convolutions
from nets import SpecDict, one_head, vgg, with_passes, zoo
from subjects import (
    CACHED,
    CACHED_LAST,
    COMPILED,
    EMITTED,
    HAND,
    LIMIT,
    TRIMMED,
    UNREWRITTEN,
    Field,
    competitors,
    emitted,
    image_of,
)

Wanted = tuple[str, str, Goal | None]

AGAINST_HAND: tuple[Wanted, ...] = (
    (TRIMMED, EMITTED, None),
    (CACHED, EMITTED, None),
    (CACHED_LAST, EMITTED, None),
    (UNREWRITTEN, EMITTED, None),
)
EAGER = (LIMIT, EMITTED, UNREWRITTEN, HAND, TRIMMED, CACHED, CACHED_LAST)
BOTH_COMPILED = (EMITTED + COMPILED, HAND + COMPILED, CACHED + COMPILED)


@dataclass(frozen=True, slots=True)
class Case:
    """One net, who takes part, for how long, and which ratios are wanted."""

    title: str
    spec: Callable[[], SpecDict]
    batch: int
    seconds: float
    names: tuple[str, ...]
    wanted: tuple[Wanted, ...]


def versus(
    limit: float | None = None, eager: float | None = None, compiled: float | None = None, goals: bool = True
) -> tuple[Wanted, ...]:
    """The ratios of one net: emitted to limit, hand-written to emitted, and the same compiled, with what is wanted."""
    return (
        (EMITTED, LIMIT, Goal("≤", limit) if limit else None),
        (HAND, EMITTED, Goal("≥", eager) if eager else None),
        *AGAINST_HAND,
        (EMITTED + COMPILED, LIMIT, Goal("≤", 1.10) if goals else None),
        (HAND, EMITTED + COMPILED, Goal("≥", compiled) if compiled else None),
        (HAND + COMPILED, EMITTED + COMPILED, Goal("≥", 1.8) if goals else None),
        (CACHED + COMPILED, EMITTED + COMPILED, None),
    )


NETS: dict[str, Case] = {
    "vgg112-k2-b1": Case(
        "QP2, convolutional VGG-16 at 112², batch 1", partial(vgg, 112), 1, 30, EAGER + BOTH_COMPILED,
        versus(1.25, 1.6, 1.8),
    ),
    "vgg112-k4-b1": Case(
        "QP4, the same", partial(vgg, 112, 4), 1, 30, EAGER + BOTH_COMPILED, versus(None, 1.75, 2.0)
    ),
    "vgg112-k2-b8": Case("QP2 at 112², batch 8", partial(vgg, 112), 8, 30, EAGER, versus(1.25, 1.6)),
    "vgg224-k2-b1": Case(
        "QP2 at 224², batch 1", partial(vgg, 224), 1, 30, EAGER + BOTH_COMPILED, versus(1.40, 1.6, 1.8)
    ),
    "vgg224-k2-b8": Case(
        "QP2 at 224², batch 8", partial(vgg, 224), 8, 40, (LIMIT, EMITTED, HAND, CACHED), versus(1.40, 1.6)
    ),
    "qp2_vgg16-b1": Case(
        "QP2 with fc6 and fc7 at 224², batch 1", partial(zoo, "qp2_vgg16"), 1, 25, EAGER, versus()
    ),
    "qp_faces-b1": Case(
        "qp_faces at 64², batch 1", partial(zoo, "qp_faces"), 1, 5, EAGER + BOTH_COMPILED, versus(goals=False)
    ),
    "qp_faces-b8": Case("qp_faces at 64², batch 8", partial(zoo, "qp_faces"), 8, 5, EAGER, versus()),
}  # fmt: skip
QUICK = ("vgg112-k2-b1", "qp_faces-b1")


@torch.inference_mode()
def net(case: Case, name: str, pace: Pace) -> Section:
    """One net against its limit and its rivals."""
    spec = case.spec()
    image = image_of(spec, case.batch)
    made = competitors(spec, case.names, case.batch)
    limit = convolutions(spec, batch=case.batch)
    subjects: dict[str, Callable[[], object]] = {LIMIT: limit}
    last = image.contiguous(memory_format=torch.channels_last)
    for each, module in made.modules.items():
        subjects[each] = partial(module, last if each == CACHED_LAST else image)
    samples = interleave(subjects, pace.seconds(case.seconds))
    rows = (*timed_rows(samples), *(Row(each, None, "ms", why) for each, why in made.absent.items()))
    ratios = [_ratio(samples, made, *wanted) for wanted in case.wanted if {*wanted[:2]} <= {*case.names}]
    work = case.batch * limit.flops
    fastest = min(samples[LIMIT])
    notes = (f"{LIMIT}: {work / 1e9:.1f} GFLOP, at best {work / 1e9 / fastest:.0f} GFLOP/s", *made.notes)
    return Section(name, case.title, rows, tuple(ratios), notes, rounds_of(samples))


@torch.inference_mode()
def passes(pace: Pace) -> Section:
    """What further passes cost: QP_k over QP_1."""
    counts = (1, 2) if pace.quick else (1, 2, 3, 4, 6, 8)
    spec = vgg(112)
    image = image_of(spec, 1)
    state = emitted(spec).state_dict()
    subjects: dict[str, Callable[[], object]] = {}
    for k in counts:
        subjects[f"QP{k}"] = partial(emitted(with_passes(spec, k), state), image)
        subjects[f"QP{k}, {LIMIT}"] = convolutions(spec, passes=k)
    samples = interleave(subjects, pace.seconds(25))
    ratios = [ratio(samples, f"QP{k}", "QP1", Goal("≤", 2.05) if k == 2 else None) for k in counts[1:]]
    ratios += [ratio(samples, f"QP{k}", f"QP{k}, {LIMIT}") for k in counts]
    return Section(
        "passes", "passes of the VGG net at 112², emitted", timed_rows(samples), tuple(ratios), (), rounds_of(samples)
    )


@torch.inference_mode()
def clvm(pace: Pace) -> Section:
    """The second paper's Table 3: what feedback costs, and what a second task costs."""
    one, two = zoo("clvm1_vgg19"), zoo("clvm2_vgg19")
    image = image_of(one, 1)
    subjects: dict[str, Callable[[], object]] = {}
    for name, spec in (("CLVM1", one), ("CLVM2", two)):
        made = competitors(spec, (EMITTED, CACHED), 1)
        subjects[f"{name}, two heads"] = partial(made.modules[EMITTED], image)
        state = made.modules[EMITTED].state_dict()
        subjects[f"{name}, one head"] = partial(emitted(one_head(spec, "parts"), state), image)
        subjects[f"{name}, two heads, {CACHED}"] = partial(made.modules[CACHED], image)
        subjects[f"{name}, two heads, {LIMIT}"] = convolutions(spec)
    samples = interleave(subjects, pace.seconds(20))
    ratios = [
        ratio(samples, "CLVM2, one head", "CLVM1, one head", Goal("≤", 2.05)),
        ratio(samples, "CLVM1, two heads", "CLVM1, one head", Goal("≤", 1.04)),
        ratio(samples, "CLVM2, two heads", "CLVM2, one head", Goal("≤", 1.04)),
    ]
    for name in ("CLVM1", "CLVM2"):
        ratios.append(ratio(samples, f"{name}, two heads", f"{name}, two heads, {LIMIT}"))
        ratios.append(ratio(samples, f"{name}, two heads, {CACHED}", f"{name}, two heads"))
    notes = ("the paper (K40): CLVM2 / CLVM1 2.00, a second task 1.04 (CLVM1) and 1.01 (CLVM2)",)
    title = "convolutional latent-variable models at 180², batch 1"
    return Section("clvm", title, timed_rows(samples), tuple(ratios), notes, rounds_of(samples))


def _ratio(samples: Samples, made: Field, over: str, under: str, goal: Goal | None) -> Ratio:
    for each in (over, under):
        if each in made.absent:
            return Ratio(f"{over} / {under}", None, goal, made.absent[each])
    return ratio(samples, over, under, goal)


CASES: dict[str, Callable[[Pace], Section]] = {
    **{name: partial(net, case, name) for name, case in NETS.items()},
    "passes": passes,
    "clvm": clvm,
}
