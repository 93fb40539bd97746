"""Groups of which at most one unit is nonzero: records where they flip the verdict, and where they do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import pairwise

import networkx as nx
import numpy as np

from .corpus_layers import diagonal, layered, perron
from .corpus_named import HORN, hildebrand_matrix, hoffman_pereira_matrix
from .corpus_spn import sparse_ray, spn_with_zero
from .record import Record, direct_sum, indicator, integers, record, shuffled, symmetric
from .reference import Array, least_ratio, selections

Cells = tuple[tuple[int, ...], ...]
PERRON = "C ≥ 0: the largest Perron root over all choices of one unit a group (diagnostics.md T1 on every orthant)"


def consecutive(n: int, size: int) -> Cells:
    return tuple(tuple(range(at, min(at + size, n))) for at in range(0, n, size))


def flips() -> Iterator[Record]:
    """The same matrix without groups and with them."""
    for n in (3, 6, 16, 40):
        matrix = 1.5 * np.eye(n) - 0.5 if n == 3 else np.eye(n) * 2 - 1.5
        answer = "boundary" if n == 3 else "not"
        yield record(f"flip/all-attract-{n}-orthant", matrix, answer, "at e", ray=np.ones(n))
        source = "all units in one group: K is the axes, copositive iff the diagonal is ≥ 0"
        yield record(f"flip/all-attract-{n}-one-group", matrix, "strict", source, groups=(tuple(range(n)),))
    axes = np.array([[0, -3], [-3, 1.0]])
    yield record("flip/zero-unit-orthant", axes, "not", "a11 = 0, a12 < 0", ray=[1, 1])
    yield record("flip/zero-unit-one-group", axes, "boundary", "axes only, one of them 0", groups=((0, 1),), ray=[1, 0])
    negative = np.array([[1, 0, 0], [0, -1e-9, 0], [0, 0, 1]])
    yield record("flip/negative-unit-grouped", negative, "not", "e2 is in the cone", groups=((0, 1, 2),), ray=[0, 1, 0])
    yield from _pooled()
    yield from _zeros_in_a_group()
    yield from _horns()


def _pooled() -> Iterator[Record]:
    """k units of a pooling window with one weight to the unit above: ρ is w√k without groups, w with them."""
    for k, d_low, d_up in ((2, 1.0, 1.0), (4, 1.0, 1.0), (9, 1.0, 4.0), (4, 4.0, 0.25), (16, 1.0, 1.0)):
        scale, n = np.sqrt(d_low * d_up), k + 1
        couplings = np.zeros((n, n))
        couplings[0, 1:] = couplings[1:, 0] = scale
        d, window = np.array([d_up, *[d_low] * k]), (tuple(range(1, n)),)
        ray, single = np.sqrt([k / d_up, *[1 / d_low] * k]), indicator(n, (0, 1)) / np.sqrt(d)
        name, source = f"flip/pooled-{k}-d{d_low:g}-{d_up:g}", "diagnostics.md T5: the norm drops by √k"
        mid, edge = np.diag(d) - couplings * (0.5 + 0.5 / np.sqrt(k)), np.diag(d) - couplings
        yield record(f"{name}-orthant", mid, "not", source, ray=ray)
        yield record(f"{name}-groups", mid, "strict", source, groups=window)
        yield record(f"{name}-groups-boundary", edge, "boundary", source, groups=window, ray=single)
        over = np.diag(d) - 1.005 * couplings
        yield record(f"{name}-groups-not", over, "not", source, groups=window, ray=single)


def _zeros_in_a_group() -> Iterator[Record]:
    """P + N with one zero ray: a group that holds two of its units makes it strict, one that holds one does not."""
    for n, support, rank in ((6, 3, 5), (12, 4, 11), (24, 6, 23), (40, 8, 39)):
        z = sparse_ray(n, support, n)
        matrix, extra = spn_with_zero(n, z, rank + 12, n)
        assert np.linalg.matrix_rank(matrix - extra) == n - 1
        inside, outside = np.flatnonzero(z), np.flatnonzero(z == 0)
        source = "P of rank n − 1: the only zero is along z, which the groups allow or not"
        apart = ((int(inside[0]), int(outside[0])), (int(inside[1]), int(outside[1])))
        together = ((int(inside[0]), int(inside[1])), (int(outside[0]), int(outside[1])))
        dented = matrix - 0.25 * np.diag((z > 0).astype(float))
        yield record(f"flip/zero-{n}-apart", matrix, "boundary", source, groups=apart, ray=z, nonnegative=extra)
        yield record(f"flip/zero-{n}-together", matrix, "strict", source, groups=together, nonnegative=extra)
        yield record(f"flip/zero-{n}-apart-below", dented, "not", source, groups=apart, ray=z)


def _horns() -> Iterator[Record]:
    """Horn's zeros are on neighbours i, i + 1 of a ring: groups of neighbours take them away one by one."""
    yield record(
        "flip/horn-one-group",
        HORN,
        "boundary",
        "the zero (0, 1, 1, 0, 0) remains",
        groups=((0, 1),),
        ray=[0, 1, 1, 0, 0],
    )
    two = ((0, 1), (2, 3))
    yield record(
        "flip/horn-two-groups", HORN, "boundary", "the zero (0, 1, 1, 0, 0) remains", groups=two, ray=[0, 1, 1, 0, 0]
    )
    yield record(
        "flip/horn-two-groups-not",
        HORN - 1e-9 * np.eye(5),
        "not",
        "below 0 at a zero of H",
        groups=two,
        ray=[0, 1, 1, 0, 0],
    )
    yield record(
        "flip/horn-group-of-3",
        HORN,
        "boundary",
        "the zero (0, 0, 0, 1, 1) remains",
        groups=((0, 1, 2),),
        ray=[0, 0, 0, 1, 1],
    )
    groups = ((0, 1, 2, 3, 4),)
    yield record("flip/horn-all", HORN - 0.5 * np.eye(5), "strict", "axes only", groups=groups)
    square = hoffman_pereira_matrix(nx.cycle_graph(4), 1) - 0.5 * np.eye(4)
    yield record("flip/square-orthant", square, "not", "below 0 at e1 + e2", ray=[1, 1, 0, 0])
    yield record("flip/square-opposite", square, "not", "below 0 at e1 + e2", groups=((0, 2), (1, 3)), ray=[1, 1, 0, 0])
    yield record("flip/square-all", square, "strict", "axes only", groups=((0, 1, 2, 3),))
    copied = np.kron(HORN, np.ones((4, 4)))
    source = "H ⊗ J with the copies grouped is H itself (diagnostics.md T4)"
    cells = consecutive(20, 4)
    yield record("flip/horn-copies-grouped", copied, "boundary", source, groups=cells, ray=indicator(20, (0, 5)))
    attract = copied - 8.0 * np.kron(np.eye(5), np.ones((4, 4)) - np.eye(4))
    yield record("flip/horn-copies-attract", attract, "not", "copies attract one another", ray=indicator(20, (0, 1)))
    yield record(
        "flip/horn-copies-attract-grouped", attract, "boundary", source, groups=cells, ray=indicator(20, (0, 5))
    )
    above = attract + 0.005 * np.eye(20)
    yield record("flip/horn-copies-attract-grouped-above", above, "strict", source, groups=cells)


