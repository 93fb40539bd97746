"""Recorded calls of one model: which are held, when two calls are alike, and copies on the way in and out.

A recording repeats the same work on the same memory: it reads the inputs where they lay and the weights where they
lie, and writes the outputs where they lay. So inputs are copied in, outputs are copied out, and every recording is
dropped as soon as one weight lies elsewhere. Changes of weights in place are seen by the next replay.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    Outputs = Tensor | dict[str, Tensor]

SEEN = 64
"""How many kinds of calls are remembered as having come once."""


class NotRecorded(Exception):  # noqa: N818  # a state of affairs, not the user's error
    """The device refused to record a call that runs eagerly."""


class Recording(Protocol):
    """Work done again by `replay`, which overwrites `outputs`."""

    @property
    def outputs(self) -> Outputs: ...

    def replay(self) -> None: ...


class Recorder(Protocol):
    """What can record a device's work."""

    @property
    def device(self) -> str:
        """The kind of device, as `torch.device.type`."""
        ...

    def free(self) -> bool:
        """Whether nothing else is recording this thread's work."""
        ...

    def follow(self, device: torch.device) -> None:
        """Order what comes behind the last replay, on whatever stream that was."""
        ...

    def record(self, run: Callable[[], Outputs], device: torch.device, beside: Recording | None) -> Recording:
        """Warm up and record; memory may be shared with a recording that never runs at the same time."""
        ...

    def settle(self) -> None:
        """Wait until no replay runs any more: recordings are about to go."""
        ...


@dataclass(frozen=True, slots=True)
class Weights:
    """What a recording takes for granted about a model, and what forbids one.

    Attributes:
        places: Address, kind and shape of every parameter and buffer.
        modes: The training flag of every module.
        devices: Where parameters and buffers lie.
        plain: All of them are torch's own tensors.
        learns: Some parameter requires a gradient.
        counts: Some module in training keeps running statistics, which a warm-up would change.
        hooked: Some submodule has forward hooks, which a replay would not call.
    """

    places: tuple[Hashable, ...]
    modes: tuple[bool, ...]
    devices: frozenset[torch.device]
    plain: bool
    learns: bool
    counts: bool
    hooked: bool


def weights_of(model: nn.Module) -> Weights:
    """One cheap walk over a model, before every call."""
    places: list[Hashable] = []
    modes: list[bool] = []
    devices: set[torch.device] = set()
    plain, learns, counts, hooked = True, False, False, False
    for module in model.modules():
        modes.append(module.training)
        parameters, buffers, before, after = _inside(module)
        plain = plain and _plain((*parameters, *buffers))
        for tensor in (*parameters, *buffers) if plain else ():
            places.append((tensor.data_ptr(), tensor.dtype, tensor.shape, tensor.stride()))
            devices.add(tensor.device)
        learns = learns or any(parameter.requires_grad for parameter in parameters)
        counts = counts or (module.training and bool(buffers))
        hooked = hooked or (module is not model and (before or after))
    return Weights(tuple(places), tuple(modes), frozenset(devices), plain, learns, counts, hooked)


def recordable(tensors: Sequence[Tensor], weights: Weights) -> bool:
    """Whether a replay gives all that a call gives: no gradients, no running statistics, no hooks."""
    import torch

    if not (weights.plain and _plain(tensors)) or weights.counts or weights.hooked:
        return False
    return not (torch.is_grad_enabled() and (weights.learns or any(tensor.requires_grad for tensor in tensors)))


def _plain(tensors: Sequence[Tensor]) -> bool:
    """Whether they are torch's own, with an address, and not some library's subclass."""
    import torch

    return all(type(tensor) in (torch.Tensor, torch.nn.Parameter) for tensor in tensors)


def _inside(module: nn.Module) -> tuple[list[Tensor], list[Tensor], bool, bool]:
    """A module's own parameters and buffers, and whether it has hooks; torch's iterators take three times as long."""
    own = module.__dict__
    parameters: list[Tensor] = [each for each in own["_parameters"].values() if each is not None]
    buffers: list[Tensor] = [each for each in own["_buffers"].values() if each is not None]
    return parameters, buffers, bool(own["_forward_pre_hooks"]), bool(own["_forward_hooks"])


@dataclass(frozen=True, slots=True)
class Call:
    """A method of a model with its arguments."""

    model: nn.Module
    name: str
    method: Callable[..., Outputs]
    args: tuple[object, ...]
    kwargs: dict[str, object]

    def run(self) -> Outputs:
        """As emitted."""
        return self.method(self.model, *self.args, **self.kwargs)

    def tensors(self) -> list[Tensor]:
        """All tensors among the arguments, in order."""
        return [*_tensors((self.args, self.kwargs))]

    def with_tensors(self, tensors: Sequence[Tensor]) -> Call:
        """The same call on other tensors."""
        given = iter(tensors)
        args = cast("tuple[object, ...]", _replaced(self.args, given))
        return Call(self.model, self.name, self.method, args, cast("dict[str, object]", _replaced(self.kwargs, given)))

    def form(self) -> Hashable:
        """What arguments a recording is for: sizes, strides, kinds and devices of tensors, and all other values."""
        return _form((self.args, self.kwargs))


