"""The witness of a check, summed up: which layers it excites, its strongest channels, and what they give each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lvmc.diagnostics.answers import Check, Excitation
from lvmc.graph.form import Array, Block
from lvmc.verdicts import Witness

LEAST_SHARE = 0.05
"""Part of zᵀDz from which a layer counts as excited."""


@dataclass(frozen=True, slots=True)
class ChannelShare:
    """A channel of the witness: its part of zᵀDz, and its units (height, width)."""

    layer: str
    channel: int
    share: float
    values: Array


@dataclass(frozen=True, slots=True)
class PairEnergy:
    """What two channels give each other along the witness, as a part of zᵀDz; below 0 they inhibit each other."""

    upper: str
    upper_channel: int
    lower: str
    lower_channel: int
    energy: float


def shown_witness(check: Check) -> Witness | None:
    """The witness that a check shows: what refutes, else the state with the least zᵀAz/zᵀDz that was found."""
    if check.witness is not None or check.form is None:
        return check.witness
    found = [bound.witness for bound in check.stages if bound.witness is not None and bound.witness.refutes != "psd"]
    return min(found, key=_value, default=None)


def excited(check: Check) -> list[str]:
    """The layers that the witness excites, strongest first."""
    shares = {layer: float(sum(parts)) for layer, parts in channel_shares(check).items()}
    return sorted((layer for layer, share in shares.items() if share >= LEAST_SHARE), key=shares.__getitem__)[::-1]


def channel_shares(check: Check) -> dict[str, Array]:
    """Each channel's part of zᵀDz, by layer; empty without a witness."""
    witness = shown_witness(check)
    if witness is None or check.form is None:
        return {}
    costs = {block.name: _costs(block, witness) for block in check.form.blocks if block.name in witness.arrays}
    total = sum(float(cost.sum()) for cost in costs.values()) or 1.0
    return {name: cost / total for name, cost in costs.items()}


def strongest_channels(check: Check, most: int) -> list[ChannelShare]:
    """The channels with the largest part of zᵀDz, strongest first; those without any are left out."""
    witness = shown_witness(check)
    if witness is None:
        return []
    ranked = sorted(
        ((float(share), name, channel) for name, shares in channel_shares(check).items()
         for channel, share in _largest(shares, most)),
        key=_first, reverse=True,
    )  # fmt: skip
    return [ChannelShare(name, channel, share, witness.arrays[name][channel]) for share, name, channel in ranked[:most]]


def strongest_pairs(excitations: Sequence[Excitation], most: int) -> list[PairEnergy]:
    """The pairs of channels that give each other most, or take most, strongest first."""
    found = [pair for each in excitations for pair in _pairs(each, most)]
    return sorted(found, key=_size, reverse=True)[:most]


def _pairs(each: Excitation, most: int) -> list[PairEnergy]:
    energies = each.channels
    if each.upper == each.lower:
        # Both orders of a pair within a layer: told once, with their sum.
        energies = np.triu(energies + energies.T, 1) + np.diag(np.diag(energies))
    columns = energies.shape[1]
    return [
        PairEnergy(each.upper, place // columns, each.lower, place % columns, float(energies.flat[place]))
        for place, _ in _largest(np.abs(energies).ravel(), most)
    ]


def _largest(values: Array, most: int) -> list[tuple[int, float]]:
    """Places of the largest values above 0, with them."""
    count = min(most, values.size)
    places = np.argpartition(values, values.size - count)[values.size - count :]
    return [(int(place), float(values[place])) for place in places if values[place] > 0]


def _costs(block: Block, witness: Witness) -> Array:
    """zᵀDz of every channel."""
    z = witness.arrays[block.name]
    return block.diagonal * np.einsum("chw,chw->c", z, z)


def _value(witness: Witness) -> float:
    return witness.value


def _first(ranked: tuple[float, str, int]) -> float:
    return ranked[0]


def _size(pair: PairEnergy) -> float:
    return abs(pair.energy)
