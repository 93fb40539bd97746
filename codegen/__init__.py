"""Emitters: programs to source text."""

from lvmc.codegen.plan import Method, ModulePlan, class_name
from lvmc.codegen.torch import emit

__all__ = ["Method", "ModulePlan", "class_name", "emit"]