def pooled_nets() -> Iterator[Record]:
    """Layers with nonnegative weights and pooling windows, diagonals unequal inside them."""
    cases: tuple[tuple[tuple[int, ...], int], ...] = (
        ((4, 2), 2), ((6, 3), 3), ((4, 4, 2), 2), ((8, 4), 4), ((8, 4, 2), 4), ((9, 6), 3), ((12, 8, 4), 4),
    )  # fmt: skip
    for number, (sizes, window) in enumerate(cases):
        n = sum(sizes)
        cells = tuple(cell for at, size in _layers(sizes)[:-1] for cell in _cells(at, size, window))
        couplings, d = layered(sizes, 90 + 17 * number, 0, 6), diagonal(n, 300 + number)
        root, ray = _strongest(couplings, d, cells)
        attracting = 50.0 * symmetric(
            sum((np.outer(indicator(n, c), indicator(n, c)) for c in cells), np.zeros((n, n)))
        )
        whole, whole_ray = perron(couplings, d)
        name = f"pooled/{'-'.join(map(str, sizes))}-by-{window}"
        for word, factor in (("strict", 0.995), ("not", 1.005)):
            matrix = np.diag(d) - factor / root * couplings
            known = ray if word == "not" else None
            yield record(f"{name}-{word}", matrix, word, PERRON, groups=cells, ray=known)
            yield record(f"{name}-attracting-{word}", matrix - attracting, word, PERRON, groups=cells, ray=known)
        if whole > 1.02 * root:
            matrix = np.diag(d) - 0.995 / root * couplings
            yield record(
                f"{name}-strict-but-for-groups", matrix, "not", "Perron root above 1 without groups", ray=whole_ray
            )


