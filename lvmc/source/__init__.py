"""YAML text to plain values with their places; never runs or constructs anything."""

from lvmc.source.document import Document, parse, plain, read_text

__all__ = ["Document", "parse", "plain", "read_text"]
