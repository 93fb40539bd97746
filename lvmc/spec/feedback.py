"""The `state` and `feedback` sections: what a model carries from step to step, and how each step changes it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from lvmc.records import Count, Positive, PositivePair, Record, nullable, shown, wrong

NPZ = ".npz"

_STARTS = ("zeros", "median", "mean")


def _start(value: Any) -> str:
    if isinstance(value, str) and (value in _STARTS or value.endswith(NPZ)):
        return value
    fault = f"should be zeros, median, mean or a {NPZ} file, not {shown(value)}"
    raise wrong(fault, "write zeros, median, mean, or for example start.npz")


Start = Annotated[
    str,
    BeforeValidator(_start),
    WithJsonSchema({"anyOf": [{"enum": list(_STARTS)}, {"type": "string", "pattern": r"\.npz$"}]}),
]


def _head(value: Any) -> str:
    if isinstance(value, str) and value:
        return value
    raise wrong(f"should name a head, not {shown(value)}", "for example correction, or pose.belief")


HeadOutput = Annotated[str, BeforeValidator(_head), WithJsonSchema({"type": "string"})]


class State(Record):
    """What is carried: `points` (x, y in pixels of the first plain input), or a map of `channels` planes."""

    points: Count | None = None
    channels: Count | None = None
    size: PositivePair | None = None
    init: Start = "zeros"


class Update(Record):
    """How a step changes a state: `add` a head's output times `scale`, or `set` the state to it.

    In training what is added is no longer than `bound`: of each point's vector, or of `each` number.
    """

    add: Annotated[HeadOutput | None, WithJsonSchema(nullable({"type": "string"}))] = None
    set: Annotated[HeadOutput | None, WithJsonSchema(nullable({"type": "string"}))] = None
    bound: Positive | None = None
    norm: Literal["vector", "each"] = "vector"
    scale: Positive = 1.0


class Feedback(Record):
    """The outer loop: what is updated, how many steps, whether they share weights, how gradients flow between them."""

    update: Annotated[dict[str, Update], Field(min_length=1)]
    steps: Count = 3
    tying: Literal["tied", "untied"] = "tied"
    gradient: Literal["through", "stopped"] = "through"
    stop: Positive | None = None
