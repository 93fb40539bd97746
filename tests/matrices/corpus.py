"""The corpus: matrices whose answers are known by a theorem, or by two methods that have nothing in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np

from . import corpus_graphs as graphs
from . import corpus_groups as groups
from . import corpus_layers as layers
from . import corpus_named as named
from . import corpus_spn as spn
from .record import Record, direct_sum, indicator, record, shuffled

FAMILIES: tuple[Callable[[], Iterator[Record]], ...] = (
    named.small, named.horn, named.hoffman_pereira, named.hildebrand, named.valiaho, named.standard_quadratic,
    named.subset_sum, graphs.motzkin, spn.spn, spn.critical, spn.planted, spn.m_matrices, spn.blocks,
    layers.nonnegative_layers, layers.tight_dominance, layers.edge_detectors, layers.signed_layers,
    groups.flips, groups.pooled_nets, groups.signed_groups, groups.exceptional_groups,
)  # fmt: skip


@cache
def corpus() -> tuple[Record, ...]:
    """Every record of at most 40 units."""
    return tuple(found for family in FAMILIES for found in family())


@cache
def large() -> tuple[Record, ...]:
    """Records of 50 to 64 units."""
    return (*graphs.large_motzkin(), *_large_others())


def _large_others() -> Iterator[Record]:
    horns, order = shuffled(direct_sum([named.HORN] * 12), 3)
    zero = indicator(60, (0, 1))[order]
    yield record("horn/sum-of-12", horns, "boundary", "direct sum", ray=zero)
    yield record("horn/sum-of-12-not", horns - 1e-3 * np.eye(60), "not", "direct sum", ray=zero)
    yield record("horn/sum-of-12-strict", horns + 1e-3 * np.eye(60), "strict", "direct sum")
    for n in (50, 64):
        yield record(f"valiaho/at-{n}", n * np.eye(n) - 1, "boundary", "nI − J", ray=np.ones(n))
        z = spn.sparse_ray(n, n // 4, n)
        matrix, extra = spn.spn_with_zero(n, z, n // 2, n)
        yield from spn.beside(f"critical/spn-{n}-{n // 4}", matrix, z, extra)
