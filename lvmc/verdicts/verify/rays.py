"""The checker of a net's witness: z lies in the cone, and zᵀAz is below 0 beyond all rounding."""

from __future__ import annotations

from collections.abc import Mapping
from math import fsum, inf, prod

import numpy as np

from lvmc.verdicts.records import Array, Witness
from lvmc.verdicts.subjects import Layer, Net
from lvmc.verdicts.verify.explicit import MOST, explicit
from lvmc.verdicts.verify.messages import Planes, up
from lvmc.verdicts.verify.rounding import TINY, gamma
from lvmc.verdicts.verify.verification import BrokenError, Found
from lvmc.verdicts.verify.witnesses import matrix_witness


def net_witness(net: Net, proof: Witness) -> Found:
    """zᵀAz = Σ d z² − 2 Σ ⟨z_u, w ⋆ P z_l⟩ − Σ ⟨z_l, L ⋆ z_l⟩ with a bound on its rounding; exactly where that is 0."""
    z = {layer.name: _part(proof, layer) for layer in net.layers}
    limbs = any(":" in name for name in proof.arrays)
    checked = f"zᵀAz of {net.units:,} units, with a bound on rounding"
    if not limbs and not any(each.any() for each in z.values()):
        return Found(inf, (checked,), fault="z is 0")
    if not limbs and proof.refutes != "psd" and (fault := _outside(net, z)):
        return Found(inf, (checked,), fault=fault)
    value, lost, size = (0.0, inf, 1.0) if limbs else _value(net, z)
    if abs(value) <= lost and net.units <= MOST and not any(layer.signed for layer in net.layers):
        return matrix_witness(explicit(net), _joined(net, proof))
    if not (value + lost < 0 < size < inf):
        return Found(
            value / size, (checked,), fault=f"zᵀAz/zᵀDz is {value / size:.6g} ± {lost / size:.2g}: not below 0"
        )
    slack = proof.error + 2 * lost / size + 1e-12 * abs(value / size)
    return Found(value / size, (checked,), slack=slack)


def _part(proof: Witness, layer: Layer) -> Array:
    found = proof.arrays.get(layer.name)
    if found is None or found.shape != layer.shape or not np.isfinite(found).all():
        raise BrokenError(f"its array '{layer.name}' is not {'×'.join(map(str, layer.shape))} finite numbers")
    return found


def _value(net: Net, z: Mapping[str, Array]) -> tuple[float, float, float]:
    """zᵀAz, a bound on its rounding, and zᵀDz."""
    own = fsum(_dot(z[layer.name] * layer.diagonal[:, None, None], z[layer.name]) for layer in net.layers)
    planes, steps = Planes(net), 16
    gained, passed = list[float](), list[float]()
    for coupling in net.couplings:
        upper, lower = z[coupling.upper], z[coupling.lower]
        times = 1.0 if coupling.lateral else 2.0
        signs = (upper < 0).any() or (lower < 0).any() or (coupling.filter < 0).any()
        gained.append(times * _dot(upper, up(planes, coupling, coupling.filter, lower)))
        sizes = up(planes, coupling, np.abs(coupling.filter), np.abs(lower)) if signs else None
        passed.append(gained[-1] if sizes is None else times * _dot(np.abs(upper), sizes))
        steps = max(steps, 16 + prod(coupling.filter.shape[1:]) + prod(coupling.replicate))
    steps += max((layer.size[1] for layer in net.layers), default=0)
    lost = gamma(steps) * (own + fsum(passed)) * (1 + 2 * gamma(steps)) + net.units * steps * TINY
    return own - fsum(gained), lost, own


def _dot(left: Array, right: Array) -> float:
    """Σ left · right: along columns in float64, over the rest without rounding."""
    return fsum(np.einsum("crw,crw->cr", left, right).ravel().tolist())


def _outside(net: Net, z: Mapping[str, Array]) -> str:
    """Why z is not in the cone; empty where it is."""
    for layer in net.layers:
        values = z[layer.name]
        if not layer.signed and (values < 0).any():
            return f"z is below 0 in '{layer.name}'"
        if layer.group == (1, 1, 1):
            continue
        split = (values != 0).reshape(
            [part for size, of in zip(layer.shape, layer.group, strict=True) for part in (size // of, of)]
        )
        if (split.sum((1, 3, 5)) > 1).any():
            return f"z has several units that are not 0 in a group of '{layer.name}'"
    return ""


def _joined(net: Net, proof: Witness) -> Witness:
    """The witness as one of the explicit matrix, further limbs and all."""
    names = [layer.name for layer in net.layers]
    count = max(len([key for key in proof.arrays if key.partition(":")[0] == name]) for name in names)
    arrays: dict[str, Array] = {}
    for limb in range(count):
        suffix = f":{limb}" if limb else ""
        parts = [proof.arrays.get(name + suffix, np.zeros(net.layer[name].shape)).ravel() for name in names]
        arrays["z" + suffix] = np.concatenate(parts)
    return Witness(proof.refutes, arrays, proof.value, proof.error)
