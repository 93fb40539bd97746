"""Layered nets A = D − αC just below and just above the α where copositivity ends."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from .record import Record, integers, record, symmetric
from .reference import Array, least_ratio

PERRON = "C ≥ 0: strictly copositive iff αρ(D^-½CD^-½) < 1, refuted by the Perron vector (diagnostics.md T1)"


def layered(sizes: Sequence[int], seed: int, low: int, high: int) -> Array:
    """Couplings between layers that follow one another: random integers low…high."""
    couplings, at = np.zeros((sum(sizes),) * 2), 0
    for number, (below, above) in enumerate(pairwise(sizes)):
        couplings[at : at + below, at + below : at + below + above] = integers(seed + number, below, above, low, high)
        at += below
    return symmetric(couplings)


def diagonal(n: int, seed: int) -> Array:
    draw = random.Random(seed)
    return np.array([draw.choice((0.5, 1.0, 2.0, 3.0)) for _ in range(n)])


def perron(couplings: Array, d: Array) -> tuple[float, Array]:
    """ρ(D^-½CD^-½) and D^-½ times its vector: the ratio zᵀCz/zᵀDz and where it is largest."""
    root = np.sqrt(d)
    values, vectors = np.linalg.eigh(couplings / np.outer(root, root))
    return float(values[-1]), np.abs(vectors[:, -1]) / root


def nonnegative_layers() -> Iterator[Record]:
    """Nonnegative couplings: decided by the Perron root at every size."""
    cases = (
        (1, 1),
        (2, 3),
        (4, 4, 2),
        (8, 4),
        (3, 3, 3, 3),
        (10, 10),
        (12, 8, 4),
        (16, 8, 4, 2),
        (20, 20),
        (18, 12, 10),
    )
    for number, sizes in enumerate(cases):
        couplings, d = layered(sizes, 70 * number, 0, 5), diagonal(sum(sizes), number)
        root, vector = perron(couplings, d)
        name = "layers/nonnegative-" + "-".join(map(str, sizes))
        for word, factor in (("strict", 0.995), ("not", 1.005), ("strict-close", 1 - 1e-6), ("not-close", 1 + 1e-6)):
            matrix = np.diag(d) - factor / root * couplings
            answer = word.split("-")[0]
            yield record(f"{name}-{word}", matrix, answer, PERRON, ray=vector if answer == "not" else None)


def tight_dominance() -> Iterator[Record]:
    """Signed couplings whose inhibition misses the component of C+ with the largest root: ρ(D^-1 C+) is exact."""
    for number, (near, far) in enumerate(((4, 4), (10, 10), (16, 16), (20, 20))):
        n = near + far
        positive = symmetric(integers(number, n, n, 1, 4))
        positive[:near, near:] = positive[near:, :near] = 0.0
        positive[near:, near:] *= 0.5 * near / far
        inhibition = symmetric(integers(number + 40, n, n, 0, 4))
        inhibition[:near, :near] = 0.0
        d = np.ones(n)
        root, vector = perron(positive[:near, :near], d[:near])
        ray = np.concatenate([vector, np.zeros(far)])
        source = "zᵀAz ≥ zᵀ(D − αC+)z, equal at the Perron vector (diagnostics.md T1)"
        for word, factor in (("strict", 0.995), ("not", 1.005)):
            matrix = np.diag(d) - factor / root * (positive - inhibition)
            yield record(f"layers/inhibited-{n}-{word}", matrix, word, source, ray=ray if word == "not" else None)


def edge_detectors() -> Iterator[Record]:
    """Two rings coupled by the kernel [a, −a]: PSD iff a ≤ ½, copositive iff a ≤ 1 (diagnostics.md §2c)."""
    for m in (4, 8, 20):
        kernel = np.eye(m) - np.roll(np.eye(m), 1, axis=1)
        couplings = np.block([[np.zeros((m, m)), kernel], [kernel.T, np.zeros((m, m))]])
        ray = np.zeros(2 * m)
        ray[0] = ray[m] = 1.0
        for word, a in (("strict", 0.995), ("boundary", 1.0), ("not", 1.005)):
            source = "xᵀ(I − shift)y ≤ xᵀy for x, y ≥ 0, equal at e1, e1"
            yield record(
                f"layers/edges-{2 * m}-{word}", np.eye(2 * m) - a * couplings, word, source, ray=None if a < 1 else ray
            )


def signed_layers() -> Iterator[Record]:
    """Signed couplings, layered or not: the threshold of α by eigenvectors of every support (Kaplan 2000)."""
    shapes: tuple[tuple[int, ...], ...] = (
        (2, 2),
        (3, 3),
        (2, 3, 2),
        (4, 4),
        (3, 4, 2),
        (5, 5),
        (4, 3, 3),
        (5, 5),
        (6, 4),
    )
    for number, sizes in enumerate(shapes):
        yield from _beside(
            f"layers/signed-{number}-{sum(sizes)}", layered(sizes, 31 * number, -5, 5), diagonal(sum(sizes), number)
        )
    for number, n in enumerate((4, 6, 7, 8, 9, 10, 10)):
        couplings = symmetric(integers(800 + number, n, n, -9, 9))
        yield from _beside(f"layers/lateral-{number}-{n}", couplings, diagonal(n, 50 + number))


def _beside(name: str, couplings: Array, d: Array) -> Iterator[Record]:
    """Half a percent below and above; ρ = max zᵀCz/zᵀDz = 1 − min zᵀ(D − C)z/zᵀDz."""
    root = 1 - least_ratio(np.diag(d) - couplings)
    source = "threshold of α by the eigenvectors of every support (Kaplan 2000), half a percent aside"
    yield record(f"{name}-strict", np.diag(d) - 0.995 / root * couplings, "strict", source)
    yield record(f"{name}-not", np.diag(d) - 1.005 / root * couplings, "not", source)
