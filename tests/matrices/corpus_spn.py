"""PSD plus nonnegative matrices: strict, on the boundary, half a percent beside it, and with a planted ray."""

from __future__ import annotations

from collections.abc import Iterator

import networkx as nx
import numpy as np

from .corpus_named import HORN, hoffman_pereira_matrix
from .record import Record, direct_sum, indicator, integers, record, rescaled, shuffled, symmetric
from .reference import Array

SPN = "PSD + nonnegative"
KERNEL = "Pz = 0 and N zero on the support of z ≥ 0"


def orthogonal_rows(z: Array, rows: int, seed: int) -> Array:
    """Integer rows orthogonal to the integer z: random ones, each combined with a unit row of the support."""
    at = int(np.flatnonzero(z)[0])
    draws = integers(seed, rows, len(z), -3, 3)
    draws[:, at] = 0.0
    fixed = z[at] * draws
    fixed[:, at] = -draws @ z
    return fixed


def spn_with_zero(n: int, z: Array, rank: int, seed: int, density: float = 0.5) -> tuple[Array, Array]:
    """P + N and N in integers, P PSD with Pz = 0, N ≥ 0 off the support of z."""
    rows = orthogonal_rows(z, rank, seed)
    off = symmetric((integers(seed + 1, n, n, 0, 99) < 100 * density).astype(float)) * symmetric(
        integers(seed + 2, n, n, 1, 30)
    )
    inside = np.outer(z > 0, z > 0)
    extra = np.where(inside, 0.0, off)
    return rows.T @ rows + extra, extra


def sparse_ray(n: int, support: int, seed: int) -> Array:
    z = np.zeros(n)
    z[np.argsort(integers(seed, 1, n, 0, 10**6)[0])[:support]] = integers(seed + 1, 1, support, 1, 4)[0]
    return z


def spn() -> Iterator[Record]:
    """Strict ones, and PSD singular ones with and without a kernel vector in the cone."""
    for n, rank in ((4, 2), (8, 5), (12, 12), (20, 10), (30, 15), (40, 20)):
        rows, extra = integers(n, rank, n, -3, 3), symmetric(integers(n + 1, n, n, 0, 5))
        matrix = rows.T @ rows + np.eye(n) + extra
        yield record(f"spn/strict-{n}", matrix, "strict", f"I + {SPN}", nonnegative=extra)
    for n in (2, 3, 6, 16, 40):
        u = integers(n, 1, n, 1, 3)[0]
        mixed = u * np.where(np.arange(n) % 2, -1, 1)
        matrix = (mixed @ mixed) * np.eye(n) - np.outer(mixed, mixed)
        yield record(
            f"spn/mixed-kernel-{n}",
            matrix,
            "strict",
            "PSD, its kernel meets the cone at 0 only",
            nonnegative=0 * matrix,
        )
        matrix = (u @ u) * np.eye(n) - np.outer(u, u)
        yield record(
            f"spn/positive-kernel-{n}",
            matrix,
            "boundary",
            "PSD, its kernel a positive vector",
            ray=u,
            nonnegative=0 * matrix,
        )
        near = u.copy()
        near[0] = -near[0]
        matrix, _ = rescaled((near @ near) * np.eye(n) - np.outer(near, near), n)
        yield record(
            f"spn/one-sign-off-{n}",
            matrix,
            "strict",
            "PSD, its kernel meets the cone at 0 only",
            nonnegative=0 * matrix,
        )
    for n in (5, 12, 25, 40):
        u = np.where(np.arange(n) % 2, -1.0, 1.0)
        wide = np.outer(u, u) + np.zeros((n, n))
        yield record(
            f"spn/rank-one-mixed-{n}",
            wide,
            "boundary",
            "uuᵀ: zero at e1 + e2",
            ray=[1, 1, *[0] * (n - 2)],
            nonnegative=0 * wide,
        )
        yield record(f"spn/rank-one-{n}", np.ones((n, n)), "strict", "(Σz)² > 0", nonnegative=np.zeros((n, n)))


def critical() -> Iterator[Record]:
    """A(α) = D − αC with D − C an SPN matrix on the boundary: strict at α = 0.995, not copositive at 1.005."""
    cases = (
        (6, 3, 3),
        (10, 4, 6),
        (14, 5, 7),
        (18, 9, 6),
        (24, 12, 8),
        (24, 3, 20),
        (32, 10, 12),
        (40, 20, 6),
        (40, 30, 30),
    )
    for number, (n, support, rank) in enumerate(cases):
        z = sparse_ray(n, support, 10 * number)
        matrix, extra = spn_with_zero(n, z, rank, 100 * number + 7)
        yield from beside(f"critical/spn-{n}-{support}", matrix, z, extra)
    for number, n in enumerate((10, 15, 20, 30)):
        yield from beside(f"critical/horns-and-spn-{n}", *_exceptional(n, number))


def beside(name: str, matrix: Array, z: Array, extra: Array | None) -> Iterator[Record]:
    diagonal = np.diag(np.diag(matrix))
    assert np.all(np.diag(matrix) > 0)
    source = f"{SPN}, {KERNEL}" if extra is not None else "copositive + copositive with a zero in common"
    yield record(f"{name}-boundary", matrix, "boundary", source, ray=z, nonnegative=extra)
    yield record(f"{name}-strict", diagonal - 0.995 * (diagonal - matrix), "strict", source)
    yield record(f"{name}-not", diagonal - 1.005 * (diagonal - matrix), "not", source, ray=z)


