"""Upper bounds θ on couplings, from filters and diagonals alone: valid at every image size and padding.

With A = D − C, C what couples the layers: θ < 1 proves that A is positive definite (`spectral`, `dominance` of |C|), or
strictly copositive over z ≥ 0 with at most one nonzero unit in a group (`dominance` of C₊ = max(C, 0)), since

    zᵀCz ≤ Σ z_i² (C₊v)_i / v_i        for every v > 0, as 2 z_i z_j ≤ z_i² v_j/v_i + z_j² v_i/v_j
    |zᵀCz| ≤ zᵀD^½ N D^½ z ≤ ρ(N) zᵀDz   for N the norms of the blocks of D^-½ C D^-½, one a pair of layers.

The first is worked out for v that are equal over each plane, so that its sums are over filter taps: all of them
bottom-up; top-down those taps of a strided filter that meet one unit, in the worst of the phases.
The emitted modules carry the same in torch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import gcd, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from lvmc.ir.types import Size

Array = NDArray[np.float64]
Vectors = Mapping[str, Array]
Parts = Mapping[tuple[str, str], Array]

STEPS = 3
SQUARINGS = 3
FLOOR, LEAST, TINY = 1e-4, 1e-12, 1e-30


@dataclass(frozen=True, slots=True)
class Reach:
    """Which units a filter joins: those of two layers, or of one (`upper` = `lower`: a symmetric lateral filter).

    Attributes:
        upper: The layer of the filter's first axis.
        lower: That of its second.
        stride: Of the correlation.
        dilation: Of the correlation.
        windows: Most units of a replicated window that can be nonzero at once.
        wraps: Of circular padding: how often one tap can meet one lower unit. 0: zero padding.
        signed: Whether units of either layer take both signs.
    """

    upper: str
    lower: str
    stride: Size = (1, 1)
    dilation: Size = (1, 1)
    windows: int = 1
    wraps: int = 0
    signed: bool = False

    def __str__(self) -> str:
        return f"{self.lower}→{self.upper}"

    def phases(self, kernel: Size) -> list[tuple[slice, slice]]:
        """Rows and columns of the taps that can meet one lower unit, phase by phase; wrapped, any taps can."""
        if self.wraps:
            return [(slice(None), slice(None))]
        rows, columns = (
            [slice(first, None, step) for first in range(min(step, length))]
            for length, step in zip(kernel, map(_coprime, self.stride, self.dilation), strict=True)
        )
        return [(row, column) for row in rows for column in columns]


class Channels(NamedTuple):
    """A coupling between channels: `up` (C, c) is what an upper unit gets, `down` (phases, C, c) what a lower one."""

    upper: str
    lower: str
    up: Array
    down: Array


def contractive(diagonals: Vectors, filters: Sequence[Array], reaches: Sequence[Reach]) -> float:
    """θ on ρ(D^-1 C): below 1, A is positive definite.

    Args:
        diagonals: d > 0 of every layer, by channel.
        filters: (C, c, kh, kw) of every coupling; symmetric ones of laterals.
        reaches: What each of them joins.
    """
    absolute = [summed(np.abs(taps), reach) for taps, reach in zip(filters, reaches, strict=True)]
    return min(dominance(diagonals, absolute), spectral(diagonals, filters, reaches))


def copositive(diagonals: Vectors, filters: Sequence[Array], reaches: Sequence[Reach]) -> float:
    """θ on zᵀCz/zᵀDz over the cone: below 1, A is strictly copositive. Arguments as those of `contractive`."""
    positive = [
        summed(np.abs(taps) if reach.signed else np.maximum(taps, 0.0), reach)
        for taps, reach in zip(filters, reaches, strict=True)
    ]
    return min(dominance(diagonals, positive), spectral(diagonals, filters, reaches))


def summed(taps: Array, reach: Reach) -> Channels:
    """Sums over the taps of a nonnegative filter."""
    phases = [taps[:, :, rows, columns].sum((2, 3)) for rows, columns in reach.phases(_kernel(taps))]
    down = np.stack(phases)
    return Channels(reach.upper, reach.lower, reach.windows * down.sum(0), max(1, reach.wraps) * down)


def dominance(diagonals: Vectors, couplings: Sequence[Channels], steps: int = STEPS) -> float:
    """`max_i (Tv)_i / (d_i v_i)`: an upper bound whatever v > 0, which is brought near the Perron vector of T.

    Steps v ← D⁻¹Tv take turns with `balanced`, which gives whole layers their best factors.
    """
    v = {name: 1.0 / np.sqrt(d) for name, d in diagonals.items()}
    v, parts = balanced(diagonals, v, received(couplings, v))
    for _ in range(steps):
        v = {name: _lifted(value / diagonals[name]) for name, value in gathered(parts, v).items()}
        v, parts = balanced(diagonals, v, received(couplings, v))
    total = gathered(parts, v)
    return max(float((total[name] / (d * v[name])).max()) for name, d in diagonals.items())


def received(couplings: Sequence[Channels], v: Vectors) -> Parts:
    """The parts of T v, by receiver and sender."""
    parts: dict[tuple[str, str], Array] = {}
    for upper, lower, up, down in couplings:
        parts[upper, lower] = up @ v[lower]
        if upper != lower:
            parts[lower, upper] = (v[upper] @ down).max(0)
    return parts


def balanced(diagonals: Vectors, v: Vectors, parts: Parts) -> tuple[Vectors, Parts]:
    """v and the parts of T v, every layer multiplied by its entry of the Perron vector of T between layers.

    That is the matrix of vᵀTv/vᵀDv, layer by layer, so that a Perron vector of T stays as it is.
    """
    names = list(v)
    means = np.zeros((len(names), len(names)))
    for (receiver, sender), part in parts.items():
        mine = v[receiver]
        means[names.index(receiver), names.index(sender)] = mine @ part / (mine @ (diagonals[receiver] * mine))
    factors = dict(zip(names, perron_vector(means), strict=True))
    return (
        {name: value * factors[name] for name, value in v.items()},
        {ends: part * factors[ends[1]] for ends, part in parts.items()},
    )


def perron_vector(matrix: Array) -> Array:
    """t > 0 near the Perron vector of a small nonnegative matrix, by 256 steps of it plus the identity."""
    power = np.eye(len(matrix)) + matrix / max(matrix.sum(1).max(), TINY)
    for _ in range(2):
        power = np.linalg.matrix_power(power, 16)
        power = power / power.max()
    vector = power.sum(1)
    return np.maximum(vector / vector.max(), LEAST)


def gathered(parts: Parts, v: Vectors) -> dict[str, Array]:
    """T v by layer, from its parts."""
    total = {name: np.zeros_like(value) for name, value in v.items()}
    for (receiver, _), part in parts.items():
        total[receiver] = total[receiver] + part
    return total


def spectral(diagonals: Vectors, filters: Sequence[Array], reaches: Sequence[Reach]) -> float:
    """ρ(N) ≤ max_l (Nt)_l / t_l for bounds N on the norms of every coupling."""
    names = list(diagonals)
    norms = np.zeros((len(names), len(names)))
    for taps, reach in zip(filters, reaches, strict=True):
        upper, lower = names.index(reach.upper), names.index(reach.lower)
        norm = coupling_norm(taps, reach, diagonals[reach.upper], diagonals[reach.lower])
        norms[upper, lower] = norms[lower, upper] = norm
    vector = perron_vector(norms)
    return float((norms @ vector / vector).max())


def coupling_norm(taps: Array, reach: Reach, above: Array, below: Array) -> float:
    """Bound on the norm of D_upper^-½ C D_lower^-½.

    For shares s with Σ s² ≤ 1 over the taps that meet one unit, ‖K ⋆ x‖² ≤ ‖W/s‖² ‖x‖² where W (C, c·kh·kw) is the
    filter as a matrix: every unit of x then counts at most once. Shares go by the size of the taps, which is
    best for the Frobenius norm.
    """
    scaled = taps / np.sqrt(above)[:, None, None, None] / np.sqrt(below)[None, :, None, None]
    matrix = (scaled / shares(taps, reach)).reshape(len(taps), -1)
    return sqrt(reach.windows * max(1, reach.wraps) * squared_norm(matrix))


def shares(taps: Array, reach: Reach) -> Array:
    """s (kh, kw): s² of a tap is its part of the Frobenius norms of all taps that meet one unit."""
    sizes = np.sqrt((taps**2).sum((0, 1)))
    found = np.ones_like(sizes)
    for rows, columns in reach.phases(_kernel(taps)):
        here = sizes[rows, columns]
        found[rows, columns] = np.sqrt(np.where(here > 0, here / max(here.sum(), TINY), 1.0))
    return found


def squared_norm(matrix: Array) -> float:
    """‖M‖² ≤ (tr G^q)^(1/q) for G = M Mᵀ and q = 2^(SQUARINGS + 1): a Schatten norm, by repeated squaring."""
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    whole = float(np.trace(gram))
    power, bound = gram / max(whole, TINY), whole
    for step in range(1, SQUARINGS + 2):
        trace = float((power**2).sum())
        bound *= trace**0.5**step
        power = power @ power / max(trace, TINY)
    return bound


def _lifted(value: Array) -> Array:
    """The value with largest entry 1, and none at 0."""
    return np.maximum(value / max(value.max(), TINY), FLOOR)


def _coprime(stride: int, dilation: int) -> int:
    """How many taps on, a filter meets the same unit again from another place."""
    return stride // gcd(stride, dilation)


def _kernel(taps: Array) -> Size:
    return (taps.shape[2], taps.shape[3])
