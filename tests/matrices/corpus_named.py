"""Matrices of the literature: Horn, Hoffman and Pereira, Hildebrand, Väliaho, Bomze and de Klerk, Murty and Kabadi."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import lcm

import networkx as nx
import numpy as np

from .record import Record, direct_sum, indicator, record, rescaled, shuffled
from .reference import Array

HORN = np.array(
    [[1, -1, 1, 1, -1], [-1, 1, -1, 1, 1], [1, -1, 1, -1, 1], [1, 1, -1, 1, -1], [-1, 1, 1, -1, 1]], dtype=float
)
PAIR = "order 2: copositive iff the diagonal is ≥ 0 and a12 ≥ −√(a11 a22) (Hadeler 1983)"
HALL = "Horn's matrix (Hall, Newman 1963): extreme, (1, 1, 0, 0, 0) is a zero"
LIFTED = "A copositive, so A + εI strict; at a zero of A, A − εI is below 0"


def small() -> Iterator[Record]:
    """Orders 1 to 4, with zero and negative diagonals, tiny violations and tiny margins."""
    tiny = 1e-9
    yield record("small/one", [[1]], "strict", "positive")
    yield record("small/zero", [[0]], "boundary", "zero", ray=[1])
    yield record("small/minus-one", [[-1]], "not", "negative", ray=[1])
    yield record("small/minus-tiny", [[-tiny]], "not", "negative", ray=[1])
    yield record("small/zeros-3", np.zeros((3, 3)), "boundary", "zero", ray=[1, 0, 0])
    yield record("small/identity-4", np.eye(4), "strict", "positive definite")
    yield record("small/ones-6", np.ones((6, 6)), "strict", "A ≥ 0 with a positive diagonal")
    yield record("small/swap", [[0, 1], [1, 0]], "boundary", "A ≥ 0", ray=[1, 0])
    yield record("small/zero-diagonal-coupled", [[0, -tiny], [-tiny, 1]], "not", PAIR, ray=[1, tiny])
    yield record("small/zero-diagonal-both", [[0, -tiny], [-tiny, 0]], "not", PAIR, ray=[1, 1])
    yield record("small/zero-diagonal-repelled", [[0, 0.5], [0.5, 1]], "boundary", PAIR, ray=[1, 0])
    yield record("small/zero-unit", np.diag([0.0, 1, 2]), "boundary", "PSD, zero at (1, 0, 0)", ray=[1, 0, 0])
    yield record("small/negative-unit-hidden", [[-tiny, 5], [5, 1]], "not", PAIR, ray=[1, 0])
    yield record("small/pair-boundary", [[1, -1], [-1, 1]], "boundary", PAIR, ray=[1, 1])
    yield record("small/pair-tiny-violation", [[1, -1 - tiny], [-1 - tiny, 1]], "not", PAIR, ray=[1, 1])
    yield record("small/pair-tiny-margin", [[1, -1 + tiny], [-1 + tiny, 1]], "strict", PAIR)
    yield record("small/pair-uneven-boundary", [[4, -6], [-6, 9]], "boundary", PAIR, ray=[3, 2])
    yield record("small/pair-repelling", [[1, 2], [2, 1]], "strict", PAIR)
    yield record("small/pair-far-scales", [[2.0**-40, -1], [-1, 2.0**40]], "boundary", PAIR, ray=[2.0**40, 1])
    triangle = 1.5 * np.eye(3) - 0.5
    yield record("small/triangle-boundary", triangle, "boundary", "3I − J, PSD with kernel e", ray=[1, 1, 1])
    yield record("small/triangle-violated", triangle - tiny * np.eye(3), "not", LIFTED, ray=[1, 1, 1])
    yield record("small/triangle-margin", triangle + tiny * np.eye(3), "strict", LIFTED)
    three = np.array([[1, -1, 1], [-1, 1, -1], [1, -1, 1.0]])
    yield record("small/two-sides", three, "boundary", "uuᵀ with u = (1, −1, 1)", ray=[1, 1, 0])
    yield record(
        "small/path-refuted", [[1, -0.75, 0], [-0.75, 1, -0.75], [0, -0.75, 1]], "not", "Hadeler 1983", ray=[2, 3, 2]
    )


def _around(name: str, matrix: Array, zero: Array, steps: Sequence[float], source: str) -> Iterator[Record]:
    """A boundary matrix with a zero, and a little above and below it."""
    yield record(name, matrix, "boundary", source, ray=zero)
    for step in steps:
        shift = step * np.diag(np.diag(matrix))
        yield record(f"{name}+{step:g}", matrix + shift, "strict", LIFTED)
        yield record(f"{name}-{step:g}", matrix - shift, "not", LIFTED, ray=zero)


def horn() -> Iterator[Record]:
    """Horn's matrix, scaled, permuted, summed and duplicated."""
    first = indicator(5, (0, 1))
    yield from _around("horn/horn", HORN, first, (0.0625, 1e-3, 1e-6, 1e-9), HALL)
    for power in (-30, 30):
        yield record(f"horn/times-2^{power}", HORN * 2.0**power, "boundary", HALL, ray=first)
    scaled, scale = rescaled(HORN, 1)
    yield record("horn/rescaled", scaled, "boundary", HALL, ray=first / scale)
    mixed, order = shuffled(HORN, 2)
    yield record("horn/permuted", mixed, "boundary", HALL, ray=first[order])
    edges = HORN + 0.25 * np.diag(np.ones(4), 1) + 0.25 * np.diag(np.ones(4), -1)
    edges[0, 4] = edges[4, 0] = -0.75
    yield record("horn/every-zero-lifted", edges, "strict", "H + N where N meets every zero of H")
    one_edge = HORN.copy()
    one_edge[0, 1] = one_edge[1, 0] = -0.75
    yield record(
        "horn/one-zero-lifted", one_edge, "boundary", "H + N where N misses a zero of H", ray=indicator(5, (1, 2))
    )
    yield record("horn/and-identity", direct_sum([HORN, np.eye(3)]), "boundary", "direct sum", ray=indicator(8, (0, 1)))
    yield record(
        "horn/and-swap", direct_sum([HORN, HORN + np.eye(5)]), "boundary", "direct sum", ray=indicator(10, (0, 1))
    )
    for copies in (2, 4, 8):
        n = 5 * copies
        parts, order = shuffled(direct_sum([HORN] * copies), copies)
        zero = indicator(n, (0, 1))[order]
        yield from _around(f"horn/sum-of-{copies}", parts, zero, (0.005,), "direct sum of Horn's matrices")
        apart = np.kron(1 - np.eye(copies), np.ones((5, 5)))
        parts, scale = rescaled(direct_sum([HORN] * copies) + apart, copies)
        source = "H ⊕ … ⊕ H + N, N zero in the blocks"
        yield record(f"horn/sum-of-{copies}-repelling", parts, "boundary", source, ray=indicator(n, (0, 1)) / scale)
        source = "H ⊗ J: (H ⊗ J)[z] = H[y], y the sums over copies"
        for answer, step in (("boundary", 0.0), ("not", -0.005), ("strict", 0.005)):
            copied = np.kron(HORN + step * np.eye(5), np.ones((copies, copies)))
            ray = None if answer == "strict" else indicator(n, (0, copies))
            yield record(f"horn/copied-{copies}-{answer}", copied, answer, source, ray=ray)


