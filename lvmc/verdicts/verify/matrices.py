"""The checkers of a matrix's certificates: A′ = A − margin · D is copositive on the cone, or semidefinite."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lvmc.verdicts.records import Array, Certificate
from lvmc.verdicts.subjects import Matrix
from lvmc.verdicts.verify.exact import Exact, exact
from lvmc.verdicts.verify.rounding import TINY, UNIT, gamma
from lvmc.verdicts.verify.semidefinite import proved_psd
from lvmc.verdicts.verify.verification import BrokenError, Found, failed


class Shifted:
    """A′ = A − margin · D, or A − diag(lowered), exactly and in floats."""

    def __init__(self, subject: Matrix, margin: float, lowered: Array | None = None) -> None:
        self.whole, self.size = subject.values, len(subject.values)
        self.scale, self.margin, self._lowered = subject.scale, margin, lowered
        less = margin * self.scale if lowered is None else lowered
        self.floats = self.whole - np.diag(less)
        self.error = np.diag(4 * UNIT * (np.abs(np.diag(self.whole)) + np.abs(less))) + TINY
        self.label = np.arange(self.size)
        for number, group in enumerate(subject.groups):
            self.label[list(group)] = self.size + number

    @cached_property
    def exactly(self) -> Exact:
        """A′."""
        if self._lowered is not None:
            return exact(self.whole) - exact(np.diag(self._lowered))
        return exact(self.whole) - exact(np.diag(self.scale)) * exact(np.array(self.margin))

    @property
    def enough(self) -> bool:
        """Whether A′ is A − margin · D or less."""
        if self._lowered is None:
            return True
        room = exact(self._lowered) - exact(self.scale) * exact(np.array(self.margin))
        return not (room.whole < 0).any()

    @cached_property
    def paired(self) -> NDArray[np.bool_]:
        """Whether i ≠ j are in one group, (n, n)."""
        return (self.label[:, None] == self.label[None, :]) & ~np.eye(self.size, dtype=bool)


def array_of(proof: Certificate, name: str, shape: tuple[int, ...]) -> Array:
    """An array of a certificate, of finite numbers.

    Raises:
        BrokenError: It is missing, or of another shape.
    """
    found = proof.arrays.get(name)
    if found is None or found.shape != shape:
        said = "is missing" if found is None else f"is {'×'.join(map(str, found.shape))}"
        raise BrokenError(f"its array '{name}' {said}; '{proof.kind}' needs {'×'.join(map(str, shape))} numbers")
    if not np.isfinite(found).all():
        raise BrokenError(f"its array '{name}' holds numbers that are not finite")
    return found


def dominance(subject: Matrix, proof: Certificate) -> Found:
    """Σ_j max(−a_ij, 0) v_j ≤ (d_i − margin D_i) v_i with v > 0; of each group of j only the largest term if `groups`.

    From 2 z_i z_j ≤ z_i² v_j/v_i + z_j² v_i/v_j; at most one j of a group is not 0, and none in i's own group.
    """
    shifted = Shifted(subject, proof.margin)
    v = array_of(proof, "v", (shifted.size,))
    if not (v > 0).all():
        raise BrokenError("its v has entries that are not above 0")
    grouped = proof.facts.get("groups", 0) == 1
    terms = np.maximum(-shifted.whole, 0.0) * v
    np.fill_diagonal(terms, 0.0)
    if grouped:
        terms = _largest(shifted, terms)
    left, right = terms.sum(1), np.diag(shifted.floats) * v
    lost = gamma(shifted.size + 8) * (left + np.abs(right)) + (np.diag(shifted.error) + shifted.size * TINY) * v
    close = np.flatnonzero(~(np.isfinite(right) & (left + lost + shifted.size * TINY <= right)))
    wrong = next((int(row) for row in close if not _exact_row(shifted, v, int(row), grouped)), None)
    checked = f"Σ max(−a_ij, 0) v_j ≤ (a_ii − margin) v_i in {shifted.size} rows, {len(close)} of them exactly"
    if wrong is not None:
        return failed(f"row {wrong} of the matrix is not dominated with the margin stated", checked)
    return Found(proof.margin, (checked,))


def semidefinite(subject: Matrix, proof: Certificate) -> Found:
    """A − margin · D is positive semidefinite."""
    shifted = Shifted(subject, proof.margin)
    checked = f"a Cholesky factor of A − margin · D, {shifted.size} rows"
    if proved_psd(shifted.floats, shifted.error, lambda: shifted.exactly):
        return Found(proof.margin, (checked,))
    return failed("A − margin · D is not shown to be positive semidefinite", checked)


def spn(subject: Matrix, proof: Certificate) -> Found:
    """A − margin · D − N is positive semidefinite, with N ≥ 0 but for pairs of one group."""
    shifted = Shifted(subject, proof.margin)
    kept = array_of(proof, "N", (shifted.size, shifted.size))
    if not (kept == kept.T).all():
        raise BrokenError("its N is not symmetric")
    checked = f"N ≥ 0, and a Cholesky factor of A − margin · D − N, {shifted.size} rows"
    if (kept[~shifted.paired] < 0).any():
        return failed("N has entries below 0", checked)
    if remains_psd(shifted, kept, np.arange(shifted.size)):
        return Found(proof.margin, (checked,))
    return failed("A − margin · D − N is not shown to be positive semidefinite", checked)


def remains_psd(shifted: Shifted, kept: Array, rows: NDArray[np.intp]) -> bool:
    """Whether (A′ − N) is shown to be positive semidefinite over some rows; N is given over these."""
    part = np.ix_(rows, rows)
    floats = shifted.floats[part] - kept
    error = shifted.error[part] + 2 * UNIT * (np.abs(shifted.floats[part]) + np.abs(kept))
    return proved_psd(floats, error, lambda: shifted.exactly.part(rows) - exact(kept))


def _largest(shifted: Shifted, terms: Array) -> Array:
    """Each row's largest term in each group (but its own) in place of the group's terms."""
    found = np.where(shifted.paired, 0.0, terms)
    for label in np.unique(shifted.label[shifted.label >= shifted.size]):
        members = np.flatnonzero(shifted.label == label)
        most = found[:, members].max(1)
        found[:, members] = 0.0
        found[:, members[0]] = most
    return found


def _exact_row(shifted: Shifted, v: Array, row: int, grouped: bool) -> bool:
    weights, vector = exact(np.maximum(-shifted.whole[row], 0.0)), exact(v)
    terms = (weights * vector).whole
    terms[row] = 0
    if grouped:
        terms[shifted.paired[row]] = 0
        most: dict[int, int] = {}
        for label, term in zip(shifted.label, terms, strict=True):
            most[int(label)] = max(most.get(int(label), 0), int(term))
        total = sum(most.values())
    else:
        total = sum(map(int, terms))
    left = Exact(np.array(total, object), weights.power + vector.power)
    corner = Exact(np.array(shifted.exactly.whole[row, row], object), shifted.exactly.power)
    right = corner * Exact(np.array(vector.whole[row], object), vector.power)
    return int((right - left).whole) >= 0
