"""The checker of a net's dominance certificate: one product with C₊ (or |C|, or T), rounded upwards."""

from __future__ import annotations

from collections.abc import Mapping
from math import inf, prod

import numpy as np

from lvmc.verdicts.records import Array, Certificate
from lvmc.verdicts.subjects import Coupling, Net
from lvmc.verdicts.verify.lattice import torus_sizes, where
from lvmc.verdicts.verify.matrices import array_of
from lvmc.verdicts.verify.maxima import largest
from lvmc.verdicts.verify.messages import Layers, Planes, coupled, roundings
from lvmc.verdicts.verify.rounding import TINY, gamma
from lvmc.verdicts.verify.verification import BrokenError, Found, failed

LEAST = 2.0**-960
"""Smaller products are not divided by."""
SAID: Mapping[tuple[bool, bool], str] = {
    (False, False): "one product C₊v",
    (False, True): "one T(v), the largest term of every group",
    (True, False): "one product |C|v",
}


def net_dominance(net: Net, proof: Certificate) -> Found:
    """1 − max (C₊v)_i/(d_i v_i) over all units: zᵀC₊z ≤ Σ z_i² (C₊v)_i/v_i for z ≥ 0, of zᵀ|C|z for every z.

    Couplings that touch a layer of both signs count by their absolute value.
    """
    absolute, grouped = proof.facts.get("part") == "absolute", proof.facts.get("groups", 0) == 1
    if absolute and grouped:
        raise BrokenError("its part is 'absolute', which takes no groups")
    if proof.claim == "psd" and not absolute:
        raise BrokenError("C₊ without the rest of C proves nothing beyond the cone: its part must be 'absolute'")
    torus = torus_sizes(net, proof.arrays, grouped) if proof.facts.get("torus", 0) == 1 else None
    planes = Planes(net, torus)
    v = {layer.name: array_of(proof, layer.name, planes.shape(layer.name)) for layer in net.layers}
    if not all((each > 0).all() for each in v.values()):
        raise BrokenError("its v has entries that are not above 0")
    filters = {number: _majorant(net, each, absolute) for number, each in enumerate(net.couplings)}
    units = sum(each.size for each in v.values())
    at = f"{units:,} units " + ("of a torus" if torus else "at the net's own size")
    checked = f"{SAID[absolute, grouped]} over {at}, rounded upwards"
    ratio = _ratio(net, v, (largest if grouped else coupled)(planes, filters, v))
    if not ratio < inf:
        return failed("its v is out of the range of float64", checked)
    remark = f"holds {where(net)}" if torus else ""
    slack = 8 * gamma(roundings(net)) * max(1.0, ratio)
    return Found(float(np.nextafter(1.0 - ratio, -inf)), (checked,), slack, remarks=(remark,) if remark else ())


def _ratio(net: Net, v: Layers, image: Layers) -> float:
    """At least max_i (C₊v)_i/(d_i v_i), in real arithmetic."""
    steps = roundings(net)
    most = 0.0
    for layer in net.layers:
        if prod(v[layer.name].shape):
            right = layer.diagonal[:, None, None] * v[layer.name]
            if not (right > LEAST).all() or not np.isfinite(image[layer.name]).all():
                return inf
            ratio = float(((image[layer.name] + steps * TINY) / right).max())
            most = max(most, ratio * (1.0 + gamma(steps + 8)))
    return most


def _majorant(net: Net, coupling: Coupling, absolute: bool) -> Array:
    signed = net.layer[coupling.upper].signed or net.layer[coupling.lower].signed
    return np.abs(coupling.filter) if absolute or signed else np.maximum(coupling.filter, 0.0)
