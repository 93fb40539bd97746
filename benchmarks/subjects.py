"""Makes the competitors of one net with equal weights: the emitted module in several forms, and hand-written ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

import lvmc

if TYPE_CHECKING:
    from lvmc.runtime.module import Model
from agreement import require_equal
from nets import SpecDict
from rivals.cached import Cached
from rivals.naive import Naive
from rivals.network import Network

LIMIT = "conv-only"
EMITTED = "emitted"
UNREWRITTEN = "emitted, unrewritten"
HAND = "hand-written"
TRIMMED = "hand-written, trimmed"
CACHED = "hand-written, cached"
CACHED_LAST = "hand-written, cached, channels-last"
COMPILED = ", compiled"

BATCHES = 6
"""How many batches of images to try where groups tie."""

HAND_WRITTEN: Mapping[str, Callable[[Network, int], nn.Module]] = {
    HAND: Naive,
    TRIMMED: lambda network, passes: Naive(network, passes, trimmed=True),
    CACHED: Cached,
    CACHED_LAST: Cached,
}


@dataclass(slots=True)
class Field:
    """The modules that take part, by name; what kept others out; and remarks."""

    modules: dict[str, nn.Module] = field(default_factory=dict[str, nn.Module])
    absent: dict[str, str] = field(default_factory=dict[str, str])
    notes: list[str] = field(default_factory=list[str])


def image_of(spec: SpecDict, batch: int, seed: int = 0) -> Tensor:
    """A batch for the one input of a spec."""
    (block,) = spec["inputs"].values()
    random = torch.Generator().manual_seed(seed)
    return torch.rand(batch, block["channels"], *block["size"], generator=random)


def emitted(spec: SpecDict, state: Mapping[str, Tensor] | None = None, **options: Any) -> Model:
    """A compiled spec in evaluation mode; its state, if given, is shared, not copied."""
    model = lvmc.compile(spec, **options).eval()
    if state is not None:
        model.load_state_dict({name: state[name] for name in model.state_dict()}, assign=True)
    return model


def hand_written(name: str, spec: SpecDict, state: Mapping[str, Tensor], share: bool = True) -> nn.Module:
    """A rival with the weights of an emitted model, or copies of them."""
    network = Network(spec)
    network.take(state, share)
    rival = HAND_WRITTEN[name](network, spec["inference"]["passes"]).eval()
    return rival.to(memory_format=torch.channels_last) if name == CACHED_LAST else rival


def competitors(spec: SpecDict, names: tuple[str, ...], batch: int) -> Field:
    """Every named module (all but LIMIT), each found equal to the emitted one.

    Raises:
        UnequalError: One of them computes something else.
    """
    torch.compiler.reset()
    model = emitted(spec)
    state = model.state_dict()
    by_hand = {name: value.detach().contiguous() for name, value in state.items()}
    made = Field()
    for name in names:
        if name == LIMIT:
            continue
        module = _make(name, spec, by_hand if name.startswith(HAND) else state)
        if name.endswith(COMPILED):
            start = perf_counter()
            try:
                module(image_of(spec, batch))
            except Exception as error:  # Inductor needs a C++ compiler, and fails in many ways
                made.absent[name] = f"torch.compile failed: {str(error).strip().splitlines()[0][:80]}"
                continue
            made.notes.append(f"{name}: first call {perf_counter() - start:.1f} s")
        made.notes += filter(None, [require_equal(model, module, name, images(spec, batch))])
        made.modules[name] = module
    return made


def images(spec: SpecDict, batch: int) -> Iterator[Tensor]:
    """Batches to compare competitors on."""
    return (image_of(spec, batch, seed) for seed in range(BATCHES))


def _make(name: str, spec: SpecDict, state: Mapping[str, Tensor]) -> nn.Module:
    if name == EMITTED + COMPILED:
        return emitted(spec, state, backend="inductor")
    if name.endswith(COMPILED):
        return torch.compile(_make(name.removesuffix(COMPILED), spec, state))
    if name in (EMITTED, UNREWRITTEN):
        return emitted(spec, state, optimize=name == EMITTED)
    return hand_written(name, spec, state)