@dataclass(frozen=True, slots=True)
class _Held:
    inputs: list[Tensor]
    recording: Recording


class GraphCache:
    """Recordings of one model, the most recently used last.

    A kind of call is run as emitted when it first comes, so that its mistakes are reported as themselves and sizes
    that come once cost nothing; it is recorded when it comes again.
    """

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self._held: OrderedDict[Hashable, _Held] = OrderedDict()
        self._seen: OrderedDict[Hashable, None] = OrderedDict()
        self._places: tuple[Hashable, ...] = ()
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._held)

    def run(self, call: Call, weights: Weights, limit: int) -> Outputs:
        """The outputs of a call, in memory of their own.

        Args:
            call: On tensors of the recorder's kind of device, without gradients.
            weights: Of its model, now.
            limit: How many recordings to hold at most.

        Raises:
            NotRecorded: The device refused.
        """
        tensors = call.tensors()
        device = next(iter(weights.devices or {tensor.device for tensor in tensors}))
        key = (call.name, call.form(), weights.modes, *_settings(device.type))
        if not _hashable(key):
            return call.run()
        with self._lock:
            self._keep_only(weights.places)
            self._shrink(limit)
            if key in self._held or (key in self._seen and limit > 0):
                self.recorder.follow(device)
                held = self._held.get(key) or self._record(key, call, device, limit)
                self._held.move_to_end(key)
                return _replay(held, tensors)
            self._remember(key)
        return call.run()

    def _keep_only(self, places: tuple[Hashable, ...]) -> None:
        """Weights that lie elsewhere leave no recording of use."""
        if places != self._places:
            self._shrink(0)
            self._seen.clear()
            self._places = places

    def _shrink(self, limit: int) -> None:
        """Drop what was used longest ago."""
        if len(self._held) > max(limit, 0):
            self.recorder.settle()
        while len(self._held) > max(limit, 0):
            self._held.popitem(last=False)

    def _remember(self, key: Hashable) -> None:
        self._seen[key] = None
        if len(self._seen) > SEEN:
            self._seen.popitem(last=False)

    def _record(self, key: Hashable, call: Call, device: torch.device, limit: int) -> _Held:
        import torch

        self._shrink(limit - 1)
        enabled, kind = torch.is_autocast_enabled(device.type), torch.get_autocast_dtype(device.type)
        beside = next((held.recording for held in self._held.values()), None)
        # Normal tensors even under inference mode, and weights cast anew by every replay: a cached cast would go stale.
        cast_anew = torch.autocast(device.type, dtype=kind, enabled=enabled, cache_enabled=False)
        try:
            with torch.inference_mode(False), torch.no_grad(), cast_anew:
                inputs = [tensor.clone() for tensor in call.tensors()]
                recording = self.recorder.record(call.with_tensors(inputs).run, device, beside)
        except Exception as error:
            raise NotRecorded(f"{type(error).__name__}: {error}") from error
        del self._seen[key]
        self._held[key] = _Held(inputs, recording)
        return self._held[key]


def _replay(held: _Held, tensors: Sequence[Tensor]) -> Outputs:
    import torch

    with torch.no_grad():
        for static, given in zip(held.inputs, tensors, strict=True):
            static.copy_(given)
        held.recording.replay()
        outputs = held.recording.outputs
        if isinstance(outputs, dict):
            return {name: value.clone() for name, value in outputs.items()}
        return outputs.clone()


def _settings(device: str) -> tuple[Hashable, ...]:
    """What else decides which kernels run."""
    import torch

    autocast = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else None
    return (autocast, torch.are_deterministic_algorithms_enabled())


def _hashable(key: Hashable) -> bool:
    try:
        hash(key)
    except TypeError:
        return False
    return True


def _parts(value: object) -> tuple[object, ...] | None:
    """What a dict, list or tuple holds."""
    match value:
        case dict():
            return tuple(cast("dict[str, object]", value).values())
        case list() | tuple():
            return tuple(cast("Sequence[object]", value))
        case _:
            return None


def _tensors(value: object) -> Iterator[Tensor]:
    from torch import Tensor

    if isinstance(value, Tensor):
        yield value
    for part in _parts(value) or ():
        yield from _tensors(part)


def _replaced(value: object, given: Iterator[Tensor]) -> object:
    from torch import Tensor

    if isinstance(value, Tensor):
        return next(given)
    if (parts := _parts(value)) is None:
        return value
    others = [_replaced(part, given) for part in parts]
    if isinstance(value, dict):
        return dict(zip(cast("dict[str, object]", value), others, strict=True))
    return tuple(others)


def _form(value: object) -> Hashable:
    from torch import Tensor

    if isinstance(value, Tensor):
        return (value.shape, value.stride(), value.dtype, value.device)
    if (parts := _parts(value)) is None:
        return cast("Hashable", value)
    names = tuple(cast("dict[str, object]", value)) if isinstance(value, dict) else ()
    return (names, *(_form(part) for part in parts))
