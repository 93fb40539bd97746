"""Law 4: every rewrite keeps every output, verifies, is idempotent, and never adds operations or bytes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings

from lvmc.assemble import Options, programs
from lvmc.errors import RewriteError
from lvmc.ir import Builder, Group, Origin, Program, TensorType, Variable, cost, interpret, messages, verify
from lvmc.ir.ops import (
    Add,
    AddChannel,
    Constant,
    Correlate,
    DivChannel,
    Gain,
    Keep,
    MaxWindows,
    Rectify,
    RepeatWindows,
    Spread,
    SumWindows,
    Take,
    Winners,
    Zeros,
)
from lvmc.ir.types import Geometry
from lvmc.loading import resolve
from lvmc.rewrites import DEFAULT, Rewrite, rewrite, stages
from lvmc.rewrites.fold_bias import fold_bias
from lvmc.rewrites.fold_scale import fold_scale
from lvmc.rewrites.max_pool import max_pool
from lvmc.rewrites.pool_before_add import pool_before_add
from lvmc.rewrites.pool_groups import pool_groups
from lvmc.rewrites.share_equal_values import share_equal_values
from lvmc.rewrites.shift_after_pool import shift_after_pool
from lvmc.rewrites.unit_diagonal import unit_diagonal
from lvmc.rewrites.zero_messages import zero_messages
from lvmc.unroll import unroll

from .dense import TIE
from .specs import random_inputs, random_parameters, specs
from .test_meaning import agree, reference


@settings(max_examples=150, deadline=None, derandomize=True, database=None)
@given(specs())
def test_every_rewrite_on_random_specs(spec: dict[str, Any]) -> None:
    """Along the default sequence, and each alone on the plain unrolling."""
    _, graph = resolve(spec)
    random = np.random.default_rng(len(str(spec)))
    given_values = random_inputs(graph, random) | random_parameters(graph, random)
    dense = reference(graph, {name: value for name, value in given_values.items() if name not in spec["inputs"]})
    dense.run({name: given_values[name] for name in spec["inputs"]}, graph.passes)
    assume(dense.closest >= TIE)
    plain = unroll(graph)
    for training in (False, True):
        wanted = interpret(plain, given_values, training=training)
        before = plain
        for each, (_, after) in zip(DEFAULT, stages(plain), strict=True):
            agree(interpret(after, given_values, training=training), wanted, 1e-8 if training else 1e-10)
            keeps_the_cost(before, after)
            assert each(after) is after or each(after) == after, f"{each.__name__} is not idempotent"
            before = after
    for each in DEFAULT:
        alone = each(plain)
        verify(alone)
        keeps_the_cost(plain, alone)


def keeps_the_cost(before: Program, after: Program) -> None:
    """No more FLOPs and no more bytes moved."""
    assert cost(after).flops <= cost(before).flops
    assert cost(after).bytes <= cost(before).bytes


X = Variable("x", TensorType((2, 4, 4)), "input")
T = Variable("t", TensorType((2, 2, 2)), "input")
W = Variable("w", TensorType((2, 2, 1, 1), batched=False), "parameter")
B = Variable("b", TensorType((2,), batched=False), "parameter")
D = Variable("d", TensorType((2,), batched=False), "parameter")
HERE = Origin("h", 1, "update")
SQUARE = Group(1, 2, 2)

Write = Callable[[Builder], str]


def program(write: Write) -> Program:
    """One value of x, t, w, b, d as the only output."""
    build = Builder((X, T, W, B, D))
    out = write(build)
    return Program("test", (X, T, W, B, D), (), build.equations(), (("out", out),))


def add(build: Builder, op: Any, *args: str) -> str:
    return build.add(op, *args, name="v", origin=HERE)


def nms(build: Builder, drive: str, group: Group, keys: Iterator[str] | tuple[str, ...] = ()) -> str:
    """keep(relu(drive), winners)."""
    winner = add(build, Winners(group), *(tuple(keys) or (drive,)))
    return add(build, Keep(), add(build, Rectify(), drive), winner)


def drive_with_feedback(build: Builder, window: tuple[int, int] = (2, 2)) -> str:
    return add(build, Add(), "x", add(build, RepeatWindows(window), "t"))


def shifted_pool(build: Builder, group: Group, drive: str = "x") -> str:
    """The winners' values of a drive shifted by channel."""
    shifted = add(build, AddChannel(), drive, "b")
    winner = add(build, Winners(group), shifted)
    if group.channels > 1:
        return add(build, Keep(), shifted, winner)
    return add(build, Take((2, 2)), shifted, winner)