def _layers(sizes: Sequence[int]) -> list[tuple[int, int]]:
    starts = [0, *np.cumsum(sizes).tolist()]
    return [(at, end - at) for at, end in pairwise(starts)]


def _cells(at: int, size: int, window: int) -> Iterator[tuple[int, ...]]:
    for cell in consecutive(size, window):
        yield tuple(at + i for i in cell)


def _strongest(couplings: Array, d: Array, groups: Cells) -> tuple[float, Array]:
    """The largest Perron root over selections, with its vector on all units."""
    best, where = 0.0, np.zeros(len(d))
    for chosen in selections(len(d), groups):
        root, vector = perron(couplings[np.ix_(chosen, chosen)], d[list(chosen)])
        if root > best:
            best, where = root, np.zeros(len(d))
            where[list(chosen)] = vector
    return best, where


def signed_groups() -> Iterator[Record]:
    """Signed couplings with groups: half a percent beside the threshold, by the eigenvectors of every support."""
    shapes = ((4, 2), (5, 2), (6, 3), (8, 2), (8, 4), (9, 3), (10, 2), (10, 5), (12, 3), (12, 4))
    source = "threshold by the eigenvectors of every support of the cone (Kaplan 2000), half a percent aside"
    for number, (n, size) in enumerate(shapes):
        couplings, d = symmetric(integers(600 + number, n, n, -8, 8)), diagonal(n, 700 + number)
        order = shuffled(couplings, number)[1]
        groups = tuple(tuple(order[i] for i in cell) for cell in consecutive(n, size)[: (n // size + 1) // 2 + 1])
        root = 1 - least_ratio(np.diag(d) - couplings, groups)
        for word, factor in (("strict", 0.995), ("not", 1.005)):
            matrix = np.diag(d) - factor / root * couplings
            yield record(f"signed-groups/{number}-{n}-by-{size}-{word}", matrix, word, source, groups=groups)


def exceptional_groups() -> Iterator[Record]:
    """Horn's and Hildebrand's matrices as the winners of groups, the losers repelled or attracted at will."""
    exact, zero = hildebrand_matrix([Fraction(1, 5)] * 5)
    common = 676
    rotated = np.array([[float(x * common) for x in row] for row in exact])
    table = (("horn", HORN, indicator(5, (0, 1))), ("hildebrand", rotated, np.array([float(x * common) for x in zero])))
    for name, matrix, z in table:
        for size in (2, 3):
            n = 5 * size
            copied = np.kron(matrix, np.ones((size, size)))
            inside = np.kron(np.eye(5), np.ones((size, size)) - np.eye(size))
            attract = copied - 4 * matrix[0, 0] * inside
            cells, source = consecutive(n, size), "every choice of winners is the same matrix of order 5"
            ray = np.kron(z, indicator(size, (0,)))
            yield record(f"groups/{name}-copies-{size}", attract, "boundary", source, groups=cells, ray=ray)
            step = 1e-6 * np.diag(np.diag(attract))
            yield record(f"groups/{name}-copies-{size}-above", attract + step, "strict", source, groups=cells)
            yield record(f"groups/{name}-copies-{size}-below", attract - step, "not", source, groups=cells, ray=ray)
    both = direct_sum([HORN, HORN])
    across = tuple((i, i + 5) for i in range(5))
    source = "an orthant of the cone is a principal submatrix of H ⊕ H"
    yield record("groups/two-horns-across", both, "boundary", source, groups=across, ray=indicator(10, (0, 1)))
    twice = HORN - 3 * np.eye(5)[:, [1, 2, 3, 4, 0]] - 3 * np.eye(5)[:, [4, 0, 1, 2, 3]]
    yield record(
        "groups/ring-attract", twice, "not", "neighbours 2, 3 remain", groups=((0, 1), (3, 4)), ray=[0, 1, 1, 0, 0]
    )
