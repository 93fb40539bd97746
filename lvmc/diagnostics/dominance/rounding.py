"""Bounds on what float64 rounding does to sums of nonnegative products, and margins rounded towards the safe side."""

from __future__ import annotations

from math import inf, nextafter, prod

from lvmc.graph.form import Form

UNIT = 2.0**-53


def gamma(terms: int) -> float:
    """γ_k = k u/(1 − k u): the relative error of a sum of k nonnegative products, in any order (Higham, §3.1)."""
    return (terms + 1) * UNIT / (1 - (terms + 1) * UNIT)


def fan_in(form: Form) -> dict[str, int]:
    """Roundings that (C v)_i goes through at most, by layer: products and sums over filters and windows."""
    terms = dict.fromkeys(form.block, 4)
    for edge in form.edges:
        taps = prod(edge.filter.shape[2:])
        terms[edge.upper] += edge.filter.shape[1] * taps + prod(edge.replicate) + 2
        terms[edge.lower] += edge.filter.shape[0] * taps + 1
    for side in form.sides:
        terms[side.layer] += prod(side.filter.shape[1:]) + 1
    return terms


def raised(ratio: float, terms: int) -> float:
    """A bound on the exact ratio (C v)_i/(d_i v_i) from the computed one: `ratio` · (1 + γ_{K+4}), rounded up."""
    return nextafter(ratio * (1 + gamma(terms + 4)), inf) if ratio > 0 else ratio


def margin(ratio: float) -> float:
    """1 − ratio, rounded down."""
    return nextafter(1 - ratio, -inf)
