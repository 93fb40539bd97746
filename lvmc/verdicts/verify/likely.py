"""The checkers of certificates with a chance of error: a form without some of its inhibition is semidefinite."""

from __future__ import annotations

from collections.abc import Mapping
from math import prod

import numpy as np

from lvmc.verdicts.records import Array, Certificate
from lvmc.verdicts.subjects import Layer, Net
from lvmc.verdicts.verify.explicit import entries, groups_of
from lvmc.verdicts.verify.matrices import array_of
from lvmc.verdicts.verify.messages import Planes, coupled
from lvmc.verdicts.verify.rounding import UNIT
from lvmc.verdicts.verify.semidefinite import factored
from lvmc.verdicts.verify.spectrum import Extreme, largest_eigenvalue
from lvmc.verdicts.verify.verification import BrokenError, Found, failed

MOST_CHANCE = 0.01
"""A larger chance of error is no certificate."""
MOST_STEPS = 1000
LOST = 1e-9
"""What a margin may lose to the rounding of a factorisation."""


def net_lanczos(net: Net, proof: Certificate) -> Found:
    """D − C is positive semidefinite, but with a small chance."""
    whole = {number: coupling.filter for number, coupling in enumerate(net.couplings)}
    return _semidefinite(net, proof, whole, np.zeros(len(net.layers)), "D − C")


def net_spn(net: Net, proof: Certificate) -> Found:
    """D − C₊ + M is positive semidefinite with 0 ≤ M ≤ C₋, tap by tap; what is left of A is not below 0 on the cone.

    M keeps a share in [0, 1] of each inhibitory tap. Entries within groups are free: products of their units are 0.
    """
    if proof.claim == "psd":
        raise BrokenError("it proves nothing beyond the cone")
    filters = dict[int, Array]()
    for number, coupling in enumerate(net.couplings):
        share = _share(net, proof, number)
        if not ((share >= 0) & (share <= 1)).all():
            raise BrokenError(f"a share of the inhibition of '{coupling.weight}' is not in [0, 1]")
        if (net.layer[coupling.upper].signed or net.layer[coupling.lower].signed) and not (share == 1).all():
            raise BrokenError(f"'{coupling.weight}' couples a layer of both signs: its inhibition has to be kept whole")
        filters[number] = np.where(coupling.filter > 0, coupling.filter, share * coupling.filter)
    within = proof.arrays.get("groups", np.zeros(len(net.layers)))
    if within.shape != (len(net.layers),) or not np.isfinite(within).all():
        raise BrokenError(f"its array 'groups' is not {len(net.layers)} finite numbers")
    return _semidefinite(net, proof, filters, within, "D − C₊ + M")


def _share(net: Net, proof: Certificate, number: int) -> Array:
    """What a coupling keeps of its inhibition: one number, or one a tap."""
    coupling = net.couplings[number]
    lateral = sum(not each.lateral for each in net.couplings)
    name = f"side:{number - lateral}" if coupling.lateral else f"edge:{number}"
    if name in proof.arrays:
        return array_of(proof, name, coupling.filter.shape)
    return array_of(proof, "couplings", (len(net.couplings),))[number]


def _semidefinite(net: Net, proof: Certificate, filters: Mapping[int, Array], within: Array, said: str) -> Found:
    if proof.chance == 0:
        return _written_out(net, proof, filters, within, said)
    if not 0 < proof.chance <= MOST_CHANCE:
        raise BrokenError(f"it states a chance of error of {proof.chance:g}, and a random start has one in (0, 0.01]")
    if proof.margin < 0:
        raise BrokenError(f"its margin, {proof.margin:.6g}, is below 0: nothing follows")
    planes = Planes(net)
    roots = [np.sqrt(layer.diagonal)[:, None, None] for layer in net.layers]
    bounds = np.cumsum([0, *(prod(layer.shape) for layer in net.layers)])

    def product(flat: Array) -> Array:
        z = {
            layer.name: flat[start : start + prod(layer.shape)].reshape(layer.shape)
            for layer, start in zip(net.layers, bounds, strict=False)
        }
        unscaled = {name: each / root for (name, each), root in zip(z.items(), roots, strict=True)}
        image = coupled(planes, filters, unscaled)
        parts = [
            (image[layer.name] / root - scalar * _beside(layer, z[layer.name])).ravel()
            for layer, root, scalar in zip(net.layers, roots, within, strict=True)
        ]
        return np.concatenate(parts)

    enough, steps = 1.0 - proof.margin, proof.facts.get("steps", 60)
    most = 2 * int(steps) + 20 if isinstance(steps, int | float) and 0 < steps < MOST_STEPS else 2 * MOST_STEPS
    found = largest_eigenvalue(product, net.units, proof.chance, enough, most)
    checked = f"{found.steps} Lanczos steps on {said} from a random start, {net.units:,} units"
    loose = f"vectors after the first {found.orthogonal} were kept orthogonal to these only" if _late(found) else ""
    return Found(1.0 - found.bound, (checked,), 1e-12, proof.chance, remarks=(loose,) if loose else ())


def _written_out(net: Net, proof: Certificate, filters: Mapping[int, Array], within: Array, said: str) -> Found:
    """The matrix of a small net itself, without any chance: a Cholesky factor of what is left above the margin.

    Entries within groups and shares of taps are free, so their rounding is of no matter.
    """
    matrix, error = entries(net, filters)
    start = 0
    for layer, scalar in zip(net.layers, within, strict=True):
        numbers = start + np.arange(prod(layer.shape)).reshape(layer.shape)
        root = np.repeat(np.sqrt(layer.diagonal), prod(layer.size))
        for group in groups_of(layer, numbers):
            units = np.array(group)
            beside = scalar * np.outer(root[units - start], root[units - start])
            np.fill_diagonal(beside, 0.0)
            matrix[np.ix_(units, units)] += beside
        start += prod(layer.shape)
    scale = np.concatenate([np.repeat(layer.diagonal, prod(layer.size)) for layer in net.layers])
    checked = f"a Cholesky factor of {said} less the margin, {len(matrix)} rows"
    for lost in (0.0, LOST):
        less = (proof.margin - lost) * scale
        rounded = error + np.diag(4 * UNIT * (np.abs(np.diag(matrix)) + np.abs(less)))
        if factored(matrix - np.diag(less), rounded):
            return Found(proof.margin - lost, (checked,), LOST)
    return failed(f"{said} less the margin is not shown to be positive semidefinite", checked)


def _late(found: Extreme) -> bool:
    return found.orthogonal < found.steps


def _beside(layer: Layer, z: Array) -> Array:
    """The sum of the other units of a unit's group."""
    if layer.group == (1, 1, 1):
        return np.zeros_like(z)
    split = z.reshape([part for size, of in zip(layer.shape, layer.group, strict=True) for part in (size // of, of)])
    return (split.sum((1, 3, 5), keepdims=True) - split).reshape(z.shape)
