"""A check as one JSON document: every figure; arrays are summed up by layer and channel, the files hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from lvmc.diagnostics.answers import Bound, Check, Excitation
from lvmc.diagnostics.outer import OuterLoop
from lvmc.diagnostics.passes.convergence import Convergence
from lvmc.diagnostics.passes.trace import Trace
from lvmc.results.check.interval import in_cone
from lvmc.results.check.theorems import theorem
from lvmc.results.check.witness import channel_shares, shown_witness, strongest_pairs
from lvmc.results.check.words import said, scales
from lvmc.verdicts import Array, Certificate, Witness

Json = Mapping[str, "Json"] | Sequence["Json"] | str | float | int | bool | None

MOST_CHANNELS, MOST_PAIRS = 5, 5


def document_of(check: Check) -> dict[str, Json]:
    """Everything a check says; infinities and unknown numbers are null."""
    told, verdict = said(check), check.verdict
    below, above = scales(check)
    return {
        "name": check.name,
        "outcome": told.outcome,
        "headline": told.headline,
        "sentence": told.sentence,
        "bounded": check.bounded,
        "why": check.why,
        "copositive": verdict.copositive,
        "strict": verdict.strict,
        "psd": verdict.psd,
        "every_size": check.every_size,
        "bounds": [_number(bound) for bound in verdict.bounds],
        "scales": {"strict_below": _number(below), "not_copositive_above": _number(above)},
        "method": verdict.method,
        "remarks": list(verdict.remarks),
        "outer": None if check.outer is None else _outer(check.outer),
        "units": None if check.form is None else check.form.units,
        "certificate": _certificate(verdict.certificate),
        "witness": _witness(check),
        "stages": [_stage(bound) for bound in check.stages],
        "layers": [
            {"layer": each.layer, "units": each.units, "margin": _number(each.margin), "share": _number(each.share)}
            for each in check.layers
        ],
        "excitations": [_excitation(each) for each in check.excitations],
        "remedies": [
            {
                "text": each.text,
                "holds": each.holds,
                "factors": dict(each.factors),
                "diagonal": dict(each.diagonal),
                "upper": dict(each.upper),
            }
            for each in check.remedies
        ],
        "convergence": _convergence(check.convergence),
        "trace": _trace(check.trace),
        "remark": check.remark,
        "seconds": check.seconds,
    }


def _certificate(proof: Certificate | None) -> Json:
    if proof is None:
        return None
    return {
        "claim": proof.claim,
        "kind": proof.kind,
        "theorem": theorem(proof),
        "margin": _number(proof.margin),
        "chance": proof.chance,
        "facts": {name: _fact(value) for name, value in proof.facts.items()},
        "arrays": {name: _summed_up(values) for name, values in proof.arrays.items()},
    }


def _witness(check: Check) -> Json:
    witness = shown_witness(check)
    if witness is None:
        return None
    return {
        "refutes": witness.refutes if witness is check.witness else None,
        "value": _number(witness.value),
        "error": _number(witness.error),
        "layers": {layer: _channels(shares) for layer, shares in channel_shares(check).items()},
    }


def _channels(shares: Array) -> Json:
    strongest = np.argsort(shares)[::-1][:MOST_CHANNELS]
    return {
        "share": float(shares.sum()),
        "channels": [{"channel": int(each), "share": float(shares[each])} for each in strongest if shares[each] > 0],
    }


def _stage(bound: Bound) -> Json:
    return {
        "stage": bound.stage,
        "lower": _number(bound.lower),
        "upper": _number(bound.upper),
        "upper_in_cone": in_cone(bound),
        "certificate": _certificate(bound.certificate),
        "witness": _value(bound.witness),
        "seconds": bound.seconds,
        "remark": bound.remark,
    }


def _value(witness: Witness | None) -> Json:
    if witness is None:
        return None
    return {"refutes": witness.refutes, "value": _number(witness.value), "error": _number(witness.error)}


def _excitation(each: Excitation) -> Json:
    pairs = strongest_pairs([each], MOST_PAIRS)
    return {
        "upper": each.upper,
        "lower": each.lower,
        "energy": _number(each.energy),
        "channels": [
            {"upper": pair.upper_channel, "lower": pair.lower_channel, "energy": _number(pair.energy)} for pair in pairs
        ],
    }


def _convergence(found: Convergence | None) -> Json:
    if found is None:
        return None
    return {
        "outcome": found.outcome,
        "outcomes": list(found.outcomes),
        "passes": found.passes,
        "monotone": found.monotone,
        "measured": None if found.rate is None else _number(found.rate.factor),
        "predicted": None if found.predicted is None else _number(found.predicted),
        "active": found.active,
        "promised": None if found.promised is None else _number(found.promised),
        "ray": None if found.curvature is None else _number(found.curvature[0]),
        "remark": found.remark,
    }


def _trace(trace: Trace | None) -> Json:
    if trace is None:
        return None
    return {
        "updates": len(trace.layers),
        "passes": max(trace.passes, default=0),
        "score": _means(trace.score),
        "objective": _means(trace.objective),
        "residual": _largest(trace.residual),
        "step": _largest(trace.step),
        "remark": trace.remark,
    }


def _means(values: NDArray[np.float64] | None) -> Json:
    """A number an update: the mean over the samples."""
    return None if values is None else [_number(value) for value in values.mean(1).tolist()]


def _largest(values: NDArray[np.float64] | None) -> Json:
    """A number an update: the largest of the samples."""
    return None if values is None else [_number(value) for value in values.max(1).tolist()]


def _summed_up(values: Array) -> Json:
    bounds = {"least": _number(float(values.min())), "largest": _number(float(values.max()))} if values.size else {}
    return {"shape": list(values.shape), **bounds}


def _fact(value: float | int | str) -> Json:
    return _number(value) if isinstance(value, float) else value


def _number(value: float) -> float | None:
    return float(value) if isfinite(value) else None


def _outer(outer: OuterLoop) -> dict[str, Json]:
    return {
        "steps": outer.steps,
        "moves": {name: [_number(move) for move in moves] for name, moves in outer.moves.items()},
        "radius": None if outer.radius is None else _number(outer.radius),
        "said": outer.said,
    }
