"""The checker of a matrix's witness: z lies in the cone, and zᵀAz is below 0, in exact arithmetic."""

from __future__ import annotations

from fractions import Fraction
from math import inf

import numpy as np

from lvmc.verdicts.records import Array, Witness
from lvmc.verdicts.subjects import Matrix
from lvmc.verdicts.verify.exact import Exact, exact, quadratic
from lvmc.verdicts.verify.verification import BrokenError, Found

Answer = tuple[Fraction, Fraction]


def matrix_witness(subject: Matrix, proof: Witness) -> Found:
    """z is "z" + "z:1" + "z:2" …, exactly; zᵀAz and zᵀDz in exact arithmetic."""
    z = _vector(proof, len(subject.values))
    checked = f"zᵀAz of {np.count_nonzero(z.whole)} entries of z that are not 0, in exact arithmetic"
    if not z.whole.any():
        return Found(inf, (checked,), fault="z is 0")
    if proof.refutes != "psd" and (fault := _outside(subject, z)):
        return Found(inf, (checked,), fault=fault)
    held = np.flatnonzero(z.whole)
    part = Exact(z.whole[held], z.power)
    value = quadratic(exact(subject.values[np.ix_(held, held)]), part)
    size = quadratic(exact(np.diag(subject.scale[held])), part)
    return judged(proof, value, size, checked)


def judged(proof: Witness, value: Fraction, size: Fraction, checked: str) -> Found:
    """What exact zᵀAz and zᵀDz say of a witness."""
    ratio = float(value / size)
    if value > 0 or (value == 0 and proof.refutes != "strict"):
        return Found(ratio, (checked,), fault=f"zᵀAz is {'0' if value == 0 else 'above 0'}: {ratio:.6g} of zᵀDz")
    return Found(ratio, (checked,), slack=proof.error + 1e-12 * abs(ratio))


def _vector(proof: Witness, size: int) -> Exact:
    limbs = ["z", *(f"z:{number}" for number in range(1, len(proof.arrays)))]
    if set(limbs) != set(proof.arrays):
        raise BrokenError("its arrays are not z, z:1, z:2, …")
    parts = [exact(_limb(proof.arrays[name], name, size)) for name in limbs]
    return sum(parts[1:], parts[0])


def _limb(values: Array, name: str, size: int) -> Array:
    if values.shape != (size,) or not np.isfinite(values).all():
        raise BrokenError(f"its array '{name}' is not {size} finite numbers")
    return values


def _outside(subject: Matrix, z: Exact) -> str:
    """Why z is not in the cone; empty where it is."""
    if (z.whole < 0).any():
        return f"z is below 0 at index {int(np.flatnonzero(z.whole < 0)[0])}"
    crowded = next((group for group in subject.groups if np.count_nonzero(z.whole[list(group)]) > 1), None)
    return "" if crowded is None else f"z has several entries that are not 0 in the group {list(crowded)[:8]}"
