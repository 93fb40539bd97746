"""Random forms: of random specs over the whole language, and chains of layers written down directly."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import NDArray

from lvmc.graph.form import Block, Edge, Form, form_of
from lvmc.ir import Geometry, Group, Size
from lvmc.loading import resolve
from tests.laws.specs import random_parameters, specs

Array = NDArray[np.float64]
MOST_UNITS = 400


@st.composite
def forms(draw: st.DrawFn, groups: bool = True) -> Form:
    """The form of a random spec with random weights, of at most 400 units."""
    spec: dict[str, Any] = draw(specs(energy=True, groups=groups))
    _, graph = resolve(spec)
    assume(sum(layer.units for layer in graph.layers) <= MOST_UNITS)
    return form_of(graph, random_parameters(graph, np.random.default_rng(draw(st.integers(0, 10**6)))))


def chain(size: Size, filters: list[Array], geometries: list[Geometry], group: Group | None = None) -> Form:
    """Layers h1, h2, … of d = 1, each reading the one before; `group` and its windows in h1."""
    blocks = [Block("h1", filters[0].shape[1], size, np.ones(filters[0].shape[1]), group=group)]
    edges = list[Edge]()
    for number, (taps, geometry) in enumerate(zip(filters, geometries, strict=True), start=2):
        window = blocks[-1].group.window if blocks[-1].group else (1, 1)
        below = blocks[-1].size
        pooled = (below[0] // window[0], below[1] // window[1])
        above = geometry.size_above(pooled, (taps.shape[2], taps.shape[3]))
        name = f"h{number}"
        edges.append(Edge(name, blocks[-1].name, f"{name}.weight", taps, geometry, window))
        blocks.append(Block(name, len(taps), above, np.ones(len(taps))))
    return Form("chain", tuple(blocks), tuple(edges))


def flat(form: Form, arrays: Any) -> Array:
    """Arrays by layer as one vector."""
    return form.join({name: each[None] for name, each in arrays.items()})[0]
