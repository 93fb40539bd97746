"""Emitters: programs to source text."""
