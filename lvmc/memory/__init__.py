"""Memory of a training step: what to recompute so that it fits a budget, and what that means for each batch size."""

from lvmc.memory.plan import Recompute, bytes_of, recompute

__all__ = ["Recompute", "bytes_of", "recompute"]