def _exceptional(n: int, seed: int) -> tuple[Array, Array, None]:
    """Horn's matrices side by side, plus a PSD and a nonnegative part that keep one of their zeros."""
    z = np.zeros(n)
    z[:2] = 1.0
    other, _ = spn_with_zero(n, z, 2, 1000 + seed, density=0.2)
    matrix, order = shuffled(16 * direct_sum([HORN] * (n // 5)) + other, seed)
    return matrix, z[order], None


def planted() -> Iterator[Record]:
    """P + N − δ zzᵀ/|z|⁴, so that the form is −δ at the planted z: from 1e-1 to 1e-9."""
    for number, (n, support) in enumerate(
        ((5, 2), (8, 3), (12, 4), (16, 8), (20, 5), (24, 12), (32, 6), (36, 18), (40, 10))
    ):
        delta, z = 10.0 ** -(number + 1), sparse_ray(n, support, 500 + number)
        matrix, _ = spn_with_zero(n, z, max(3, n // 3), 900 + number)
        dent = delta * np.outer(z, z) / float(z @ z) ** 2
        yield record(f"planted/{n}-{delta:g}", matrix - dent, "not", f"{SPN} less a rank-one matrix; {KERNEL}", ray=z)


def m_matrices() -> Iterator[Record]:
    """Matrices without a positive entry off the diagonal: copositive iff PSD (Cottle, Habetler, Lemke 1970)."""
    for n in (3, 6, 12, 24, 40):
        weights = symmetric(integers(n, n, n, 0, 4)) + symmetric(np.eye(n, k=1))
        laplacian = np.diag(weights.sum(1)) - weights
        source = "Laplacian of a connected graph: PSD, kernel e"
        yield record(f"m-matrix/laplacian-{n}", laplacian, "boundary", source, ray=np.ones(n), nonnegative=0 * weights)
        scaled, scale = rescaled(laplacian, n)
        yield record(f"m-matrix/rescaled-{n}", scaled, "boundary", source, ray=1 / scale, nonnegative=0 * weights)
        grounded = laplacian + np.diag([1.0] + [0.0] * (n - 1))
        yield record(
            f"m-matrix/grounded-{n}",
            grounded,
            "strict",
            "Laplacian + e1e1ᵀ: positive definite",
            nonnegative=0 * weights,
        )
        yield record(
            f"m-matrix/leaking-{n}", laplacian - np.diag([1e-3] + [0.0] * (n - 1)), "not", source, ray=np.ones(n)
        )
    for n in (2, 8, 32):
        path = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
        yield record(f"m-matrix/path-{n}", path, "strict", "2 − 2 cos(kπ/(n+1)) > 0", nonnegative=0 * path)
        edge = 2 * np.cos(np.pi / (n + 1))
        wave = np.sin(np.pi * np.arange(1, n + 1) / (n + 1))
        for name, value in (("strict", edge * (1 + 1e-7)), ("not", edge * (1 - 1e-7))):
            source = "least eigenvalue d − 2 cos(π/(n+1)), vector sin(kπ/(n+1))"
            matrix = path + (value - 2) * np.eye(n)
            yield record(
                f"m-matrix/path-critical-{name}-{n}", matrix, name, source, ray=None if name == "strict" else wave
            )
    parts = direct_sum([np.array([[2.0, -1], [-1, 2]]), np.array([[1.0, -1], [-1, 1]]), np.eye(2)])
    yield record("m-matrix/reducible", parts, "boundary", "direct sum", ray=[0, 0, 1, 1, 0, 0], nonnegative=0 * parts)


def blocks() -> Iterator[Record]:
    """Direct sums are copositive iff every block is; a nonnegative coupling of blocks keeps it."""
    cycle = hoffman_pereira_matrix(nx.cycle_graph(7), 0)
    good, edge, bad = cycle + 0.005 * np.eye(7), HORN, HORN - 1e-6 * np.eye(5)
    swap, first = np.array([[0.0, 1], [1, 0]]), (0, 1)
    cases: tuple[tuple[str, str, list[Array], tuple[int, tuple[int, ...]] | None], ...] = (
        ("strict", "strict", [good, 3 * np.eye(3) - 1 + np.eye(3), good], None),
        ("boundary", "boundary", [good, edge, good, np.eye(4)], (7, first)),
        ("zero-unit", "boundary", [good, swap, good], (7, (0,))),
        ("refuted", "not", [good, bad, good, np.eye(9)], (7, first)),
        ("refuted-among-many", "not", [good, good, good, good, bad], (28, first)),
        ("negative-unit", "not", [good, edge, -1e-9 * np.eye(1)], (12, (0,))),
    )
    for seed, (name, answer, parts, where) in enumerate(cases):
        whole = direct_sum(parts)
        ray = None if where is None else indicator(len(whole), [where[0] + i for i in where[1]])
        matrix, order = shuffled(whole, seed)
        yield record(f"blocks/{name}", matrix, answer, "direct sum", ray=None if ray is None else ray[order])
        apart = np.where(direct_sum([np.ones(part.shape) for part in parts]) == 0, 0.5, 0.0)
        matrix, scale = rescaled(whole + apart, seed)
        source = "direct sum + N, N zero in the blocks"
        yield record(f"blocks/{name}-repelling", matrix, answer, source, ray=None if ray is None else ray / scale)