def shifted_and_read(build: Builder) -> str:
    shifted = add(build, AddChannel(), "x", "b")
    return add(build, Add(), shifted, add(build, Keep(), "x", add(build, Winners(SQUARE), shifted)))


def two_readers(build: Builder) -> str:
    drive = drive_with_feedback(build)
    winner = add(build, Winners(SQUARE), drive)
    pooled = add(build, Take((2, 2)), drive, winner)
    return add(build, Add(), add(build, Spread((2, 2)), pooled, winner), drive)


def by_gain(build: Builder) -> str:
    drive = drive_with_feedback(build)
    value = add(build, DivChannel(), drive, "d")
    gain = add(build, Gain(), drive, value, "d")
    return add(build, Keep(), value, add(build, Winners(SQUARE), gain, drive))


APPLIES: dict[str, tuple[Rewrite, Write]] = {
    "a message of zeros": (
        zero_messages,
        lambda b: add(b, Add(), "x", add(b, Correlate(Geometry()), add(b, Zeros((2, 4, 4), "h")), "w")),
    ),
    "a diagonal of ones": (unit_diagonal, lambda b: add(b, DivChannel(), "x", add(b, Constant((1.0, 1.0))))),
    "a message computed twice": (
        share_equal_values,
        lambda b: add(b, Add(), add(b, Correlate(Geometry()), "x", "w"), add(b, Correlate(Geometry()), "x", "w")),
    ),
    "an nms update": (pool_groups, lambda b: nms(b, "x", SQUARE)),
    "a shift by channel": (shift_after_pool, lambda b: shifted_pool(b, SQUARE)),
    "feedback to an nms layer": (
        pool_before_add,
        lambda b: add(b, Take((2, 2)), drive_with_feedback(b), add(b, Winners(SQUARE), "x")),
    ),
    "winners under feedback": (
        pool_before_add,
        lambda b: add(b, Keep(), "x", add(b, Winners(SQUARE), drive_with_feedback(b))),
    ),
    "the winner's drive": (max_pool, lambda b: add(b, Take((2, 2)), "x", add(b, Winners(SQUARE), "x"))),
    "a replicated reading": (
        pool_groups,
        lambda b: add(b, SumWindows((2, 2)), add(b, Spread((2, 2)), "t", add(b, Winners(SQUARE), "x"))),
    ),
    "a wider reading": (
        pool_groups,
        lambda b: add(b, SumWindows((4, 4)), add(b, Spread((2, 2)), "t", add(b, Winners(SQUARE), "x"))),
    ),
    "a reading of kept values": (
        max_pool,
        lambda b: add(b, SumWindows((2, 2)), add(b, Keep(), "x", add(b, Winners(SQUARE), "x"))),
    ),
    "a bias": (fold_bias, lambda b: add(b, AddChannel(), add(b, Correlate(Geometry()), "x", "w"), "b")),
    "a diagonal": (fold_scale, lambda b: add(b, DivChannel(), add(b, Correlate(Geometry()), "x", "w", "b"), "d")),
}


def _bias_read_twice(build: Builder) -> str:
    message = add(build, Correlate(Geometry()), "x", "w")
    return add(build, Add(), message, add(build, AddChannel(), message, "b"))


def _scale_read_twice(build: Builder) -> str:
    message = add(build, Correlate(Geometry()), "x", "w")
    return add(build, Add(), message, add(build, DivChannel(), message, "d"))