def hoffman_pereira_matrix(graph: nx.Graph[int], far: int) -> Array:
    """1 on the diagonal and at distance 2, −1 on edges, `far` (0 or 1) beyond."""
    nodes = sorted(graph)
    distance = dict(nx.all_pairs_shortest_path_length(graph))
    entry = {0: 1, 1: -1, 2: 1}
    return np.array([[entry.get(distance[i].get(j, 9), far) for j in nodes] for i in nodes], dtype=float)


def hoffman_pereira() -> Iterator[Record]:
    """Triangle-free graphs: cycles, cages, cubes."""
    source = "Hoffman, Pereira 1973: entries 0, ±1, diagonal 1: copositive iff a_ij = a_ik = −1 implies a_jk = 1"
    graphs: dict[str, nx.Graph[int]] = {
        "cycle-6": nx.cycle_graph(6), "cycle-7": nx.cycle_graph(7), "cycle-9": nx.cycle_graph(9),
        "path-8": nx.path_graph(8),
        "petersen": nx.petersen_graph(), "groetzsch": nx.mycielski_graph(4), "k33": nx.complete_bipartite_graph(3, 3),
        "cube": nx.convert_node_labels_to_integers(nx.hypercube_graph(3)), "heawood": nx.heawood_graph(),
        "cycle-15": nx.cycle_graph(15), "clebsch": _clebsch(),
        "tesseract": nx.convert_node_labels_to_integers(nx.hypercube_graph(4)),
        "dodecahedron": nx.dodecahedral_graph(), "desargues": nx.desargues_graph(),
        "mycielski-5": nx.mycielski_graph(5),
        "tutte-coxeter": nx.LCF_graph(30, [-13, -9, 7, -7, 9, 13], 5), "cycle-40": nx.cycle_graph(40),
    }  # fmt: skip
    for name, graph in graphs.items():
        nodes = sorted(graph)
        edge = next(iter(graph.edges))
        zero = indicator(len(nodes), [nodes.index(v) for v in edge])
        for far in (0, 1):
            matrix = hoffman_pereira_matrix(graph, far)
            steps = (0.005,) if far == len(nodes) % 2 else ()
            yield from _around(f"hoffman-pereira/{name}-{far}", matrix, zero, steps, source)


