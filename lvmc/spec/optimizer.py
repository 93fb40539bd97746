"""How `train` steps: the optimiser, and how its rate changes over the epochs."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from lvmc.records import Nonnegative, Positive, Record, nearest, number, shown, whole, wrong
from lvmc.values import keyed, listed

SCHEDULES = ("constant", "one-cycle", "cosine")


def _momentum(value: Any) -> float:
    if not number(value) or not 0 <= value < 1:
        raise wrong(f"should be a number from 0 to below 1, not {shown(value)}", "for example 0.9")
    return float(value)


Momentum = Annotated[
    float,
    BeforeValidator(_momentum),
    WithJsonSchema({"type": "number", "minimum": 0, "exclusiveMaximum": 1}),
]


class Adam(Record):
    """AdamW; `decay` is decoupled from the gradient."""

    kind: Literal["adam"] = "adam"
    rate: Positive = 3e-3
    decay: Nonnegative = 1e-4


class Sgd(Record):
    """Stochastic gradient descent with momentum, as in the papers."""

    kind: Literal["sgd"] = "sgd"
    rate: Positive = 1e-2
    momentum: Momentum = 0.9
    decay: Nonnegative = 5e-4


OPTIMIZERS: dict[str, type[Record]] = {"adam": Adam, "sgd": Sgd}


def long_optimizer(value: Any) -> Any:
    """The mapping that a short form stands for."""
    if isinstance(value, Record):
        return value
    if (entries := keyed(value)) is not None:
        return {"kind": "adam"} | entries
    if isinstance(value, str) and value in OPTIMIZERS:
        return {"kind": value}
    remedy = "write adam, sgd or {kind: sgd, rate: 0.01}"
    if isinstance(value, str):
        raise wrong(f"no optimiser is called {shown(value)}", remedy)
    raise wrong(f"should be an optimiser, not {shown(value)}", remedy)


def _short_optimizer(optimizer: Adam | Sgd) -> Any:
    values = {"kind": optimizer.kind} | optimizer.model_dump(exclude_defaults=True)
    return values["kind"] if len(values) == 1 else values


Optimizer = Annotated[
    Annotated[Adam | Sgd, Field(discriminator="kind")],
    BeforeValidator(long_optimizer, json_schema_input_type=Literal["adam", "sgd"] | Adam | Sgd),
    PlainSerializer(_short_optimizer),
]


def _epochs(value: Any) -> tuple[int, ...]:
    several = listed(value)
    if not several or not all(whole(each) and each >= 1 for each in several):
        raise wrong(f"should be a list of epochs from 1, not {shown(value)}", "for example [20, 30]")
    if sorted(set(several)) != several:
        raise wrong(f"should name later epochs one after the other, not {shown(value)}", "for example [20, 30]")
    return tuple(several)


Epochs = Annotated[
    tuple[int, ...],
    BeforeValidator(_epochs),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1}),
]


class Steps(Record):
    """The rate times `factor` at the end of each of these epochs."""

    steps: Epochs
    factor: Positive = 0.1


def _schedule(value: Any) -> Any:
    if isinstance(value, Steps) or keyed(value) is not None or (isinstance(value, str) and value in SCHEDULES):
        return value
    steps = "{steps: [20, 30], factor: 0.1}"
    if isinstance(value, str):
        raise wrong(f"no schedule is called {shown(value)}", f"{nearest(value, SCHEDULES)}; or write {steps}")
    raise wrong(f"should be a schedule, not {shown(value)}", f"write constant, one-cycle, cosine or {steps}")


Schedule = Annotated[Literal["constant", "one-cycle", "cosine"] | Steps, BeforeValidator(_schedule)]
