"""How parameters start: `he`, `zeros`, `{normal: 0.01}`, and `{weight: …, bias: …}` for a layer."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from lvmc.records import Nonnegative, Record, nullable, shown, wrong
from lvmc.values import keyed

SAFETENSORS = ".safetensors"


class Normal(Record):
    """Normal with mean 0 and this standard deviation."""

    normal: Nonnegative


_RULE_SCHEMA: dict[str, Any] = {
    "anyOf": [
        {"enum": ["he", "zeros"]},
        {
            "type": "object",
            "properties": {"normal": {"type": "number", "minimum": 0}},
            "required": ["normal"],
            "additionalProperties": False,
        },
    ]
}


def _rule(value: Any) -> Any:
    if value in ("he", "zeros") or isinstance(value, Normal) or set(keyed(value) or ()) == {"normal"}:
        return value
    raise wrong(f"no way to initialise is called {shown(value)}", "write he, zeros or {normal: 0.01}")


ParameterInit = Annotated[Literal["he", "zeros"] | Normal, BeforeValidator(_rule), WithJsonSchema(_RULE_SCHEMA)]


def _weights_file(value: Any) -> str:
    if isinstance(value, str) and value.endswith(SAFETENSORS):
        return value
    raise wrong(f"should name a {SAFETENSORS} file, not {shown(value)}", f"for example weights{SAFETENSORS}")


_FILE_SCHEMA: dict[str, Any] = {"type": "string", "pattern": r"\.safetensors$"}
WeightsFile = Annotated[str, BeforeValidator(_weights_file), WithJsonSchema(_FILE_SCHEMA)]


class LayerInit(Record):
    """Initialisation of a layer's filters and bias; from a `file`, of all that it holds of the layer."""

    weight: ParameterInit = "he"
    bias: ParameterInit = "zeros"
    file: WeightsFile | None = None


def _layer_init(value: Any) -> Any:
    entries = keyed(value)
    if isinstance(value, LayerInit) or (entries is not None and set(entries) != {"normal"}):
        return value
    if isinstance(value, str) and value.endswith(SAFETENSORS):
        return {"file": value}
    if isinstance(value, str) and value not in ("he", "zeros"):
        fault = f"no way to initialise is called {shown(value)}"
        raise wrong(fault, f"write he, zeros, {{normal: 0.01}}, or a {SAFETENSORS} file")
    return {"weight": value}


def _short(init: LayerInit) -> Any:
    if init.file is not None:
        values = init.model_dump(exclude_defaults=True)
        return init.file if set(values) == {"file"} else values
    shown_weight = init.weight if isinstance(init.weight, str) else init.weight.model_dump()
    shown_bias = init.bias if isinstance(init.bias, str) else init.bias.model_dump()
    return shown_weight if shown_bias == "zeros" else {"weight": shown_weight, "bias": shown_bias}


_LAYER_SCHEMA: dict[str, Any] = {
    "anyOf": [
        *_RULE_SCHEMA["anyOf"],
        _FILE_SCHEMA,
        {
            "type": "object",
            "properties": {"weight": _RULE_SCHEMA, "bias": _RULE_SCHEMA, "file": nullable(_FILE_SCHEMA)},
            "additionalProperties": False,
        },
    ]
}

LayerInitField = Annotated[
    LayerInit, BeforeValidator(_layer_init), PlainSerializer(_short), WithJsonSchema(_LAYER_SCHEMA)
]
