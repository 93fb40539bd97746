"""A conditional density p(y | x) of numbers y: an energy f(x, y), or one of the families it is compared with.

Gustafsson, Danelljan, Bhat & Schön, Learning deep conditional target densities for accurate regression (2019).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from lvmc.heads.head import Canvas, Desk, Fault, Reading, Sampled
from lvmc.heads.perceptron import Activation, Perceptrons
from lvmc.heads.planes import Pool, filter_faults, plane_equations, plane_parameters
from lvmc.ir import TensorType, Variable
from lvmc.ir.ops import (
    Add,
    BinsLog,
    BinsMean,
    BinsPenalty,
    Candidates,
    FamilyLog,
    ImportanceLoss,
    Leading,
    MinusMean,
)
from lvmc.records import Count, Natural, Nonnegative, Record, number, shown, whole, wrong
from lvmc.values import listed


def _widths(value: Any) -> tuple[int, ...]:
    several = listed(value)
    if several is None or not all(whole(each) and 1 <= each <= 10**9 for each in several):
        raise wrong(f"should be a list of widths of at least 1, not {shown(value)}", "for example [10, 10]")
    return tuple(several)


def _lengths(value: Any) -> tuple[float, ...]:
    several = [value] if number(value) else listed(value)
    if not several or not all(number(each) and each > 0 for each in several):
        fault = f"should be a number above 0, or a list of them, one a coordinate, not {shown(value)}"
        raise wrong(fault, "for example 0.1, or [0.1, 0.4]")
    return tuple(map(float, several))


def _sigmas(value: Any) -> tuple[tuple[float, ...], ...]:
    several = listed(value)
    if not several:
        fault = f"should be a list of standard deviations, one a Gaussian of the proposals, not {shown(value)}"
        raise wrong(fault, "for example [0.1, 0.8]; [0.1, [0.8, 2.0]] gives each coordinate its own")
    return tuple(map(_lengths, several))


def _decay(value: Any) -> float:
    if not number(value) or not 0 < value <= 1:
        raise wrong(f"should be a number above 0 and at most 1, not {shown(value)}", "for example 0.5")
    return float(value)


def _range(value: Any) -> tuple[float, float]:
    ends = listed(value)
    if ends is None or len(ends) != 2 or not all(map(number, ends)) or not ends[0] < ends[1]:
        raise wrong(f"should be two numbers, the lower first, not {shown(value)}", "for example range: [0, 100]")
    return (float(ends[0]), float(ends[1]))


def _short(lengths: tuple[float, ...]) -> Any:
    return lengths[0] if len(lengths) == 1 else list(lengths)


def _short_sigmas(sigmas: tuple[tuple[float, ...], ...]) -> Any:
    return [_short(sigma) for sigma in sigmas]


_POSITIVE: dict[str, Any] = {"type": "number", "exclusiveMinimum": 0}
_LENGTHS: dict[str, Any] = {"anyOf": [_POSITIVE, {"type": "array", "items": _POSITIVE, "minItems": 1}]}
Widths = Annotated[
    tuple[int, ...],
    BeforeValidator(_widths),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"type": "integer", "minimum": 1}}),
]
Lengths = Annotated[tuple[float, ...], BeforeValidator(_lengths), PlainSerializer(_short), WithJsonSchema(_LENGTHS)]
Sigmas = Annotated[
    tuple[tuple[float, ...], ...],
    BeforeValidator(_sigmas),
    PlainSerializer(_short_sigmas),
    WithJsonSchema({"type": "array", "items": _LENGTHS, "minItems": 1}),
]
Range = Annotated[
    tuple[float, float],
    BeforeValidator(_range),
    PlainSerializer(list),
    WithJsonSchema({"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}),
]
Decay = Annotated[
    float, BeforeValidator(_decay), WithJsonSchema({"type": "number", "exclusiveMinimum": 0, "maximum": 1})
]

ENERGY = ("target", "joint", "activation", "samples", "sigmas", "range", "refine")
BINS = ("bins", "range", "l2", "variance")


class Refine(Record):
    """Gradient ascent from candidates: T steps of λ, a coordinate's own where a list, times η where f does not rise."""

    steps: Natural = 10
    step: Lengths = (0.1,)
    decay: Decay = 0.5


