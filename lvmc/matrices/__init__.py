"""Is a symmetric matrix copositive: exactly, with a certificate or a witness, by the cheapest proof that does."""

from lvmc.matrices.decide import copositivity

__all__ = ["copositivity"]
