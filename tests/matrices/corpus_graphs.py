"""Motzkin and Straus's matrices of graphs whose clique number is known."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product
from typing import NamedTuple

import networkx as nx

from .record import Record, indicator, record, rescaled, shuffled
from .reference import Array

SOURCE = "λ(E − Adj) − E is copositive iff λ ≥ ω, strictly iff λ > ω (Motzkin, Straus 1965; de Klerk, Pasechnik 2002)"


class Known(NamedTuple):
    """A graph and its clique number by theory."""

    name: str
    graph: nx.Graph[int]
    clique_number: int


def paley(q: int) -> nx.Graph[int]:
    """Residues mod a prime q ≡ 1 (mod 4), joined where they differ by a square."""
    squares = {x * x % q for x in range(1, q)}
    return _related(range(q), [(i, j) for i, j in combinations(range(q), 2) if (j - i) % q in squares])


def kneser(n: int, k: int) -> nx.Graph[int]:
    """k-subsets of n, joined where disjoint: ω = ⌊n/k⌋."""
    sets = [set(chosen) for chosen in combinations(range(n), k)]
    return _related(range(len(sets)), [(i, j) for i, j in combinations(range(len(sets)), 2) if not sets[i] & sets[j]])


def johnson(n: int, k: int, apart: int) -> nx.Graph[int]:
    """k-subsets of n, joined where they differ in at least `apart` places: DIMACS johnson n-k-apart."""
    sets = [set(chosen) for chosen in combinations(range(n), k)]
    return _related(
        range(len(sets)), [(i, j) for i, j in combinations(range(len(sets)), 2) if len(sets[i] ^ sets[j]) >= apart]
    )


def binary(n: int, apart: int) -> nx.Graph[int]:
    """Words of n bits, joined where they differ in at least `apart` places: DIMACS hamming n-apart."""
    return _related(range(2**n), [(i, j) for i, j in combinations(range(2**n), 2) if (i ^ j).bit_count() >= apart])


def hamming(length: int, letters: int) -> nx.Graph[int]:
    """Words that differ in one place: ω = letters."""
    words = list(product(range(letters), repeat=length))
    near = [
        sum(a != b for a, b in zip(words[i], words[j], strict=True)) == 1 for i, j in combinations(range(len(words)), 2)
    ]
    return _related(
        range(len(words)),
        [pair for pair, joined in zip(combinations(range(len(words)), 2), near, strict=True) if joined],
    )


def shrikhande() -> nx.Graph[int]:
    """ℤ4 × ℤ4, joined by ±(1, 0), ±(0, 1), ±(1, 1): parameters of the 4 × 4 rook's graph, but ω = 3."""
    steps = {(1, 0), (3, 0), (0, 1), (0, 3), (1, 1), (3, 3)}
    pairs = combinations(range(16), 2)
    return _related(range(16), [(i, j) for i, j in pairs if ((i // 4 - j // 4) % 4, (i % 4 - j % 4) % 4) in steps])


def _related(nodes: range, edges: list[tuple[int, int]]) -> nx.Graph[int]:
    graph: nx.Graph[int] = nx.Graph()
    graph.add_nodes_from(nodes)
    graph.add_edges_from(edges)
    return graph


def known_graphs() -> Iterator[Known]:
    """Up to 40 nodes."""
    for n in (4, 5, 7, 8, 11, 20, 39):
        yield Known(f"cycle-{n}", nx.cycle_graph(n), 2)
    for n in (3, 8, 24):
        yield Known(f"complete-{n}", nx.complete_graph(n), n)
    yield Known("empty-9", nx.empty_graph(9), 1)
    for q, omega in ((5, 2), (13, 3), (17, 3), (29, 4), (37, 4)):
        yield Known(f"paley-{q}", paley(q), omega)
    for n, k in ((5, 2), (6, 2), (7, 2), (7, 3)):
        yield Known(f"kneser-{n}-{k}", kneser(n, k), n // k)
    yield Known("johnson8-2-4", johnson(8, 2, 4), 4)
    yield Known("triangular-6", nx.line_graph(nx.complete_graph(6)), 5)
    yield Known("hamming4-2", binary(4, 2), 8)
    yield Known("hamming5-2", binary(5, 2), 16)
    yield Known("hamming5-4", binary(5, 4), 2)
    for length, letters in ((2, 3), (2, 4), (2, 6), (3, 3)):
        yield Known(f"words-{length}-{letters}", hamming(length, letters), letters)
    yield Known("shrikhande", shrikhande(), 3)
    yield Known("icosahedron", nx.icosahedral_graph(), 3)
    yield Known("chvatal", nx.chvatal_graph(), 2)
    yield Known("groetzsch", nx.mycielski_graph(4), 2)
    yield Known("mycielski-5", nx.mycielski_graph(5), 2)
    yield Known("turan-12-4", nx.turan_graph(12, 4), 4)
    yield Known("cocktail-10", nx.turan_graph(20, 10), 10)
    yield Known("heawood", nx.heawood_graph(), 2)
    yield Known("pappus", nx.pappus_graph(), 2)


def known_large_graphs() -> Iterator[Known]:
    """50 to 64 nodes."""
    yield Known("hoffman-singleton", nx.hoffman_singleton_graph(), 2)
    yield Known("kneser-8-3", kneser(8, 3), 2)
    yield Known("paley-53", paley(53), 5)
    yield Known("hamming6-2", binary(6, 2), 32)
    yield Known("hamming6-4", binary(6, 4), 4)


def relabelled(graph: nx.Graph[int]) -> nx.Graph[int]:
    return nx.convert_node_labels_to_integers(graph, ordering="sorted")


def clique(graph: nx.Graph[int]) -> list[int]:
    """A largest clique, by networkx's branch and bound: independent of the theory."""
    return list(nx.max_weight_clique(graph, weight=None)[0])


def motzkin_straus(graph: nx.Graph[int], value: float) -> Array:
    """λ(E − Adj) − E."""
    apart = 1 - nx.to_numpy_array(graph, nodelist=sorted(graph))
    return value * apart - 1


def motzkin() -> Iterator[Record]:
    """At λ = ω, ω ± ½ %, and for some ω ± 1."""
    for known in known_graphs():
        yield from around(known, wide=known.graph.number_of_nodes() % 4 == 0)


def large_motzkin() -> Iterator[Record]:
    for known in known_large_graphs():
        yield from around(known, wide=False)


def around(known: Known, wide: bool) -> Iterator[Record]:
    graph, omega = relabelled(known.graph), known.clique_number
    n, members = graph.number_of_nodes(), clique(graph)
    ray = indicator(n, members)
    steps = {"at": omega, "below": 0.995 * omega, "above": 1.005 * omega}
    if wide:
        steps |= {"one-below": omega - 1.0, "one-above": omega + 1.0}
    for word, value in steps.items():
        matrix, order = shuffled(motzkin_straus(graph, value), n)
        answer = "boundary" if value == omega else "strict" if value > omega else "not"
        known_ray = ray[order] if value <= omega else None
        yield record(f"motzkin/{known.name}-{word}", matrix, answer, SOURCE, ray=known_ray)
    scaled, scale = rescaled(motzkin_straus(graph, omega), n)
    if n <= 20 and n % 2:
        yield record(f"motzkin/{known.name}-rescaled", scaled, "boundary", SOURCE, ray=ray / scale)