def _clebsch() -> nx.Graph[int]:
    """The folded 5-cube: 16 nodes, no triangle."""
    graph: nx.Graph[int] = nx.convert_node_labels_to_integers(nx.hypercube_graph(4), ordering="sorted")
    graph.add_edges_from((i, 15 - i) for i in range(8))
    return graph


def hildebrand_matrix(tangents: Sequence[Fraction]) -> tuple[list[list[Fraction]], list[Fraction]]:
    """T(ψ) of Hildebrand 2012 with ψ_k = 2 atan(tangents_k), in rationals, and a zero of it.

    T_{k,k+1} = −cos ψ_{k+3}, T_{k,k+2} = cos(ψ_{k+3} + ψ_{k+4}) with indices mod 5; ψ > 0, Σψ < π.
    """
    cos = [(1 - t * t) / (1 + t * t) for t in tangents]
    sin = [2 * t / (1 + t * t) for t in tangents]
    rows = [[Fraction(1) for _ in range(5)] for _ in range(5)]
    for k in range(5):
        p, q = (k + 3) % 5, (k + 4) % 5
        rows[k][(k + 1) % 5] = rows[(k + 1) % 5][k] = -cos[p]
        rows[k][(k + 2) % 5] = rows[(k + 2) % 5][k] = cos[p] * cos[q] - sin[p] * sin[q]
    across = sin[3] * cos[4] + cos[3] * sin[4]
    return rows, [sin[4], across, sin[3], Fraction(0), Fraction(0)]


def hildebrand() -> Iterator[Record]:
    """T(ψ) with rational cosines, times its denominator: integers, exactly on the boundary."""
    source = "Hildebrand 2012: T(ψ) is extreme of order 5, zeros (sin ψ5, sin(ψ4 + ψ5), sin ψ4, 0, 0) and rotations"
    choices = (
        "1/5 1/5 1/5 1/5 1/5",
        "1/10 1/7 1/5 1/4 1/3",
        "1/2 1/9 1/9 1/3 1/8",
        "1/100 1/3 1/100 1/3 1/100",
        "9/20 1/2 1/50 1/7 1/40",
    )
    for number, choice in enumerate(choices):
        exact, zero = hildebrand_matrix([Fraction(word) for word in choice.split()])
        common = lcm(*(x.denominator for row in exact for x in row))
        matrix = np.array([[int(x * common) for x in row] for row in exact], dtype=float)
        ray = np.array([int(x * lcm(*(y.denominator for y in zero))) for x in zero], dtype=float)
        yield from _around(f"hildebrand/t{number}", matrix, ray, (1e-3, 1e-8), source)
        copied = np.kron(matrix, np.ones((2, 2)))
        yield record(f"hildebrand/t{number}-copied", copied, "boundary", "T ⊗ J", ray=np.kron(ray, [1, 0]))
        if number < 2:
            beside = direct_sum([matrix, HORN]) + 2.0 * np.kron([[0, 1], [1, 0]], np.ones((5, 5)))
            yield record(
                f"hildebrand/t{number}-with-horn", beside, "boundary", "direct sum + N", ray=[*ray, 0, 0, 0, 0, 0]
            )


