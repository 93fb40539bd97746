"""A whole spec: its sections, and the inference that unrolls it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from lvmc.heads import Head
from lvmc.records import Record, Text, shown, whole, wrong
from lvmc.spec.feedback import Feedback, State
from lvmc.spec.inference import Inference
from lvmc.spec.inputs import AnyInput, SharedFilter
from lvmc.spec.layers import Layer
from lvmc.spec.train import Train


def _version(value: Any) -> Any:
    if whole(value) and value == 1:
        return value
    raise wrong(f"this is language version 1, not {shown(value)}", "write lvmc: 1")


class Spec(Record):
    """A score over latent variables, how to maximise it, and what to read off the maximiser."""

    lvmc: Annotated[Literal[1], BeforeValidator(_version), WithJsonSchema({"const": 1})]
    name: str
    description: Text = ""
    inputs: dict[str, AnyInput] = Field(default_factory=dict[str, AnyInput])
    filters: dict[str, SharedFilter] = Field(default_factory=dict[str, SharedFilter])
    layers: Annotated[dict[str, Layer], Field(min_length=1)]
    inference: Inference = Inference()
    heads: dict[str, Head] = Field(default_factory=dict[str, Head])
    state: dict[str, State] = Field(default_factory=dict[str, State])
    feedback: Feedback | None = None
    train: Train | None = None
