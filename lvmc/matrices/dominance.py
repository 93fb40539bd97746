"""Weighted dominance: excitation summed with weights v stays below the diagonal, on z ≥ 0 (T1) or by groups (T5)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg import LinAlgError, eigh
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from lvmc.matrices.problem import Problem
from lvmc.matrices.semidefinite import UNIT
from lvmc.verdicts import Array, Certificate, Claim

Sums = Callable[[Array], Array]


def excitation(problem: Problem) -> Array:
    """C₊ = max(−A, 0) off the diagonal."""
    excites = np.maximum(-problem.matrix, 0.0)
    np.fill_diagonal(excites, 0.0)
    return excites


def dominance(problem: Problem) -> Certificate:
    """T1: zᵀAz ≥ Σ_i z_i² (a_ii − (C₊v)_i/v_i) for every v > 0 and z ≥ 0.

    For 2 z_i z_j ≤ z_i² v_j/v_i + z_j² v_i/v_j, weighted with c₊_ij and summed.
    """
    excites = excitation(problem)
    vectors = [v for v in (perron(excites, problem.weights), solved(excites, problem.weights)) if v is not None]
    return max((certificate(problem, excites.__matmul__, v, grouped=False) for v in vectors), key=margin_of)


def group_dominance(problem: Problem, passes: int = 200) -> Certificate:
    """T5: with T(v)_i the sum over the other groups h of max_{j in h} c₊_ij v_j, T(v) ≤ (1 − μ)Dv proves the margin μ.

    Any choice σ of one index a group has (C₊_σσ v_σ)_i ≤ T(v)_i, so T1 holds for it. T is monotone and homogeneous: its
    power iteration, damped, gives v.
    """
    excites = excitation(problem)
    excites[problem.rivals()] = 0.0
    labels = problem.labels()
    order = np.argsort(labels, kind="stable")
    starts = np.unique(labels[order], return_index=True)[1]
    sorted_ = excites[:, order]

    def sums(v: Array) -> Array:
        return np.maximum.reduceat(sorted_ * v[order], starts, axis=1).sum(axis=1)

    v = perron(excites, problem.weights)
    best = certificate(problem, sums, v, grouped=True)
    for _ in range(passes):
        rates = sums(v) / (problem.weights * v)
        if rates.max() - rates[rates > 0].min(initial=np.inf) < 1e-9 * rates.max():
            break
        v = v * (rates + rates.max() + 1e-300)
        v = np.maximum(v / v.max(), 1e-200)
        best = max(best, certificate(problem, sums, v, grouped=True), key=margin_of)
    return best


def margin_of(found: Certificate) -> float:
    return found.margin


def certificate(problem: Problem, sums: Sums, v: Array, grouped: bool) -> Certificate:
    """What v proves: μ = min_i (a_ii − (1 + γ) sums(v)_i / v_i) / D_i, rounded down.

    The sums are of products of nonnegative numbers: their relative error is below γ = (n + 4)u/(1 − (n + 4)u).
    """
    terms = len(v) + 8
    raised = sums(v) * (1 + 2 * terms * UNIT) / v
    ratios = (problem.diagonal - raised) / problem.weights
    spent = 8 * UNIT * (np.abs(problem.diagonal) + raised) / problem.weights
    margin = float((ratios - spent).min(initial=1.0))
    margin -= 4 * UNIT * abs(margin)
    claim: Claim = "strict" if margin > 0 else "copositive"
    return Certificate(claim, "dominance", margin, {"v": v}, {"groups": int(grouped)})


def perron(excites: Array, weights: Array) -> Array:
    """The Perron vector of D^-½ C₊ D^-½, times D^-½, of each connected part on its own; 1 where nothing excites."""
    root = np.sqrt(weights)
    scaled = excites / np.outer(root, root)
    _, part = connected_components(csr_matrix(scaled), directed=False)
    v = np.ones(len(weights))
    for label in np.unique(part):
        rows = np.flatnonzero(part == label)
        if len(rows) > 1:
            v[rows] = perron_of(scaled[np.ix_(rows, rows)])
    return v / root


def perron_of(scaled: Array) -> Array:
    """The Perron vector of a connected nonnegative symmetric matrix, its small entries by power steps."""
    last = len(scaled) - 1
    values, vectors = eigh(scaled, check_finite=False, subset_by_index=[last, last])
    v = np.maximum(np.abs(vectors[:, 0]), 1e-14)
    for _ in range(3):
        v = scaled @ v + float(values[0]) * v
        v = np.maximum(v / v.max(), 1e-200)
    return v


def solved(excites: Array, weights: Array) -> Array | None:
    """v with (D − C₊) v = D 1: positive exactly where D − C₊ is an M-matrix, and then it proves a margin above 0."""
    try:
        v = np.asarray(np.linalg.solve(np.diag(weights) - excites, weights), dtype=np.float64)
    except LinAlgError:
        return None
    return v if np.isfinite(v).all() and (v > 0).all() else None
