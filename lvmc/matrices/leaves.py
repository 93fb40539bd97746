"""What closes a node M ⊆ I ⊆ T of the branching: short proofs that no least minimal support I is among these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from fractions import Fraction

import numpy as np
from scipy.linalg import LinAlgError

from lvmc.matrices.problem import Indices, Mask
from lvmc.matrices.rational import semidefinite, solution, solvable, whole
from lvmc.matrices.semidefinite import EXACT_SIZE, UNIT, proved
from lvmc.matrices.shifted import Shifted
from lvmc.matrices.spn import least
from lvmc.verdicts import Array

NEAR = 1e-9
"""Least eigenvalues this close to 0 are looked at exactly."""


class Code(IntEnum):
    """The codes of `ops` in a tree certificate."""

    BRANCH = 0
    PSD = 1
    SIGNED = 2
    SPN = 3
    LINEAR = 4
    CURVATURE = 5
    SOLVE = 6


@dataclass(frozen=True)
class Leaf:
    """A proof: its code, and the numbers that its check reads."""

    code: Code
    data: tuple[float, ...] = ()


@dataclass(frozen=True)
class Node:
    """The supports I with M ⊆ I ⊆ T, of a form A' = A − diag(shift).

    Attributes:
        form: A' and its lift Â.
        must: M, ascending.
        may: T, ascending.
        start: A nonnegative part N of D^-½ A' D^-½ that may serve, (n, n).
    """

    form: Shifted
    must: Indices
    may: Indices
    start: Array


def signed(node: Node) -> Leaf | None:
    """zᵀÂz ≥ zᵀ(Â without its positive couplings)z, and that is semidefinite: dominance by some weights v (T1)."""
    grid = np.ix_(node.may, node.may)
    part = np.minimum(node.form.lifted[grid], 0.0)
    np.fill_diagonal(part, np.diag(node.form.matrix)[node.may])
    return Leaf(Code.SIGNED) if nonnegative(part, lambda: signed_exactly(node)) else None


def signed_exactly(node: Node) -> bool:
    grid = np.ix_(node.may, node.may)
    part = np.where(node.form.lifted[grid] < 0, node.form.exact[grid], 0)
    part[np.diag_indices(len(part))] = node.form.exact[grid].diagonal()
    return semidefinite(part)


def psd(node: Node) -> Leaf | None:
    """A' is positive semidefinite on T."""
    grid = np.ix_(node.may, node.may)
    held = nonnegative(node.form.matrix[grid], lambda: semidefinite(node.form.exact[grid]))
    return Leaf(Code.PSD) if held else None


def nonnegative(part: Array, exactly: Callable[[], bool]) -> bool:
    """Whether a part is positive semidefinite: by Cholesky with room, or exactly where it is nearly singular."""
    if proved(part):
        return True
    close = least(part) > -NEAR * float(np.abs(part).max())
    return close and len(part) <= EXACT_SIZE and exactly()


def curvature(node: Node) -> Leaf | None:
    """Â is not positive definite on {u on M: wᵀu = 0}, as it is on every least minimal support."""
    if len(node.must) < 2:
        return None
    grid = np.ix_(node.must, node.must)
    lifted, weights = node.form.lifted[grid], node.form.weights[node.must]
    basis = np.concatenate([-np.ones((len(weights) - 1, 1)) / weights[0], np.diag(1 / weights[1:])], axis=1)
    turned = basis @ lifted @ basis.T
    value, slack = least(turned), 1e-11 * float(np.abs(turned).max())
    if value > slack:
        return None
    return Leaf(Code.CURVATURE) if value < -slack or not convex_exactly(node) else None


def convex_exactly(node: Node) -> bool:
    """Whether Â is positive definite on {u on M: wᵀu = 0}: the basis w_0 w_k (e_k/w_k − e_0/w_0)."""
    grid = np.ix_(node.must, node.must)
    lifted, weights = node.form.exact_lifted[grid], node.form.exact_weights[node.must]
    first, rest = weights[0], weights[1:]
    turned = (
        first * first * lifted[1:, 1:]
        - first * np.multiply.outer(rest, lifted[0, 1:])
        - first * np.multiply.outer(lifted[1:, 0], rest)
        + np.multiply.outer(rest, rest) * lifted[0, 0]
    )
    return semidefinite(turned, definite=True)


def linear(node: Node) -> Leaf | None:
    """y with y ≤ 0 on T less M, Ây ≥ 0 on T and wᵀy > 0: then 0 ≤ xᵀÂy ≤ λ wᵀy < 0, a contradiction.

    Tried are y on M with Ây = w there, or nearly e_k.
    """
    if not len(node.must):
        return None
    grid = np.ix_(node.must, node.must)
    try:
        inverse = np.linalg.inv(node.form.lifted[grid])
    except LinAlgError:
        return None
    weights = node.form.weights[node.must]
    rights = np.concatenate([weights[:, None], np.diag(weights) + 1e-3 * weights[:, None]], axis=1)
    y = np.zeros((len(node.may), rights.shape[1]))
    y[np.searchsorted(node.may, node.must)] = inverse @ rights
    clear, _ = signs(node, y)
    total = node.form.weights[node.may] @ y
    held = clear & (total > 1e-12 * (node.form.weights[node.may] @ np.abs(y)))
    if not held.any():
        return None
    return Leaf(Code.LINEAR, tuple(float(value) for value in y[:, int(np.argmax(held))]))


def guided(node: Node, guide: Array) -> Leaf | None:
    """The leaf `linear` with y = z ≥ 0 on M: a local minimum has Âz ≥ 0; checked exactly where it is close."""
    y = guide[node.may]
    clear, possible = signs(node, y[:, None])
    if not possible[0] or not (clear[0] or nonnegative_exactly(node, y)):
        return None
    return Leaf(Code.LINEAR, tuple(float(value) for value in y))


def signs(node: Node, y: Array) -> tuple[Mask, Mask]:
    """Of each column of y, (|T|, m): whether Ây ≥ 0 surely, and whether it may be."""
    lifted = node.form.lifted[np.ix_(node.may, node.may)]
    slack = 8 * (len(node.may) + 4) * UNIT * (np.abs(lifted) @ np.abs(y))
    field = lifted @ y
    return np.all(field > slack, axis=0), np.all(field >= -slack, axis=0)


def nonnegative_exactly(node: Node, y: Array) -> bool:
    """Whether Ây ≥ 0 on T."""
    used = np.flatnonzero(y)
    field = node.form.exact_lifted[np.ix_(node.may, node.may[used])] @ whole(y[used])[0]
    return all(value >= 0 for value in field)


def solved(node: Node) -> Leaf | list[Fraction] | None:
    """On T = M, exactly: x with Âx = λw, λ < 0, or proof that there is none; None where Â is singular yet solvable."""
    grid = np.ix_(node.must, node.must)
    lifted, weights = node.form.exact_lifted[grid], node.form.exact_weights[node.must]
    if (y := solution(lifted, weights)) is None:
        return None if solvable(lifted, weights) else Leaf(Code.SOLVE)
    return [-value for value in y] if all(value < 0 for value in y) else Leaf(Code.SOLVE)