def valiaho() -> Iterator[Record]:
    """λI − J around λ = n: below it, every smaller principal submatrix is still strictly copositive."""
    source = "λI − J: PSD iff λ ≥ n, almost copositive for n − 1 ≤ λ < n (Väliaho 1989)"
    for n in (2, 3, 5, 10, 20, 40):
        for name, value in (
            ("at-n", n),
            ("below", 0.995 * n),
            ("above", 1.005 * n),
            ("tiny-below", n - 1e-9),
            ("half", n - 0.5),
        ):
            matrix = value * np.eye(n) - 1
            answer = "boundary" if value == n else "strict" if value > n else "not"
            yield record(f"valiaho/{name}-{n}", matrix, answer, source, ray=None if value > n else np.ones(n))


def standard_quadratic() -> Iterator[Record]:
    """Q − qE around the known minimum q of a form on the simplex."""
    genetics = np.array(
        [
            [-14, -15, -16, 0, 0],
            [-15, -14, -12.5, -22.5, -15],
            [-16, -12.5, -10, -26.5, -16],
            [0, -22.5, -26.5, 0, 0],
            [0, -15, -16, 0, -14],
        ]
    )
    source = "minimum −16⅓ on the simplex (Bomze, de Klerk 2002, example 5.3)"
    matrix, zero = 3 * genetics + 49, indicator(5, (1, 2, 3))
    yield record("stqp/population-genetics", matrix, "boundary", source, ray=zero)
    yield record("stqp/population-genetics-above", matrix + 0.25, "strict", source)
    yield record("stqp/population-genetics-below", matrix - 0.25, "not", source, ray=zero)


def subset_sum_form(sizes: Sequence[int], total: int) -> tuple[Array, Array]:
    """(Σ a_j y_j − b t)² + Σ (y_j + s_j − t)² + Σ y_j s_j in (y, s, t), doubled; and its part Σ y_j s_j."""
    k = len(sizes)
    rows = [[*sizes, *[0] * k, -total]]
    rows += [[int(i == j) for i in range(k)] * 2 + [-1] for j in range(k)]
    factor, both = np.array(rows, dtype=float), np.zeros((2 * k + 1, 2 * k + 1))
    for j in range(k):
        both[j, k + j] = both[k + j, j] = 1.0
    return 2 * factor.T @ factor + both, both


def subset_sum() -> Iterator[Record]:
    """Strict iff no part of the sizes adds up to the total: what makes copositivity co-NP-hard."""
    source = "zero iff y_j ∈ {0, t}, s_j = t − y_j, Σ a_j y_j = b t (Murty, Kabadi 1987)"
    cases = (
        ("3", (2, 3, 7), 9, (0, 2)), ("3-none", (2, 3, 7), 8, None), ("4", (3, 5, 6, 7), 14, (0, 1, 2)),
        ("4-none", (4, 6, 8, 10), 13, None), ("5", (3, 5, 8, 9, 11), 25, (0, 2, 3, 1)),
        ("5-none", (3, 6, 9, 12, 15), 22, None),
        ("8", (5, 7, 8, 11, 13, 16, 19, 23), 51, (2, 3, 4, 6)), ("8-none", (6, 9, 12, 15, 21, 24, 27, 33), 74, None),
    )  # fmt: skip
    for name, sizes, total, chosen in cases:
        k, (matrix, both) = len(sizes), subset_sum_form(sizes, total)
        ray = (
            None
            if chosen is None
            else [*(float(j in chosen) for j in range(k)), *(float(j not in chosen) for j in range(k)), 1.0]
        )
        answer = "strict" if chosen is None else "boundary"
        yield record(f"subset-sum/{name}", matrix, answer, source, ray=ray, nonnegative=both)
        if ray is not None:
            yield record(f"subset-sum/{name}-below", matrix - 0.001 * np.diag(np.diag(matrix)), "not", source, ray=ray)
