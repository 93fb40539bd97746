"""A matrix with groups whose answers are known, and what proves them."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .reference import Array, Groups, is_psd


@dataclass(frozen=True, eq=False)
class Record:
    """One matrix of the corpus, exactly as its floats say.

    Attributes:
        name: "family/what it is".
        matrix: (n, n), symmetric.
        groups: Units of which at most one is nonzero.
        copositive: Known answer over the cone.
        strict: Known answer over the cone.
        source: The theorem that gives them, and its paper.
        ray: z in the cone with zᵀAz < 0 where not copositive, zᵀAz = 0 where not strict, exactly; or None.
        nonnegative: N ≥ 0 such that A − N is PSD, exactly; or None.
    """

    name: str
    matrix: Array
    groups: Groups
    copositive: bool
    strict: bool
    source: str
    ray: Array | None = None
    nonnegative: Array | None = None

    @property
    def family(self) -> str:
        return self.name.split("/")[0]

    @property
    def size(self) -> int:
        return len(self.matrix)

    @cached_property
    def psd(self) -> bool:
        """Of the whole matrix, groups aside, in integers."""
        return is_psd(self.matrix)


def record(
    name: str,
    matrix: ArrayLike,
    answers: str,
    source: str,
    groups: Groups = None,
    ray: ArrayLike | None = None,
    nonnegative: ArrayLike | None = None,
) -> Record:
    """`answers` is "strict", "boundary" (copositive, not strictly) or "not"."""
    assert answers in {"strict", "boundary", "not"}
    known = {"copositive": answers != "not", "strict": answers == "strict"}
    z = None if ray is None else np.asarray(ray, dtype=float)
    extra = None if nonnegative is None else np.asarray(nonnegative, dtype=float)
    return Record(name, np.array(matrix, dtype=float), groups, **known, source=source, ray=z, nonnegative=extra)


def direct_sum(blocks: Iterable[Array]) -> Array:
    """A block-diagonal matrix."""
    blocks = list(blocks)
    whole, at = np.zeros((sum(map(len, blocks)),) * 2), 0
    for block in blocks:
        whole[at : at + len(block), at : at + len(block)] = block
        at += len(block)
    return whole


def shuffled(matrix: Array, seed: int, groups: Groups = None) -> tuple[Array, list[int]]:
    """The matrix with its units in another order, and that order: new unit k is old unit order[k]."""
    order = list(range(len(matrix)))
    random.Random(seed).shuffle(order)
    return matrix[np.ix_(order, order)], order


def rescaled(matrix: Array, seed: int) -> tuple[Array, Array]:
    """EAE with E a positive diagonal of powers of two, exact in floats, and diag(E): z of A is z/diag(E) of EAE."""
    draw = random.Random(seed)
    scale = np.array([2.0 ** draw.randint(-6, 6) for _ in matrix])
    return matrix * np.outer(scale, scale), scale


def integers(seed: int, rows: int, columns: int, low: int, high: int) -> Array:
    """A random matrix of integers low…high, the same on every machine."""
    draw = random.Random(seed)
    return np.array([[draw.randint(low, high) for _ in range(columns)] for _ in range(rows)], dtype=float)


def symmetric(upper: Array) -> Array:
    """The symmetric matrix with this strict upper triangle and no diagonal."""
    above = np.triu(upper, 1)
    return above + above.T


def indicator(n: int, support: Sequence[int]) -> Array:
    z = np.zeros(n)
    z[list(support)] = 1.0
    return z
