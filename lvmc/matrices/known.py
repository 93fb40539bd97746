"""What is known of a matrix so far: two-sided bounds with the strongest certificate and the best vector."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

from lvmc.matrices.evidence import Evidence
from lvmc.verdicts import Answer, Array, Certificate


@dataclass(frozen=True)
class Known:
    """What is proved about the least zᵀAz/zᵀDz over the cone.

    Attributes:
        lower: A proved lower bound.
        certificate: The strongest thing proved: positive definite, strict, semidefinite, copositive; then by margin.
        vector: The z of the cone with the least ratio.
        outside: Whether a row left out has refuted strictness already.
        semidefinite: Whether A is positive semidefinite.
        bent: The z that refutes it.
        minima: Local minima of zᵀAz/zᵀDz over the cone, lowest first.
        split: A nonnegative part N of D^-½ A D^-½ found on the way.
        method: The stage that settled it.
        remarks: What a reader should know.
    """

    lower: float = -inf
    certificate: Certificate | None = None
    vector: Evidence | None = None
    outside: bool = False
    semidefinite: Answer = None
    bent: Evidence | None = None
    minima: tuple[Array, ...] = ()
    split: Array | None = None
    method: str = ""
    remarks: tuple[str, ...] = ()

    @property
    def upper(self) -> float:
        return inf if self.vector is None else self.vector.upper

    @property
    def refuted(self) -> bool:
        """Not copositive."""
        return self.vector is not None and self.vector.high < 0

    @property
    def touched(self) -> bool:
        """Not strictly copositive."""
        return self.outside or (self.vector is not None and self.vector.high <= 0)

    @property
    def certified(self) -> bool:
        """Copositive."""
        return self.lower >= 0

    @property
    def settled(self) -> bool:
        """Both copositive and strict are answered."""
        return self.refuted or self.lower > 0 or (self.certified and self.touched)

    def with_certificate(self, found: Certificate | None, method: str) -> Known:
        """What a further certificate adds."""
        if found is None:
            return self
        first = self.certificate is None or rank(found) > rank(self.certificate)
        new = replace(self, lower=max(self.lower, found.margin), certificate=found if first else self.certificate)
        return self.named(new, method)

    def with_vector(self, found: Evidence | None, method: str) -> Known:
        """What a further vector adds: a smaller ratio is better."""
        if found is None or (self.vector is not None and found.high >= self.vector.high):
            return self
        return self.named(replace(self, vector=found), method)

    def named(self, new: Known, method: str) -> Known:
        """The new state, named after its stage if that is what settled it, or brought it further."""
        further = (new.settled, new.certified, new.touched) != (self.settled, self.certified, self.touched)
        return replace(new, method=method) if further and not self.settled else new

    def remarking(self, remark: str) -> Known:
        return replace(self, remarks=(*self.remarks, remark))


def rank(certificate: Certificate) -> tuple[int, float]:
    """How strong a claim is, then its margin."""
    definite = certificate.claim == "psd"
    strength = (3 if definite else 2) if certificate.margin > 0 else (1 if definite else 0)
    return (strength if certificate.margin >= 0 else -1), certificate.margin
