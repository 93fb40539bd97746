"""Exact deciders of copositivity over z ≥ 0 with at most one nonzero entry in a group, by two unrelated methods."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import groupby, product
from math import gcd, lcm, prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Rows = list[list[int]]
Number = int | float | Fraction
Groups = Sequence[Sequence[int]] | None


class Answers(NamedTuple):
    """Whether zᵀAz ≥ 0 over the cone, and whether it is > 0 there but at 0."""

    copositive: bool
    strict: bool


def whole(matrix: Array | Sequence[Sequence[Number]]) -> Rows:
    """The smallest positive multiple of a matrix of floats or fractions with integer entries: the same answers."""
    rows = [[Fraction(entry) for entry in row] for row in matrix]
    common = lcm(*(entry.denominator for row in rows for entry in row))
    return shortened([[int(entry * common) for entry in row] for row in rows])


def shortened(rows: Rows) -> Rows:
    """The rows divided by the greatest common divisor of all entries."""
    divisor = gcd(*(entry for row in rows for entry in row)) or 1
    return [[entry // divisor for entry in row] for row in rows]


def form(matrix: Array | Sequence[Sequence[Number]], z: Sequence[Number] | Array) -> Fraction:
    """zᵀAz in rationals."""
    entries = {i: Fraction(float(x)) if isinstance(x, np.floating) else Fraction(x) for i, x in enumerate(z) if x}
    return sum((Fraction(matrix[i][j]) * x * y for i, x in entries.items() for j, y in entries.items()), Fraction(0))


def in_cone(z: Sequence[Number] | Array, groups: Groups) -> bool:
    """Whether z ≥ 0 with at most one nonzero entry in a group."""
    return all(x >= 0 for x in z) and all(sum(1 for i in group if z[i]) <= 1 for group in groups or ())


def principal(rows: Rows, support: Sequence[int]) -> Rows:
    return [[rows[i][j] for j in support] for i in support]


def determinant(rows: Rows) -> int:
    """Fraction-free elimination (Bareiss 1968)."""
    rows, sign, previous = [list(row) for row in rows], 1, 1
    for k in range(len(rows)):
        pivot = next((i for i in range(k, len(rows)) if rows[i][k]), None)
        if pivot is None:
            return 0
        if pivot != k:
            rows[k], rows[pivot], sign = rows[pivot], rows[k], -sign
        for row in rows[k + 1 :]:
            factor = row[k]
            for j in range(k + 1, len(rows)):
                row[j] = (row[j] * rows[k][k] - factor * rows[k][j]) // previous
        previous = rows[k][k]
    return sign * previous


def cofactors(rows: Rows) -> Iterator[int]:
    """The entries of the adjugate of a symmetric matrix, on and above its diagonal."""
    n = len(rows)
    for i in range(n):
        for j in range(i, n):
            minor = [[rows[r][c] for c in range(n) if c != j] for r in range(n) if r != i]
            yield (-1) ** (i + j) * determinant(minor)


def supports(n: int, groups: Groups) -> Iterator[tuple[int, ...]]:
    """Every nonempty support of the cone, small ones first."""
    group_of = {i: g for g, group in enumerate(groups or ()) for i in group}
    level: list[tuple[int, ...]] = [(i,) for i in range(n)]
    while level:
        yield from level
        level = [
            (*support, i)
            for support in level
            for i in range(support[-1] + 1, n)
            if i not in group_of or all(group_of.get(j) != group_of[i] for j in support)
        ]


def how_many_supports(n: int, groups: Groups) -> int:
    """The number of nonempty supports of the cone."""
    grouped = sum(len(group) for group in groups or ())
    return 2 ** (n - grouped) * prod(1 + len(group) for group in groups or ()) - 1


def by_determinants(matrix: Array | Sequence[Sequence[Number]], groups: Groups = None) -> Answers:
    """Decide over all supports I of the cone, small ones first.

    Where all smaller ones pass, A_II fails to be copositive iff det A_II < 0 and adj A_II ≥ 0, and fails to be
    strictly copositive iff det A_II ≤ 0 and adj A_II > 0 (Hadeler 1983, theorems 1 and 2).
    """
    rows, strict = whole(matrix), True
    for support in supports(len(rows), groups):
        block = principal(rows, support)
        det = determinant(block)
        if det < 0 and all(c >= 0 for c in cofactors(block)):
            return Answers(False, False)
        strict = strict and not (det <= 0 and all(c > 0 for c in cofactors(block)))
    return Answers(True, strict)


def selections(n: int, groups: Groups) -> Iterator[tuple[int, ...]]:
    """Every choice of one unit out of each group, with all units of none: the cone is the union of their orthants."""
    grouped = {i for group in groups or () for i in group}
    free = tuple(i for i in range(n) if i not in grouped)
    for chosen in product(*(group for group in groups or () if len(group))):
        yield tuple(sorted((*free, *chosen)))


def by_projection(matrix: Array | Sequence[Sequence[Number]], groups: Groups = None) -> Answers:
    """Decide orthant by orthant, eliminating one variable at a time (Andersson, Chang, Elfving 1995; Xu, Yao 2011).

    A = [[a, bᵀ], [b, C]] is copositive iff a ≥ 0, C is, and yᵀ(aC − bbᵀ)y ≥ 0 where y ≥ 0 and bᵀy ≤ 0: a cone that is
    cut into simplicial ones. With a = 0 it is so iff C is and b ≥ 0. Strictly: all of it with >, y ≠ 0.
    """
    rows, strict = whole(matrix), True
    for chosen in selections(len(rows), groups):
        answers = _orthant(principal(rows, chosen))
        if not answers.copositive:
            return answers
        strict = strict and answers.strict
    return Answers(True, strict)


def _orthant(rows: Rows) -> Answers:
    if not rows:
        return Answers(True, True)
    a, b, rest = rows[0][0], rows[0][1:], [row[1:] for row in rows[1:]]
    below = _orthant(rest) if a > 0 or (a == 0 and all(x >= 0 for x in b)) else Answers(False, False)
    if a <= 0 or not below.copositive:
        return Answers(below.copositive, False)
    strict = below.strict
    reduced = [[a * c - b[i] * b[j] for j, c in enumerate(row)] for i, row in enumerate(rest)]
    identity = [[int(i == j) for j in range(len(b))] for i in range(len(b))]
    for corners in _below_plane(identity, b):
        seen = _orthant(shortened(_congruent(reduced, corners)))
        if not seen.copositive:
            return Answers(False, False)
        strict = strict and seen.strict
    return Answers(True, strict)


def _below_plane(corners: Rows, heights: Sequence[int]) -> Iterator[Rows]:
    """Simplicial cones that together are the part of cone(corners) where the height, linear, is ≤ 0."""
    above = next((i for i, h in enumerate(heights) if h > 0), None)
    below = next((i for i, h in enumerate(heights) if h < 0), None)
    if above is None or below is None:
        kept = [corner for corner, h in zip(corners, heights, strict=True) if h <= 0]
        if kept:
            yield kept
        return
    up, down = heights[above], -heights[below]
    crossing = [up * low + down * high for low, high in zip(corners[below], corners[above], strict=True)]
    for replaced in (above, below):
        split = [crossing if i == replaced else corner for i, corner in enumerate(corners)]
        yield from _below_plane(split, [0 if i == replaced else h for i, h in enumerate(heights)])


def _congruent(rows: Rows, corners: Rows) -> Rows:
    images = [[sum(x * y for x, y in zip(row, corner, strict=True)) for row in rows] for corner in corners]
    return [[sum(x * y for x, y in zip(image, corner, strict=True)) for corner in corners] for image in images]


def is_psd(matrix: Array | Sequence[Sequence[Number]]) -> bool:
    """Symmetric elimination in integers (LDLᵀ): no pivot below 0, and where it is 0 the row left is 0."""
    rows, previous = whole(matrix), 1
    while rows:
        pivot = next((k for k, row in enumerate(rows) if row[k]), 0)
        rows = _swapped(rows, pivot)
        head = rows[0][0]
        if head <= 0:
            return not any(entry for row in rows for entry in row)
        rows = [[(row[j] * head - row[0] * rows[0][j]) // previous for j in range(1, len(rows))] for row in rows[1:]]
        previous = head
    return True


def _swapped(rows: Rows, pivot: int) -> Rows:
    order = [pivot, *(i for i in range(len(rows)) if i != pivot)]
    return principal(rows, order)


def minimal_zeros(matrix: Array | Sequence[Sequence[Number]], groups: Groups = None) -> list[tuple[int, ...]]:
    """The zeros of a copositive form of least support, as whole vectors; every zero is a sum of them (Hildebrand 2014).

    On the support of one, A_II is PSD with a kernel of one dimension, which holds a positive vector.
    """
    rows = whole(matrix)
    found: list[tuple[int, ...]] = []
    for support in supports(len(rows), groups):
        known = any(all(i in support for i, x in enumerate(zero) if x) for zero in found)
        kernel = None if known else _positive_kernel(principal(rows, support))
        if kernel is not None:
            placed = dict(zip(support, kernel, strict=True))
            found.append(tuple(placed.get(i, 0) for i in range(len(rows))))
    return found


def _positive_kernel(rows: Rows) -> list[int] | None:
    """The positive vector of a kernel of one dimension, from the adjugate c·vvᵀ; None where there is none."""
    n = len(rows)
    if determinant(rows):
        return None
    minors = [
        [
            (-1) ** j * determinant([[r[c] for c in range(n) if c != j] for r in rows[:i] + rows[i + 1 :]])
            for j in range(n)
        ]
        for i in range(n)
    ]
    row = next((row if row[0] > 0 else [-x for x in row] for row in minors if any(row)), None)
    return row if row and all(x > 0 for x in row) else None


def least_ratio(matrix: Array, groups: Groups = None) -> float:
    """The least zᵀAz/zᵀDz over the cone in floats: the least eigenvalue of a scaled A_II whose vector has one sign.

    D is the diagonal of A, 1 where that is not above 0. A minimiser is, on its support, an eigenvector of the least
    eigenvalue (Kaplan 2000).
    """
    diagonal = np.diag(matrix)
    scale = 1 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scaled, least = matrix * np.outer(scale, scale), np.inf
    for _, alike in groupby(supports(len(matrix), groups), key=len):
        chosen = np.array(list(alike))
        values, vectors = np.linalg.eigh(scaled[chosen[:, :, None], chosen[:, None, :]])
        lowest = vectors[:, :, 0]
        of_one_sign = np.all(lowest >= -1e-9, axis=1) | np.all(lowest <= 1e-9, axis=1)
        least = np.min(values[of_one_sign, 0], initial=least)
    return float(least)
