"""What a head is: its record in a spec, its parameters, its equations, and its loss."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from lvmc.ir import Builder, Origin, Size, TensorType, Variable
from lvmc.records import Positive, PositivePair, Record, pair_schema, shorten, shown, whole, wrong
from lvmc.values import keyed, listed


class Read(Record):
    """How a head reads a layer: an n × n filter; with `map`, a linear layer shaped to a coarse map of that size."""

    filter: PositivePair = (1, 1)
    map: PositivePair | None = None


def _reads(value: Any) -> Any:
    names = [value] if isinstance(value, str) else listed(value)
    if names and all(isinstance(name, str) for name in names):
        if len(set(names)) < len(names):
            raise wrong("a layer is read twice", "name each layer once")
        return {name: dict[str, Any]() for name in names}
    if entries := keyed(value):
        return {layer: {"filter": read} if whole(read) or listed(read) else read for layer, read in entries.items()}
    fault = f"should name the layers to read, not {shown(value)}"
    raise wrong(fault, "a layer, a list of layers, or {layer: filter size}")


def _short_reads(reads: dict[str, Read]) -> Any:
    if all(read == Read() for read in reads.values()):
        names = list(reads)
        return names[0] if len(names) == 1 else names
    return {
        name: read.model_dump(exclude_defaults=True) if read.map else shorten(read.filter)
        for name, read in reads.items()
    }


def _at(value: Any) -> Any:
    if value in ("last", "each") or (whole(value) and value >= 1):
        return value
    raise wrong(
        f"should be last, each or the number of a pass, not {shown(value)}",
        "write last, each, or a pass counted from 1",
    )


class Reading(NamedTuple):
    """A layer as a head sees it: the value at its pooled size, and the block plane and window that give that size."""

    layer: str
    value: str
    channels: int
    size: Size
    window: Size


class Canvas(NamedTuple):
    """The block whose size maps are brought to."""

    plane: str
    size: Size


class Fault(NamedTuple):
    """A mistake that only shows beside the rest of the spec: the path of its key, what is wrong, what to write.

    It is none where one of the keys that it `needs` could not be read.
    """

    path: tuple[str, ...]
    fault: str
    remedy: str
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Desk:
    """Where a head writes its equations: the builder, the head's name, a prefix of value names, and their origin."""

    build: Builder
    head: str
    tag: str
    origin: Origin

    def parameter(self, layer: str, leaf: str) -> str:
        """State name of a parameter of the readout of a layer."""
        return f"heads.{self.head}.{layer}.{leaf}"


READS_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"type": "string"}, "minItems": 1},
        {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"anyOf": [*pair_schema(1)["anyOf"], Read.model_json_schema()]},
        },
    ]
}


class HeadRecord(Record):
    """Keys that every kind of head has; `parts` are the names of its outputs, where it has several."""

    parts: ClassVar[tuple[str, ...]] = ()
    reads: Annotated[
        dict[str, Read], BeforeValidator(_reads), PlainSerializer(_short_reads), WithJsonSchema(READS_SCHEMA)
    ]
    at: Annotated[
        Literal["last", "each"] | int,
        BeforeValidator(_at),
        WithJsonSchema({"anyOf": [{"enum": ["last", "each"]}, {"type": "integer", "minimum": 1}]}),
    ] = "last"
    weight: Positive = 1.0

    @abstractmethod
    def reads_whole(self, layer: str) -> bool:
        """Whether the head reads the whole plane of a layer, which then cannot change size."""

    @abstractmethod
    def faults(self, readings: Sequence[Reading], canvas: Canvas) -> Iterator[Fault]:
        """Mistakes of this head given the layers it reads."""

    @abstractmethod
    def parameters(self, name: str, readings: Sequence[Reading]) -> Iterator[Variable]:
        """The head's parameters, named as in `state_dict`."""

    @abstractmethod
    def equations(self, desk: Desk, readings: Sequence[Reading], canvas: Canvas) -> str | Mapping[str, str]:
        """Add the head's equations; the name of its output, or of each by its part."""

    @abstractmethod
    def target(self, output: TensorType) -> TensorType:
        """Type of the targets that the loss takes, given the type of the (unstacked) output."""

    @abstractmethod
    def loss_equation(self, desk: Desk, output: str, target: str) -> str:
        """Add the loss; the name of its value, one number for the batch. Parts are `<output>.<part>`."""


class Sampled(HeadRecord):
    """A head whose loss takes random samples, the variable `samples.<head>`, drawn anew for every batch."""

    @abstractmethod
    def draws(self) -> TensorType | None:
        """Type of the samples; None where the loss takes none."""
