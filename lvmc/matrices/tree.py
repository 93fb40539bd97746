"""Branching over supports: the exact test, its certificate the list of the nodes with a short proof of each leaf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import nextafter
from time import perf_counter

import numpy as np

from lvmc.matrices.ascent import candidates
from lvmc.matrices.evidence import of_fractions, zero_vector
from lvmc.matrices.leaves import Code, Leaf, Node, curvature, guided, linear, psd, signed, solved
from lvmc.matrices.problem import Problem
from lvmc.matrices.rational import whole
from lvmc.matrices.semidefinite import proved
from lvmc.matrices.shifted import Bits, Shifted, members, parts, shifted
from lvmc.matrices.spn import split
from lvmc.verdicts import Array, Certificate

MOST_NODES = 200_000
TINY = 1e-9
"""Local minima this close to 0 are looked at for an exact zero."""
NEARLY = 1e-4
"""A local minimum this close to 0 rules out a split with a margin worth seeking: its support is branched on instead."""
BARELY = -1e-3
"""Where a split fails by no more than this there may be a local minimum near 0 to be found."""
PASSES = 40
"""Passes of ADMM a node; more decide few more."""


@dataclass(frozen=True)
class Branched:
    """How a branching ended: with a certificate, with a vector that refutes it, or with neither, in time.

    Attributes:
        certificate: Proof that A − diag(shift) is copositive.
        below: z of the cone with zᵀAz < Σ shift_i z_i², as floats whose sum it is.
        nodes: How many nodes were opened.
    """

    certificate: Certificate | None = None
    below: tuple[Array, ...] = ()
    nodes: int = 0


@dataclass(frozen=True)
class Open:
    """A node yet to be closed: M, one connected T, and a nonnegative part that may serve."""

    must: Bits
    may: Bits
    start: Array


@dataclass(frozen=True)
class Guide:
    """A local minimum z, its support and zᵀA'z/zᵀDz: once M holds the support, z is a leaf."""

    support: Bits
    z: Array
    value: float

    @property
    def zero(self) -> bool:
        return self.value < NEARLY

    @cached_property
    def share(self) -> Array:
        return (self.z > 0) / np.count_nonzero(self.z)


@dataclass
class Search:
    """The state of one branching.

    Attributes:
        form: A' and Â.
        scaled: D^-½ A' D^-½.
        until: `perf_counter()` at which to stop.
        guides: Local minima met so far.
        last: The margin of the last split.
        ops: The nodes so far, in the order in which a checker reads them.
        data: The numbers that their checks read.
    """

    form: Shifted
    scaled: Array
    until: float
    guides: list[Guide]
    last: float = 0.0
    ops: list[tuple[int, int]] = field(default_factory=list[tuple[int, int]])
    data: list[float] = field(default_factory=list[float])

    def add(self, code: Code, index: int = 0, data: tuple[float, ...] = ()) -> None:
        self.ops.append((int(code), index))
        self.data.extend(data)

    @property
    def shifted(self) -> bool:
        return bool(self.form.shift.any())

    def zeros(self, here: Open) -> list[Guide]:
        """The zeros whose supports lie in T."""
        return [each for each in self.guides if each.zero and each.support & ~here.may == 0]


def branched(
    problem: Problem, shift: Array, minima: Sequence[Array] = (), start: Array | None = None, until: float = np.inf
) -> Branched:
    """Whether A − diag(shift) is copositive on the cone, by branching on whether an index is in the support.

    Theorem. If A' = A − diag(shift) is not copositive there is x ≥ 0, wᵀx = 1, of least value λ = xᵀÂx < 0 and, among
    those, of smallest support I. No two of I are exclusive; I is connected by negative couplings; Âx = λw on I and ≥ λw
    elsewhere; and uᵀÂu > 0 for u ≠ 0 on I with wᵀu = 0 (else x + tu reaches a smaller support at no higher value).
    A node M ⊆ I ⊆ S falls into the connected parts T of S that hold M; each is closed by a leaf (`leaves.py`), or an
    index j is chosen: (M ∪ {j}, T less what excludes j) and (M, T less j). With T = M `solved` decides, so it ends.

    Args:
        problem: A with positive diagonal, and its groups.
        shift: (n,), 0 ≤ shift_i < a_ii.
        minima: Local minima of zᵀAz/zᵀDz, to be guided by.
        start: A nonnegative part N of D^-½ A D^-½ that may serve at the root.
        until: `perf_counter()` at which to stop.
    """
    form, root = shifted(problem, shift), np.sqrt(problem.weights)
    scaled = form.matrix / np.outer(root, root)
    first = np.where(form.rivals, scaled, np.maximum(scaled, 0.0)) if start is None else start
    ratios = [float(z @ form.matrix @ z) / float(z @ (problem.weights * z)) for z in minima]
    search = Search(form, scaled, until, [guide(z, value) for z, value in zip(minima, ratios, strict=True)])
    stack, nodes = opened(form, 0, (1 << form.size) - 1, first), 0
    while stack:
        if perf_counter() > until or nodes > MOST_NODES:
            return Branched(nodes=nodes)
        nodes += 1
        if found := visited(search, stack.pop(), stack):
            return Branched(below=found, nodes=nodes)
    return Branched(certificate(search), nodes=nodes)


def guide(z: Array, value: float) -> Guide:
    return Guide(sum(1 << int(i) for i in np.flatnonzero(z)), z, value)


