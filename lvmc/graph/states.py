"""What outer feedback carries from step to step: states, the inputs that show them, and how heads change them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from lvmc.ir import Size, TensorType, Variable


@dataclass(frozen=True, slots=True)
class Rendering:
    """How an input shows a state. `canvas` is the input in whose pixels points are, `whole` its nominal size."""

    state: str
    how: Literal["gaussian", "map", "sigmoid"]
    canvas: str
    whole: Size
    extra: tuple[str, ...] = ()
    sigma: float = 1.0
    truncate: float | None = None
    scale: float = 1.0
    offset: float = 0.0


@dataclass(frozen=True, slots=True)
class Change:
    """How a step changes a state: a head's output, added or put in its place, times `scale`; bounded in training."""

    how: Literal["add", "set"]
    head: str
    output: str = ""
    limit: float | None = None
    each: bool = False
    scale: float = 1.0

    @property
    def key(self) -> str:
        """What the head's output is called: its name, or `<head>.<part>`."""
        return f"{self.head}.{self.output}" if self.output else self.head


@dataclass(frozen=True, slots=True)
class StateNode:
    """What is carried: points (K, 2), or a map (C, H, W) on the plane of the input `plane`.

    `init` is zeros, median, mean, or the path of a .npz file; all but zeros are held in the statistic `<name>.start`.
    """

    name: str
    shape: tuple[int, ...]
    plane: str
    init: str
    change: Change

    @property
    def is_map(self) -> bool:
        """Whether it is a map."""
        return len(self.shape) == 3

    @property
    def variable(self) -> Variable:
        """The state as a program is given it."""
        return Variable(self.name, TensorType(self.shape), "state")

    @property
    def start(self) -> str:
        """State name of the value that it starts from; empty where it starts at 0."""
        return "" if self.init == "zeros" else f"{self.name}.start"


@dataclass(frozen=True, slots=True)
class FeedbackNode:
    """The outer loop. `extra` are single points given from outside.

    With `untied`, `own` are the parameters of one step under the names that the layers give them: step t has them as
    `step<t>.<name>`. `common` are those that all steps share.
    """

    states: tuple[StateNode, ...]
    extra: tuple[str, ...]
    steps: int
    untied: bool
    through: bool
    stop: float | None
    own: tuple[Variable, ...] = ()
    common: tuple[Variable, ...] = ()

    @property
    def corrections(self) -> dict[str, StateNode]:
        """The states of points that a vector changes, by that head: it is trained towards what is missing."""
        return {each.change.head: each for each in self.states if not each.is_map and not each.change.output}

    @property
    def given(self) -> tuple[Variable, ...]:
        """What a step is given besides inputs and parameters."""
        points = (Variable(name, TensorType((2,)), "state") for name in self.extra)
        return (*(state.variable for state in self.states), *points)


def own_name(name: str, step: int) -> str:
    """The state name of a parameter that step `step`, counted from 1, has for itself: `step2.h1.weight`."""
    return f"step{step}.{name}"


_OWN = re.compile(r"step(\d+)\.")


def common_name(name: str) -> str:
    """The name that the layers give a parameter, of whichever step it is: `h1.weight` of `step2.h1.weight`."""
    return _OWN.sub("", name, 1) if step_of(name) else name


def step_of(name: str) -> int:
    """The step whose own a parameter is, counted from 1; 0 where all steps share it."""
    found = _OWN.match(name)
    return int(found[1]) if found else 0
