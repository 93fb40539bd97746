"""Rewrites: program to program, same outputs, fewer operations and bytes."""

from lvmc.rewrites.default import DEFAULT, Rewrite, rewrite, stages

__all__ = ["DEFAULT", "Rewrite", "rewrite", "stages"]
