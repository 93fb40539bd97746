"""The checker of a branching over supports: no support can carry a least negative value of the form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from lvmc.verdicts.records import Array, Certificate
from lvmc.verdicts.subjects import Matrix
from lvmc.verdicts.verify.exact import Exact, Whole, definite, exact, solution
from lvmc.verdicts.verify.matrices import Shifted, array_of, remains_psd
from lvmc.verdicts.verify.rounding import TINY, UNIT, gamma
from lvmc.verdicts.verify.semidefinite import proved_psd
from lvmc.verdicts.verify.verification import BrokenError, Found, failed

Set = int
"""Indices as the bits of an integer."""

MOST_ROWS = 4096


def tree(subject: Matrix, proof: Certificate) -> Found:
    """A branching that leaves no support for a least value below 0 of xᵀÂx on the simplex wᵀx = 1, x ≥ 0.

    Â is A′ = A − margin · D (or A − diag(shift), shift ≥ margin · D), lifted on pairs of one group to
    L_ij = ½(a′_ii w_j/w_i + a′_jj w_i/w_j). Were A′ negative
    somewhere on the cone, the smallest support I of a minimiser would (a) hold no pair with â_ij ≥ L_ij, (b) be
    connected by entries below 0, (c) have Âx = λw on I and ≥ λw elsewhere with λ < 0, (d) be strictly convex along it.
    """
    if len(subject.values) > MOST_ROWS:
        return failed(f"a branching over {len(subject.values)} rows is more than is checked ({MOST_ROWS})")
    lowered = array_of(proof, "shift", (len(subject.values),)) if "shift" in proof.arrays else None
    shifted = Shifted(subject, proof.margin, lowered)
    if not shifted.enough:
        return failed("its shift takes less than margin · D off the diagonal")
    if any(int(each) < 0 for each in np.diag(shifted.exactly.whole)):
        return failed("a diagonal entry of A′ is below 0")
    walk = _Walk(shifted, proof)
    checked = f"a branching of {len(walk.operations)} steps over supports of {shifted.size} indices"
    fault = walk.run()
    return failed(fault, checked) if fault else Found(proof.margin, (checked,))


class _Walk:
    """The state of reading a branching: its matrix, the graphs over it, and what is yet to be read."""

    def __init__(self, shifted: Shifted, proof: Certificate) -> None:
        size = shifted.size
        self.shifted = shifted
        self.weights = array_of(proof, "w", (size,))
        if not (self.weights > 0).all():
            raise BrokenError("its w has entries that are not above 0")
        self.operations = _steps(proof.arrays.get("ops"), size)
        self.data = np.asarray(proof.arrays.get("data", np.zeros(0)), np.float64).ravel()
        if not np.isfinite(self.data).all():
            raise BrokenError("its data holds numbers that are not finite")
        self.step = self.read = 0
        self._lift()

    def _lift(self) -> None:
        """Exclusive pairs, 2 a_ij w_i w_j ≥ a_ii w_j² + a_jj w_i² or of one group; pairs below 0; and Â in floats.

        The diagonal is not below 0, so neither is what pairs of one group are lifted to.
        """
        whole, w, paired = self.shifted.exactly.whole, exact(self.weights).whole, self.shifted.paired
        sides = np.outer(np.diag(whole), w * w)
        higher = (2 * whole * np.outer(w, w) >= sides + sides.T).astype(bool)
        off = ~np.eye(self.shifted.size, dtype=bool)
        self.negative, self.raised = (whole < 0).astype(bool) & ~paired & off, paired & ~higher
        self.exclusive, self.below = _masks((higher | paired) & off), _masks(self.negative)
        ratio = self.weights[None, :] / self.weights[:, None]
        half = 0.5 * np.diag(self.shifted.floats)[:, None] * ratio
        spread = (np.diag(self.shifted.error)[:, None] + 8 * UNIT * np.abs(half)) * (ratio + 1.0)
        self.floats = np.where(self.raised, half + half.T, self.shifted.floats)
        self.error = np.where(self.raised, spread + spread.T + TINY, self.shifted.error)

    def run(self) -> str:
        """Why the branching proves nothing; empty where it does."""
        waiting: list[tuple[Set, Set]] = [(0, (1 << self.shifted.size) - 1)]
        while waiting:
            chosen, allowed = waiting.pop()
            parts = [part for part in self._parts(allowed) if not chosen & ~part and part & (part - 1)]
            if len(parts) > 1:
                # a branch of one part is read to its end before the next part is: they wait as nodes of their own
                waiting += [(chosen, part) for part in reversed(parts)]
                continue
            if not parts:
                continue
            if self.step == len(self.operations):
                return "its steps end before every support is ruled out"
            code, index = self.operations[self.step]
            self.step += 1
            if code == BRANCH:
                bit = 1 << index
                if not parts[0] & bit or chosen & bit:
                    return f"step {self.step} branches on {index}, which is settled already"
                waiting += [(chosen, parts[0] & ~bit), (chosen | bit, parts[0] & ~self.exclusive[index])]
                continue
            rule = RULES.get(code)
            if rule is None or not rule(self, chosen, parts[0]):
                return f"step {self.step} does not rule out the supports that it should"
        if self.step < len(self.operations) or self.read < len(self.data):
            return "it holds steps or numbers that nothing needs"
        return ""

    def taken(self, count: int) -> Array:
        """The next numbers of the data.

        Raises:
            BrokenError: There are not that many.
        """
        found = self.data[self.read : self.read + count]
        if len(found) < count:
            raise BrokenError("its data ends too early")
        self.read += count
        return found

    def exactly(self, rows: NDArray[np.intp]) -> Whole:
        """Â over some rows, as fractions."""
        part = self.shifted.exactly.part(rows).fractions()
        w = [Fraction(float(each)) for each in self.weights[rows]]
        for i, j in np.argwhere(self.raised[np.ix_(rows, rows)]):
            part[i, j] = (part[i, i] * w[j] / w[i] + part[j, j] * w[i] / w[j]) / 2
        return part

    def _parts(self, allowed: Set) -> Iterator[Set]:
        """The connected parts of a set, by their smallest index."""
        while allowed:
            part = reached = allowed & -allowed
            while reached:
                index = reached.bit_length() - 1
                reached &= ~(1 << index)
                fresh = self.below[index] & allowed & ~part
                part |= fresh
                reached |= fresh
            yield part
            allowed &= ~part


def _semidefinite(walk: _Walk, chosen: Set, allowed: Set) -> bool:
    """A′ is positive semidefinite over all that is allowed."""
    rows = _rows(allowed)
    return remains_psd(walk.shifted, np.zeros((len(rows), len(rows))), rows)


def _signed(walk: _Walk, chosen: Set, allowed: Set) -> bool:
    """So is Â with its entries above 0 off the diagonal left out."""
    rows = _rows(allowed)
    part = np.ix_(rows, rows)
    mask = walk.negative[part] | np.eye(len(rows), dtype=bool)

    def exactly() -> Exact:
        found = walk.shifted.exactly.part(rows)
        return Exact(found.whole * mask.astype(int).astype(object), found.power)

    floats, error = walk.shifted.floats[part], walk.shifted.error[part]
    return proved_psd(np.where(mask, floats, 0.0), np.where(mask, error, 0.0), exactly)


def _spn(walk: _Walk, chosen: Set, allowed: Set) -> bool:
    """A′ − N is positive semidefinite, with N ≥ 0 but for pairs of one group."""
    rows = _rows(allowed)
    kept = np.zeros((len(rows), len(rows)))
    upper = np.triu_indices(len(rows), 1)
    kept[upper] = walk.taken(len(upper[0]))
    kept += kept.T
    free = walk.shifted.paired[np.ix_(rows, rows)]
    return bool((kept[~free] >= 0).all()) and remains_psd(walk.shifted, kept, rows)


def _linear(walk: _Walk, chosen: Set, allowed: Set) -> bool:
    """Ây ≥ 0 with wᵀy > 0 and y ≤ 0 where a unit may be missing: then 0 ≤ xᵀÂy ≤ λ wᵀy < 0."""
    rows = _rows(allowed)
    y = walk.taken(len(rows))
    outside = np.array([not chosen >> int(row) & 1 for row in rows])
    weighed = (exact(walk.weights[rows]) * exact(y)).whole
    if (y[outside] > 0).any() or int(sum(weighed)) <= 0:
        return False
    part = np.ix_(rows, rows)
    left, size = walk.floats[part] @ y, np.abs(walk.floats[part]) @ np.abs(y)
    lost = gamma(len(rows) + 4) * size + 2 * walk.error[part] @ np.abs(y) + len(rows) * TINY
    close = np.flatnonzero(~(np.isfinite(size) & (left >= lost)))
    if not len(close):
        return True
    matrix, vector = walk.exactly(rows), [Fraction(float(each)) for each in y]
    return all(sum(a * b for a, b in zip(matrix[row], vector, strict=True)) >= 0 for row in close)


def _curved(walk: _Walk, chosen: Set, allowed: Set) -> bool:
    """Â is not positive definite on {u: wᵀu = 0} over what is chosen, in the basis e_k/w_k − e_0/w_0."""
    rows = _rows(chosen)
    if len(rows) < 2:
        return False
    a, w = walk.shifted.exactly.part(rows).whole, exact(walk.weights[rows]).whole
    first, rest = w[0], w[1:]
    edge = np.outer(a[1:, 0], rest) * first
    return not definite(a[1:, 1:] * first * first - edge - edge.T + a[0, 0] * np.outer(rest, rest))


def _solved(walk: _Walk, chosen: Set, allowed: Set) -> bool:
    """All that is allowed is chosen, and Ây = w has no solution, or one that is not below 0 throughout."""
    if chosen != allowed:
        return False
    rows = _rows(chosen)
    try:
        y = solution(walk.shifted.exactly.part(rows).whole, exact(walk.weights[rows]).whole)
    except ArithmeticError:
        return False
    return y is None or not all(each < 0 for each in y)


BRANCH = 0
RULES: Mapping[int, Callable[[_Walk, Set, Set], bool]] = {
    1: _semidefinite,
    2: _signed,
    3: _spn,
    4: _linear,
    5: _curved,
    6: _solved,
}


def _steps(found: Array | None, size: int) -> list[tuple[int, int]]:
    if found is None or found.ndim != 2 or found.shape[1] != 2:
        raise BrokenError("its array 'ops' is missing or does not have two columns")
    codes, places = np.asarray(found, np.float64).T
    if not (np.isin(codes, range(7)).all() and np.isin(places[codes == BRANCH], range(size)).all()):
        raise BrokenError("its array 'ops' holds steps that are not known, or indices beyond the matrix")
    return [(int(code), int(place)) for code, place in zip(codes, np.nan_to_num(places), strict=True)]


def _rows(indices: Set) -> NDArray[np.intp]:
    return np.array([place for place in range(indices.bit_length()) if indices >> place & 1], np.intp)


def _masks(related: NDArray[np.bool_]) -> list[Set]:
    return [sum(1 << int(place) for place in np.flatnonzero(row)) for row in related]