JUST_OUTSIDE: dict[str, tuple[Rewrite, Write]] = {
    "a convolution of zeros with a bias": (
        zero_messages,
        lambda b: add(b, Add(), "x", add(b, Correlate(Geometry()), add(b, Zeros((2, 4, 4), "h")), "w", "b")),
    ),
    "a learned diagonal": (unit_diagonal, lambda b: add(b, DivChannel(), "x", "d")),
    "a diagonal that is one but for one channel": (
        unit_diagonal,
        lambda b: add(b, DivChannel(), "x", add(b, Constant((1.0, 1.0 + 1e-9)))),
    ),
    "different filters": (
        share_equal_values,
        lambda b: add(
            b, Add(), add(b, Correlate(Geometry()), "x", "w"), add(b, Correlate(Geometry(circular=True)), "x", "w")
        ),
    ),
    "a group of two channels": (pool_groups, lambda b: nms(b, "x", Group(2, 2, 2))),
    "nms of a plain drive": (pool_groups, lambda b: add(b, Keep(), "x", add(b, Winners(SQUARE), "x"))),
    "winners by gain": (pool_before_add, by_gain),
    "a shift of groups of two channels": (shift_after_pool, lambda b: shifted_pool(b, Group(2, 2, 2))),
    "a bias that its convolution takes": (
        shift_after_pool,
        lambda b: shifted_pool(b, SQUARE, add(b, Correlate(Geometry()), "x", "w")),
    ),
    "a shifted drive that something else reads": (shift_after_pool, shifted_and_read),
    "groups wider than the window of feedback": (
        pool_before_add,
        lambda b: add(b, Keep(), "x", add(b, Winners(Group(1, 4, 4)), drive_with_feedback(b))),
    ),
    "groups of two channels under feedback": (
        pool_before_add,
        lambda b: add(b, Keep(), "x", add(b, Winners(Group(2, 2, 2)), drive_with_feedback(b))),
    ),
    "a drive that something else reads": (pool_before_add, two_readers),
    "winners of another drive": (
        max_pool,
        lambda b: add(b, Take((2, 2)), "x", add(b, Winners(SQUARE), add(b, Rectify(), "x"))),
    ),
    "winners by gain read at pooled size": (
        max_pool,
        lambda b: add(b, Take((2, 2)), "x", add(b, Winners(SQUARE), "x", "x")),
    ),
    "a given layer": (max_pool, lambda b: add(b, SumWindows((2, 2)), "x")),
    "a reading across groups": (
        pool_groups,
        lambda b: add(b, SumWindows((1, 4)), add(b, Spread((2, 2)), "t", add(b, Winners(SQUARE), "x"))),
    ),
    "a bias on one of two uses": (fold_bias, _bias_read_twice),
    "a diagonal on one of two uses": (fold_scale, _scale_read_twice),
}


@pytest.mark.parametrize("case", APPLIES)
def test_applies(case: str) -> None:
    """The rewrite changes its own example, and keeps its value."""
    each, write = APPLIES[case]
    before = program(write)
    after = each(before)
    assert after != before
    same_value(before, after)


@pytest.mark.parametrize("case", JUST_OUTSIDE)
def test_just_outside(case: str) -> None:
    """Where a precondition fails by a little, the rewrite leaves the program alone."""
    each, write = JUST_OUTSIDE[case]
    before = program(write)
    assert each(before) == before


def same_value(before: Program, after: Program) -> None:
    random = np.random.default_rng(0)
    values = {v.name: random.normal(size=((3,) if v.type.batched else ()) + v.type.shape) for v in (X, T, W, B)}
    values["d"] = random.uniform(0.5, 2, (2,))
    assert np.allclose(interpret(before, values)["out"], interpret(after, values)["out"], atol=1e-12)


def test_a_broken_rewrite_is_named() -> None:
    """A RewriteError names the guilty rewrite."""

    def drops_everything(before: Program) -> Program:
        return replace(before, equations=())

    with pytest.raises(RewriteError, match="drops_everything"):
        rewrite(program(lambda b: nms(b, "x", SQUARE)), (drops_everything,))


@pytest.mark.parametrize(("of", "bottom", "top"), [("latents", 15, 14), ("forward", 15, 11)])
def test_messages_of_vgg16(of: str, bottom: int, top: int) -> None:
    """QP2 on VGG-16: 58 messages unrolled; every latent read 15 + 14, the paper's four heads 15 + 11."""
    _, graph = resolve("qp2_vgg16")
    plain = unroll(graph)
    assert messages(plain, "bottom") + messages(plain, "top") == 58
    made = getattr(programs(graph, Options()), of)
    assert (messages(made, "bottom"), messages(made, "top")) == (bottom, top)
    pooled = sum(isinstance(equation.op, MaxWindows) for equation in made.equations)
    assert pooled == 5
    assert not any(isinstance(equation.op, SumWindows | RepeatWindows) for equation in made.equations)
