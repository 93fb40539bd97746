"""Calls on a GPU as CUDA graphs: many small kernels started at once instead of one by one.

Inference only. A captured backward pass hands out the same gradient buffers every time, so gradients accumulated
over micro-batches come out wrong without a word (pytorch/pytorch#181723); a training step therefore runs eagerly.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from lvmc.runtime.graph_cache import Outputs, Recording

WARM_UPS = 3
"""Runs before a capture: libraries choose kernels and make their workspaces in the first ones."""


@dataclass(frozen=True, slots=True)
class CudaGraph:
    """A captured call."""

    graph: torch.cuda.CUDAGraph
    outputs: Outputs

    def replay(self) -> None:
        """Start all its kernels on the current stream."""
        self.graph.replay()


class CudaRecorder:
    """Captures the calls of one model.

    Its graphs share one memory pool: they never run at the same time (`follow`), their inputs lie outside it, and
    their outputs are copied out before the next one runs.
    """

    def __init__(self) -> None:
        self._sides: dict[torch.device, torch.cuda.Stream] = {}
        self._last: torch.cuda.Stream | None = None

    @property
    def device(self) -> str:
        """CUDA, ROCm included."""
        return "cuda"

    def free(self) -> bool:
        """Whether the user is not capturing a graph of their own; then the call becomes part of it."""
        import torch

        return not torch.cuda.is_current_stream_capturing()

    def follow(self, device: torch.device) -> None:
        """Let the current stream wait for the last replay, if that was on another one."""
        import torch

        current = torch.cuda.current_stream(device)
        if self._last is not None and self._last != current:
            current.wait_stream(self._last)
        self._last = current

    def record(self, run: Callable[[], Outputs], device: torch.device, beside: Recording | None) -> CudaGraph:
        """Warm up and capture on a side stream, always the same one, as sharing a pool asks for."""
        import torch

        with torch.cuda.device(device):
            if device not in self._sides:
                self._sides[device] = torch.cuda.Stream(device)
            side = self._sides[device]
            current = torch.cuda.current_stream(device)
            side.wait_stream(current)
            with torch.cuda.stream(side):
                for _ in range(WARM_UPS):
                    run()
            current.wait_stream(side)
            graph = torch.cuda.CUDAGraph()
            pool = beside.graph.pool() if isinstance(beside, CudaGraph) else None
            # Other threads (data loaders that pin memory) may go on allocating meanwhile.
            with torch.cuda.graph(graph, pool=pool, stream=side, capture_error_mode="thread_local"):
                outputs = run()
        return CudaGraph(graph, outputs)

    def settle(self) -> None:
        """Wait for the stream of the last replay."""
        if self._last is not None:
            self._last.synchronize()
