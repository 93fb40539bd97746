"""Verdicts with their certificates and witnesses: as records, as files, and checked again by code of their own."""

from lvmc.verdicts.records import Answer, Array, Certificate, Claim, Verdict, Witness

__all__ = ["Answer", "Array", "Certificate", "Claim", "Verdict", "Witness"]
