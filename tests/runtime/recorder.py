"""A recorder without a device: it does what a CUDA graph does to memory, by running the work again."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

import lvmc
from lvmc.runtime.backends import Runner
from lvmc.runtime.cuda_graphs import WARM_UPS

if TYPE_CHECKING:
    from lvmc.runtime.graph_cache import Outputs, Recording
    from lvmc.runtime.module import Model

SPEC: dict[str, Any] = {
    "lvmc": 1, "name": "net", "inputs": {"x": {"channels": 1, "size": 8}},
    "layers": {"h1": {"channels": 2, "filter": 3, "nms": 2}, "h2": {"channels": 3, "filter": 3}},
    "heads": {"points": {"kind": "heatmap", "channels": 2, "reads": ["h2", "h1"]}},
}  # fmt: skip


class FakeRecording:
    """Every replay writes the same outputs again, in the state that the recording was made in."""

    def __init__(self, run: Callable[[], Outputs], made: FakeRecorder) -> None:
        self.run, self.made = run, made
        self.autocast = torch.is_autocast_enabled("cpu"), torch.get_autocast_dtype("cpu")
        self.outputs: Outputs = run()
        for output in tensors(self.outputs):
            output.fill_(torch.nan)  # a capture computes nothing

    def replay(self) -> None:
        self.made.replays += 1
        enabled, kind = self.autocast
        with torch.inference_mode(False), torch.no_grad(), torch.autocast("cpu", kind, enabled, cache_enabled=False):
            again = self.run()
        for output, value in zip(tensors(self.outputs), tensors(again), strict=True):
            output.copy_(value)


class FakeRecorder:
    """Counts what it was asked for."""

    device = "cpu"

    def __init__(self) -> None:
        self.records = self.replays = self.settled = 0
        self.taken, self.failure = False, ""

    def free(self) -> bool:
        return not self.taken

    def follow(self, device: torch.device) -> None:
        assert device.type == "cpu"

    def record(self, run: Callable[[], Outputs], device: torch.device, beside: Recording | None) -> FakeRecording:
        assert not torch.is_inference_mode_enabled()
        assert not torch.is_grad_enabled()
        assert not torch.is_autocast_cache_enabled()  # a cast of the weights from before would be recorded as it is
        if self.failure:
            raise RuntimeError(self.failure)
        for _ in range(WARM_UPS):
            run()
        self.records += 1
        return FakeRecording(run, self)

    def settle(self) -> None:
        self.settled += 1


def tensors(outputs: Outputs) -> list[Tensor]:
    return list(outputs.values()) if isinstance(outputs, dict) else [outputs]


def graphed(spec: Any = SPEC, **options: Any) -> tuple[Model, Model, FakeRecorder]:
    """A model whose calls are recorded by a fake, the same one as emitted, and the fake."""
    model, plain = lvmc.compile(spec, backend="cudagraph", **options), lvmc.compile(spec, backend="eager", **options)
    recorder = FakeRecorder()
    model.__dict__["_lvmc_runner"] = Runner("cudagraph", recorder)
    return model.eval(), plain.eval(), recorder


UNTIL: dict[str, Any] = SPEC | {
    "inference": {"until": {"residual": 0.001}},
    "layers": {name: {**layer, "diagonal": 9.0} for name, layer in SPEC["layers"].items()},
}
"""Its passes converge, whatever they start from."""


def same(found: Outputs, meant: Outputs) -> bool:
    return all(torch.equal(a, b) for a, b in zip(tensors(found), tensors(meant), strict=True))
