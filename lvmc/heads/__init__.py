"""Kinds of heads, one a file, by the name a spec gives them."""

from lvmc.heads.head import Canvas, Desk, HeadRecord, Reading, Sampled
from lvmc.heads.registry import HEADS, Head

__all__ = ["HEADS", "Canvas", "Desk", "Head", "HeadRecord", "Reading", "Sampled"]