def opened(form: Shifted, must: Bits, may: Bits, start: Array) -> list[Open]:
    """The connected parts that hold M, the last one first; single ones are closed by a'_ii ≥ 0."""
    fit = [part for part in parts(may, form.negative) if must & ~part == 0 and part & (part - 1)]
    return [Open(must, part, start) for part in reversed(fit)]


def visited(search: Search, here: Open, stack: list[Open]) -> tuple[Array, ...]:
    """Close a node by a leaf, or branch; or return the vector that refutes the whole."""
    form = search.form
    node = Node(form, np.array(members(here.must), dtype=np.int64), np.array(members(here.may)), here.start)
    leaf = cheap(node, search.guides, here)
    if leaf is None and here.must == here.may:
        face = solved(node)
        if isinstance(face, list):
            return of_fractions(form.size, [int(i) for i in node.must], face)
        assert face is not None, "a singular face is closed by its curvature"
        leaf = face
    kept, mass = here.start, np.ones(len(node.may))
    if leaf is None and not search.zeros(here):
        leaf, kept, mass = split_leaf(search, node)
        promising = not search.shifted or search.last > BARELY
        if leaf is None and promising and (below := look_around(search, node)):
            return below
    if leaf is not None:
        search.add(leaf.code, data=unscaled(leaf, node))
        return ()
    chosen = choice(search, here, node, mass)
    search.add(Code.BRANCH, chosen)
    bit = 1 << chosen
    stack += opened(form, here.must, here.may & ~bit, kept)
    stack += opened(form, here.must | bit, here.may & ~form.exclusive[chosen], kept)
    return ()


def cheap(node: Node, guides: list[Guide], here: Open) -> Leaf | None:
    """The leaves that cost little."""
    for proof in (signed, psd, curvature):
        if (leaf := proof(node)) is not None:
            return leaf
    for each in guides:
        if each.support & ~here.must == 0 and (leaf := guided(node, each.z)) is not None:
            return leaf
    return linear(node)


def look_around(search: Search, node: Node) -> tuple[Array, ...]:
    """Local minima among the supports in T, as guides; the first with a ratio below 0 is returned."""
    form, rows = search.form, node.may
    part = replace(form.problem, matrix=form.matrix, scales=None).part(rows)
    for value, z in candidates(part, search.until, most=2):
        exact = zero_vector(part, z) if abs(value) < TINY else None
        full = np.zeros(form.size)
        full[rows] = z if exact is None else exact.parts[0]
        if value < 0 and negative(form, full):
            return (full,)
        search.guides.append(guide(full, value))
    return ()


def negative(form: Shifted, z: Array) -> bool:
    """Whether zᵀA'z < 0, exactly."""
    support = np.flatnonzero(z)
    numbers, _ = whole(z[support])
    return bool(numbers @ (form.exact[np.ix_(support, support)] @ numbers) < 0)


def split_leaf(search: Search, node: Node) -> tuple[Leaf | None, Array, Array]:
    """A'_TT − N positive semidefinite with N ≥ 0 off the group pairs, from the parent's N by some passes of ADMM.

    Returns:
        The leaf, if there is one; the N found; and how much each index of T has to do with the failure.
    """
    form, grid = search.form, np.ix_(node.may, node.may)
    root = np.sqrt(form.problem.weights[node.may])
    most = PASSES if len(node.may) > 4 else 15
    found = split(search.scaled[grid], form.rivals[grid], node.start[grid], goal=1e-9, most=most, until=search.until)
    search.last = found.margin
    kept = node.start.copy()
    kept[grid] = found.nonnegative
    if found.margin > 0:
        nonnegative = found.nonnegative * np.outer(root, root)
        if proved(form.matrix[grid] - nonnegative):
            return Leaf(Code.SPN, tuple(nonnegative[np.triu_indices(len(root), 1)])), kept, np.zeros(0)
    _, vectors = np.linalg.eigh(search.scaled[grid] - found.nonnegative)
    return None, kept, vectors[:, 0] ** 2


def choice(search: Search, here: Open, node: Node, mass: Array) -> int:
    """The index of T, not in M, that matters most: to the zeros in T, else to the failure of the split."""
    if zeros := search.zeros(here):
        mass = np.sum([each.share[node.may] for each in zeros], axis=0)
    return int(node.may[int(np.argmax(np.where(np.isin(node.may, node.must), -1.0, mass)))])


def unscaled(leaf: Leaf, node: Node) -> tuple[float, ...]:
    """The numbers of a leaf for the matrix before its scaling, S⁻¹ A S⁻¹: Sy, and S⁻¹ N S⁻¹."""
    scales = node.form.problem.scales
    if scales is None or not leaf.data:
        return leaf.data
    here = scales[node.may]
    if leaf.code == Code.LINEAR:
        return tuple(here * leaf.data)
    return tuple(np.array(leaf.data) / np.outer(here, here)[np.triu_indices(len(here), 1)])


def certificate(search: Search) -> Certificate:
    """Kind "tree": arrays w (n,), shift (n,), ops (k, 2) and data (m,), for the matrix before its scaling."""
    form = search.form
    scales = np.ones(form.size) if form.problem.scales is None else form.problem.scales
    arrays = {
        "w": form.weights / scales,
        "shift": form.shift / scales**2,
        "ops": np.array(search.ops, dtype=np.float64).reshape(-1, 2),
        "data": np.array(search.data, dtype=np.float64),
    }
    margin = float((form.shift / form.problem.weights).min())
    margin = nextafter(margin, 0.0) if margin > 0 else 0.0
    return Certificate("strict" if margin > 0 else "copositive", "tree", margin, arrays)
