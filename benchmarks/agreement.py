"""Whether competitors compute the same; if not, nothing is timed.

In exact arithmetic they do. In float32 two right programs may pick different winners of a group whose two best units
are equal up to rounding (b + t may round alike where b does not); one winner moved changes the rest of a deep net a
little. So a competitor must agree closely on some image, and roughly on all; a wrong one does neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import torch
from torch import Tensor

Outputs = Mapping[str, Tensor]
CLOSE = 1e-4
ROUGH = 0.1


class UnequalError(Exception):
    """Two subjects that should compute the same do not, so their times mean nothing."""


def require_equal(
    wanted: Callable[[Tensor], Outputs], found: Callable[[Tensor], Outputs], who: str, images: Iterable[Tensor]
) -> str:
    """Try batches of images until one holds an image on which both agree to CLOSE; all seen must agree to ROUGH.

    Returns:
        A remark where there were ties, else "".

    Raises:
        UnequalError: They do not agree.
    """
    seen = torch.empty(0)
    for batch in images:
        seen = torch.cat((seen, distances(wanted(batch), found(batch), who)))
        if not bool((seen <= ROUGH).all()):
            break
        if bool((seen <= CLOSE).any()):
            ties = int((seen > CLOSE).sum())
            return f"{who}: groups tie in {ties} of {len(seen)} images, distance {seen.max():.1e}" if ties else ""
    shown = ", ".join(f"{each:.1e}" for each in seen.tolist())
    raise UnequalError(f"{who}: differs from the emitted net by {shown} of its outputs; {CLOSE:.0e} is allowed")


def distances(wanted: Outputs, found: Outputs, who: str) -> Tensor:
    """‖found − wanted‖ / ‖wanted‖ of every sample, the largest over the outputs: (batch,)."""
    if {key: value.shape for key, value in wanted.items()} != {key: value.shape for key, value in found.items()}:
        raise UnequalError(f"{who}: outputs or their shapes differ: {sorted(wanted)}, {sorted(found)}")
    parts = [_distance(found[key], value) for key, value in wanted.items()]
    return torch.stack(parts).amax(0)


def _distance(found: Tensor, wanted: Tensor) -> Tensor:
    apart = torch.linalg.vector_norm((found - wanted).double().flatten(1), dim=1)
    size = torch.linalg.vector_norm(wanted.double().flatten(1), dim=1)
    return (apart / size).where(size > 0, apart).cpu()
