"""The emitted class: each program as a method, with its signature and its docstring."""

from lvmc.methods.plan import plan

__all__ = ["plan"]
