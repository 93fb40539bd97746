"""Bases of 3D poses: their files, and how they are learned from poses."""

from lvmc.lifting.files import basis_of, read_basis, save_basis
from lvmc.lifting.fit import Fit, fit_basis

__all__ = ["Fit", "basis_of", "fit_basis", "read_basis", "save_basis"]
