"""How the methods of a live module are carried out: as emitted, compiled by Inductor, or replayed as CUDA graphs."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, get_args

from lvmc.runtime.cuda_graphs import CudaRecorder
from lvmc.runtime.graph_cache import Call, GraphCache, NotRecorded, Recorder, recordable, weights_of

if TYPE_CHECKING:
    from lvmc.runtime.graph_cache import Outputs

Backend = Literal["eager", "inductor", "cudagraph"]

BACKENDS: tuple[Backend, ...] = get_args(Backend)
MAX_GRAPHS = 8
"""CUDA graphs held for a model, unless `model.max_graphs` says otherwise."""

_REMEDIES = {
    "InvalidCxxCompiler": "Install g++ or clang++, or name one in the environment variable CXX.",
    "TritonMissing": "Install triton (pip install triton), which Inductor needs on a GPU.",
    "OutOfMemoryError": "Use smaller batches, or keep fewer graphs (model.max_graphs).",
}
_OTHERWISE = "backend='eager' does without it, and without this warning; `lvmc doctor` says what works here."


def check_backend(name: str | None) -> Backend | None:
    """The name, if it is a backend's; ValueError otherwise."""
    for backend in BACKENDS:
        if name == backend:
            return backend
    if name is None:
        return None
    raise ValueError(f"backend: {', '.join(map(repr, BACKENDS))}, or None for the device's default, not {name!r}")


class Runner:
    """Carries out the methods of one model; copies and pickles of it start afresh.

    Args:
        backend: None for CUDA graphs on a GPU, and as emitted elsewhere.
        recorder: Of device work.
    """

    def __init__(self, backend: Backend | None, recorder: Recorder | None = None) -> None:
        self.backend: Backend | None = backend
        self.graphs = GraphCache(recorder or CudaRecorder())
        self._compiled: dict[str, Callable[..., Outputs]] = {}
        self._given_up: set[str] = set()

    def __reduce__(self) -> tuple[type[Runner], tuple[Backend | None]]:
        return Runner, (self.backend,)

    def run(self, call: Call, max_graphs: int = MAX_GRAPHS) -> Outputs:
        """The outputs of a call; a mistake in it raises as in the emitted method."""
        if call.name in self._given_up or self.backend == "eager":
            return call.run()
        if self.backend == "inductor":
            return call.run() if _looked_on() else self._run_compiled(call)
        return self._run_graphed(call, max_graphs)

    def _run_compiled(self, call: Call) -> Outputs:
        try:
            return self._method(call)(call.model, *call.args, **call.kwargs)
        except Exception as error:
            reason, remedy = _said(error)
        out = call.run()  # what is wrong with the call itself raises here
        self._give_up(call, "inductor", reason, remedy)
        return out

    def _method(self, call: Call) -> Callable[..., Outputs]:
        """A method compiled for any sizes: for fixed ones at first, for ranges as soon as sizes change."""
        import torch

        if call.name not in self._compiled:
            # looked up by name: the declared type of torch.compile is partly open
            compile_method: Callable[..., Callable[..., Outputs]] = vars(torch)["compile"]
            self._compiled[call.name] = compile_method(call.method, dynamic=None)
        return self._compiled[call.name]

    def _run_graphed(self, call: Call, max_graphs: int) -> Outputs:
        tensors = call.tensors()
        here = self.graphs.recorder.device
        if any(tensor.device.type != here for tensor in tensors):
            self._warn_of_place(call, here)
            return call.run()
        if _settles(call):
            self._warn_of_settling(call)
            return call.run()
        if _looked_on():
            return call.run()
        weights = weights_of(call.model)
        devices = {tensor.device for tensor in tensors} | weights.devices
        if {device.type for device in devices} != {here}:
            self._warn_of_place(call, here)
            return call.run()
        if len(devices) > 1 or not recordable(tensors, weights) or not self.graphs.recorder.free():
            return call.run()
        try:
            return self.graphs.run(call, weights, max_graphs)
        except NotRecorded as error:
            reason, remedy = _said(error.__cause__ or error)
        out = call.run()
        self._give_up(call, "cudagraph", reason, remedy)
        return out

    def _warn_of_place(self, call: Call, here: str) -> None:
        """Once, and not for good: the model may move to a GPU later."""
        if self.backend == "cudagraph" and here not in self._given_up:
            self._given_up.add(here)
            name = type(call.model).__name__
            _warn(
                f"{name} runs eagerly: backend='cudagraph' needs the model and its inputs on a CUDA device. "
                "Move both there with .to('cuda'); backend='inductor' works on the CPU."
            )

    def _warn_of_settling(self, call: Call) -> None:
        if self.backend == "cudagraph" and "settling" not in self._given_up:
            self._given_up.add("settling")
            _warn(
                f"{type(call.model).__name__} runs eagerly: backend='cudagraph' replays a fixed number of passes, but "
                "how many this model takes shows only when it runs. Compile it with passes=k, or backend='inductor'."
            )

    def _give_up(self, call: Call, backend: Backend, reason: str, remedy: str) -> None:
        self._given_up.add(call.name)
        self._compiled.pop(call.name, None)
        name = type(call.model).__name__
        _warn(f"{name}.{call.name} runs eagerly from now on: backend={backend!r} failed with {reason}. {remedy}")


def _warn(text: str) -> None:
    warnings.warn(text, UserWarning, stacklevel=6)


def _settles(call: Call) -> bool:
    """Whether a method looks at its values to see if it is done, and notes in the model how it went."""
    if call.name not in ("forward", "latents"):
        return False
    return hasattr(type(call.model), "_settle") or (hasattr(type(call.model), "_start") and _stops(call))


def _stops(call: Call) -> bool:
    """Whether steps of outer feedback may end early."""
    from inspect import signature

    return call.kwargs.get("stop", signature(call.method).parameters["stop"].default) != 0.0


def _said(error: BaseException) -> tuple[str, str]:
    """The first line of what went wrong, and what to do."""
    inner = getattr(error, "inner_exception", None)
    cause = inner if isinstance(inner, BaseException) else error
    first = next(iter(str(cause).strip().splitlines()), "")
    kind = type(cause).__name__
    return f"{kind}: {first}".rstrip(": .")[:300], _REMEDIES.get(kind, _OTHERWISE)


def _looked_on() -> bool:
    """Whether a tracer, a dispatch mode, torch.func or forward-mode differentiation needs to see each operation."""
    import torch
    from torch.autograd import forward_ad as forward

    inner: Any = torch._C  # pyright: ignore[reportPrivateUsage]  # torch answers most of these in private only
    return (
        torch.compiler.is_compiling()
        or inner._get_tracing_state() is not None
        or inner._functorch.peek_interpreter_stack() is not None
        or inner._len_torch_dispatch_stack() > 0
        or forward.__dict__["_current_level"] >= 0
    )
