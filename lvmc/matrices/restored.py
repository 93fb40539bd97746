"""Back from the scaled rows with a positive diagonal to the matrix that was asked about: vectors and certificates."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lvmc.matrices.evidence import Evidence
from lvmc.matrices.problem import Indices, Problem
from lvmc.verdicts import Array, Certificate


@dataclass(frozen=True)
class Map:
    """The part B = S A_RR S of a matrix A, R its rows with a positive diagonal.

    A row left out has a_ii = 0 and nothing negative outside its group: it adds nonnegative terms only.

    Attributes:
        rows: R, ascending.
        scales: The diagonal of S, powers of two.
    """

    rows: Indices
    scales: Array

    def evidence(self, asked: Problem, found: Evidence) -> Evidence:
        """The same ratio, of the vector in A's coordinates: zᵀBz = (Sz)ᵀA(Sz), and no bit of z is lost."""
        return replace(found, parts=tuple(self.full(asked, self.scales * part, 0.0) for part in found.parts))

    def full(self, asked: Problem, v: Array, other: float) -> Array:
        """v in the rows of R, one number in the rows left out."""
        full = np.full(asked.size, other)
        full[self.rows] = v
        return full

    def nonnegative(self, asked: Problem, part: Array) -> Array:
        """S⁻¹NS⁻¹ in the rows of R; A itself in the rows left out."""
        kept = np.zeros(asked.size, dtype=bool)
        kept[self.rows] = True
        full = np.where(np.outer(kept, kept), 0.0, asked.matrix)
        full[np.ix_(self.rows, self.rows)] = part / np.outer(self.scales, self.scales)
        return full

    def certificate(self, asked: Problem, found: Certificate, semidefinite: bool | None) -> Certificate:
        """The same proof of A; with rows left out its margin is at most 0."""
        whole = len(self.rows) == asked.size
        margin = found.margin if whole else min(found.margin, 0.0)
        claim = found.claim if whole or found.claim == "psd" else "copositive"
        same = replace(found, margin=margin, claim=claim)
        match found.kind:
            case "dominance":
                v = self.full(asked, self.scales * found.arrays["v"], 1.0)
                return replace(same, arrays={"v": v}, facts=found.facts if whole else {"groups": 1})
            case "spn":
                return replace(same, arrays={"N": self.nonnegative(asked, found.arrays["N"])})
            case "psd" if semidefinite is False:
                part = np.zeros((len(self.rows), len(self.rows)))
                return replace(same, claim="copositive", kind="spn", arrays={"N": self.nonnegative(asked, part)})
            case "tree":
                return replace(same, arrays=self.tree(asked, found))
            case _:
                return same

    def tree(self, asked: Problem, found: Certificate) -> dict[str, Array]:
        """The branching over the indices of A; its numbers are A's already."""
        ops = found.arrays["ops"].copy()
        branches = ops[:, 0] == 0
        ops[branches, 1] = self.rows[ops[branches, 1].astype(np.int64)]
        weights = self.full(asked, found.arrays["w"], 1.0)
        shift = self.full(asked, found.arrays["shift"], 0.0)
        return {"w": weights, "shift": shift, "ops": ops, "data": found.arrays["data"]}
