"""The language as frozen records."""

from lvmc.spec.inference import Inference, Until
from lvmc.spec.inits import Normal, ParameterInit
from lvmc.spec.inputs import Input, Normalize, RenderedInput, SharedFilter
from lvmc.spec.layers import Coupling, Layer, Nms, Norm
from lvmc.spec.model import Spec
from lvmc.spec.read import Parsed, read_spec
from lvmc.spec.train import Train
from lvmc.spec.write import dump, json_schema

__all__ = [
    "Coupling", "Inference", "Input", "Layer", "Nms", "Norm", "Normal", "Normalize", "ParameterInit", "Parsed",
    "RenderedInput", "SharedFilter", "Spec", "Train", "Until", "dump", "json_schema", "read_spec",
]  # fmt: skip