class Density(Sampled):
    """p(y | x) of `dims` numbers y."""

    kind: Literal["density"]
    model: Literal["energy", "gaussian", "laplace", "softmax"] = "energy"
    dims: Count
    pool: Pool = None
    target_: Annotated[Widths, Field(alias="target")] = (10, 10)
    joint: Widths = (10, 10)
    activation: Activation = "relu"
    samples: Count = 128
    sigmas: Sigmas = ()
    refine: Refine = Refine()
    bins: Count | None = None
    range: Range | None = None
    l2: Nonnegative = 0.0
    variance: Nonnegative = 0.0
    loss: Literal["nll"] = "nll"

    @property
    def perceptrons(self) -> Perceptrons:
        """The two of an energy."""
        return Perceptrons(self.dims, self.target_, self.joint, self.activation)

    @property
    def outputs(self) -> int:
        """How many numbers a call gives: features of the joint perceptron, or parameters of the family."""
        match self.model:
            case "energy":
                return self.joint[0]
            case "softmax":
                return self.dims * (self.bins or 1)
            case _:
                return 2 * self.dims

    @property
    def deviations(self) -> tuple[tuple[float, ...], ...]:
        """σ of every Gaussian of the proposals: one for all coordinates, or (in all of them) one a coordinate."""
        if all(len(sigma) == 1 for sigma in self.sigmas):
            return self.sigmas
        return tuple(sigma * self.dims if len(sigma) == 1 else sigma for sigma in self.sigmas)

    def reads_whole(self, layer: str) -> bool:
        """The filter is the plane, unless its mean is read."""
        return self.pool is None

    def faults(self, readings: Sequence[Reading], canvas: Canvas) -> Iterator[Fault]:
        """Keys of other models, missing ones, lengths that are not one a coordinate, and layers whose names clash."""
        yield from filter_faults(self.reads, readings)
        yield from self._foreign_keys()
        if self.model == "energy":
            yield from self._energy_faults(readings)
        if self.model == "softmax" and (self.bins is None or self.range is None):
            missing = " and ".join(f"'{key}'" for key in ("bins", "range") if getattr(self, key) is None)
            yield Fault(
                ("model",),
                f"model: softmax needs {missing}",
                "for example bins: 101, range: [-0.5, 100.5]",
                ("bins", "range"),
            )

    def parameters(self, name: str, readings: Sequence[Reading]) -> Iterator[Variable]:
        """Those of the readout, and of an energy's perceptrons."""
        if self.model == "energy":
            yield from self.perceptrons.parameters(name, readings, self.pool)
        else:
            yield from plane_parameters(name, readings, self.outputs, self.pool)

    def equations(self, desk: Desk, readings: Sequence[Reading], canvas: Canvas) -> str:
        """Features of an energy's first joint layer, or parameters of the family: (outputs,)."""
        return plane_equations(desk, readings, self.outputs, self.pool)

    def target(self, output: TensorType) -> TensorType:
        """(dims,): the numbers y."""
        return TensorType((self.dims,))

    def draws(self) -> TensorType | None:
        """(samples, dims) of an energy."""
        return TensorType((self.samples, self.dims)) if self.model == "energy" else None

    def value(self, desk: Desk, given: str, y: str) -> str:
        """f(x, y) of an energy, log p(y | x) of a family, at every candidate y (M, dims): (M,)."""
        match self.model:
            case "energy":
                return self.perceptrons.value(desk, given, y)
            case "softmax":
                op = BinsLog(*self._bins())
            case _:
                op = FamilyLog(self.model)
        return desk.build.add(op, given, y, name=f"{desk.tag}_value", origin=desk.origin)

    def mean(self, desk: Desk, given: str) -> str:
        """The mean of a family, (dims,)."""
        op = BinsMean(*self._bins()) if self.model == "softmax" else Leading(self.dims)
        return desk.build.add(op, given, name=f"{desk.tag}_mean", origin=desk.origin)

    def loss_equation(self, desk: Desk, output: str, target: str) -> str:
        """Negative log-likelihood: of an energy by importance sampling, with `samples.<head>` around the targets."""
        samples = [f"samples.{desk.head}"] if self.model == "energy" else []
        y = desk.build.add(Candidates(), target, *samples, name=f"{desk.tag}_candidates", origin=desk.origin)
        value = self.value(desk, output, y)
        if samples:
            return desk.build.add(
                ImportanceLoss(self.deviations), value, y, name=f"{desk.tag}_loss", origin=desk.origin
            )
        loss = desk.build.add(MinusMean(), value, name=f"{desk.tag}_nll", origin=desk.origin)
        if self.l2 == self.variance == 0.0:
            return loss
        op = BinsPenalty(*self._bins(), self.l2, self.variance)
        more = desk.build.add(op, output, target, name=f"{desk.tag}_penalty", origin=desk.origin)
        return desk.build.add(Add(), loss, more, name=f"{desk.tag}_loss", origin=desk.origin)

    def _bins(self) -> tuple[int, float, float]:
        assert self.bins is not None
        assert self.range is not None
        return (self.bins, *self.range)

    def _foreign_keys(self) -> Iterator[Fault]:
        keys = {"energy": ENERGY, "softmax": BINS}
        for key in dict.fromkeys((*ENERGY, *BINS)):
            given = key in self.model_fields_set or f"{key}_" in self.model_fields_set
            if given and key not in keys.get(self.model, ()):
                owner = " or ".join(model for model, own in keys.items() if key in own)
                fault = f"'{key}' belongs to model: {owner}, and this head is model: {self.model}"
                yield Fault((key,), fault, f"leave '{key}' out, or write model: {owner}", ("model",))

    def _energy_faults(self, readings: Sequence[Reading]) -> Iterator[Fault]:
        if not self.joint:
            yield Fault(
                ("joint",),
                "the joint perceptron needs a layer, where features and target meet",
                "for example joint: [10]",
            )
        if not self.sigmas:
            remedy = "write about how far errors go, for example sigmas: [0.1, 0.8]"
            yield Fault(
                (), "model: energy needs 'sigmas', the deviations of its proposals", remedy, ("model", "sigmas")
            )
        for path, several in ((("sigmas",), self.sigmas), (("refine", "step"), (self.refine.step,))):
            for lengths in several:
                if len(lengths) not in (1, self.dims):
                    fault = f"{len(lengths)} numbers for {self.dims} coordinate{'' if self.dims == 1 else 's'}"
                    yield Fault(path, fault, "write one number for all, or one a coordinate", ("dims",))
        for reading in readings:
            if reading.layer in self.perceptrons.names:
                fault = f"'{reading.layer}' is also what this head calls a layer of its own"
                yield Fault(("reads", reading.layer), fault, "give the layer that is read another name")
