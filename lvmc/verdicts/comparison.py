"""Whether what a proof speaks of is a given net, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from lvmc.verdicts.records import Certificate, Witness
from lvmc.verdicts.subjects import Coupling, Layer, Net, Subject
from lvmc.verdicts.verify.explicit import explicit
from lvmc.verdicts.verify.verification import BrokenError


@dataclass(frozen=True)
class Comparison:
    """How a proof's subject and a net differ; `remarks` are differences that leave the claim as it is."""

    faults: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def differences(subject: Subject, proof: Certificate | Witness, net: Net) -> Comparison:
    """How the subject of a proof differs from a net.

    A matrix is compared with the net written out. A net may leave out layers whose units are bounded above (the claim
    is then that S is bounded), and a proof on a torus may be of another image size.
    """
    if not isinstance(subject, Net):
        return _of_matrix(subject, net)
    left = [layer for layer in net.layers if layer.name not in subject.layer]
    if any(layer.most == inf for layer in left):
        names = ", ".join(layer.name for layer in left)
        return Comparison((f"it says nothing of the layers {names}, which are not bounded",))
    if left:
        names = {layer.name for layer in left}
        kept = tuple(each for each in net.couplings if not {each.upper, each.lower} & names)
        net = replace(net, layers=tuple(each for each in net.layers if each.name not in names), couplings=kept)
    torus = isinstance(proof, Certificate) and proof.facts.get("torus", 0) == 1
    faults = (*_layers(subject, net, torus), *_couplings(subject, net))
    remarks = (
        [f"it speaks of the net without its bounded layers {', '.join(each.name for each in left)}"] if left else []
    )
    if torus and [each.size for each in subject.layers] != [each.size for each in net.layers]:
        remarks.append("it was made at another image size, and holds at every one")
    return Comparison(tuple(faults), tuple(remarks))


def _of_matrix(subject: Subject, net: Net) -> Comparison:
    try:
        written = explicit(net)
    except BrokenError as error:
        return Comparison((f"the matrix cannot be compared with the net: {error}",))
    assert not isinstance(subject, Net)
    if not np.array_equal(subject.values, written.values):
        return Comparison((f"the matrix is not that of '{net.name}'",))
    if {frozenset(group) for group in subject.groups} != {frozenset(group) for group in written.groups}:
        return Comparison((f"the groups of the matrix are not those of '{net.name}'",))
    return Comparison()


def _layers(subject: Net, net: Net, any_size: bool) -> Iterator[str]:
    if [each.name for each in subject.layers] != [each.name for each in net.layers]:
        yield f"its layers are {', '.join(subject.layer)}, those of '{net.name}' {', '.join(net.layer)}"
        return
    for mine, other in zip(subject.layers, net.layers, strict=True):
        if _said(mine, any_size) != _said(other, any_size):
            yield f"its layer '{mine.name}' is {_said(mine, any_size)}, that of '{net.name}' {_said(other, any_size)}"
        elif not np.array_equal(mine.diagonal, other.diagonal):
            yield f"the diagonal of its layer '{mine.name}' is not that of '{net.name}'"


def _couplings(subject: Net, net: Net) -> Iterator[str]:
    if [_ends(each) for each in subject.couplings] != [_ends(each) for each in net.couplings]:
        yield f"its couplings are not those of '{net.name}': other layers, strides, paddings or windows"
        return
    for mine, other in zip(subject.couplings, net.couplings, strict=True):
        if not np.array_equal(mine.filter, other.filter):
            yield f"its filter '{mine.weight}' is not that of '{net.name}': other weights"


def _said(layer: Layer, any_size: bool) -> str:
    size = "" if any_size else f" of {layer.size[0]}×{layer.size[1]}"
    return f"{layer.channels} channels{size} in [{layer.least}, {layer.most}] with groups {layer.group}"


def _ends(coupling: Coupling) -> tuple[object, ...]:
    return (coupling.upper, coupling.lower, coupling.stride, coupling.dilation, coupling.padding, coupling.circular,
            coupling.replicate, coupling.full)  # fmt: skip
