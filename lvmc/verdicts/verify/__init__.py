"""Checks certificates and witnesses again, with numpy and fractions alone: nothing here finds proofs."""

from lvmc.verdicts.verify.checker import claim_of, verify
from lvmc.verdicts.verify.verification import Verification

__all__ = ["Verification", "claim_of", "verify"]
