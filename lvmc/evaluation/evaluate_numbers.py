"""The numbers of one head on one set, evaluated: errors before and after refinement, likelihood, and coverage."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from lvmc.evaluation.evaluation import Evaluation, placed
from lvmc.evaluation.points import Floats, mean
from lvmc.evaluation.predict import Predicted, Truth

LEVELS = (50, 90)
"""Percent of the probability that central intervals hold whose coverage is told."""


def evaluate_numbers(place: str, said: Predicted, truth: Truth, columns: tuple[int, ...] | None) -> Evaluation:
    """Of values MAE and RMSE, in their units; of densities the negative log-likelihood in nats and the coverage.

    Errors are also those of an energy's mean (`_mean`), and of predictions that an energy refined (`_refined`, and how
    much that changes them, `_change`). `nll_error` is how far normalisers may be off, on average. `coverage_90` is how
    often the truth lies between the 5 and 95 % quantiles of a coordinate.

    Args:
        place: "<set>/<head>", before the names of metrics.
        said: Of the set.
        truth: Of the set.
        columns: Which of the values the head learns; None: all.
    """
    figures: dict[str, float] = {}
    errors: dict[str, Floats] = {}
    if said.numbers is not None and truth.values is not None:
        values = truth.values if columns is None else truth.values[:, list(columns)]
        numbers = {"": said.numbers, "_mean": said.mean, "_refined": said.refined}
        errors = {f"off{suffix}": _off(each, values) for suffix, each in numbers.items() if each is not None}
        for name, off in errors.items():
            figures |= {f"mae{name[3:]}": mean(off), f"rmse{name[3:]}": mean(off**2) ** 0.5}
        if "off_refined" in errors:
            figures |= {f"{name}_change": figures[f"{name}_refined"] - figures[name] for name in ("mae", "rmse")}
    if said.log_likelihood is not None:
        errors["nll"] = -said.log_likelihood.astype(np.float64)
        figures["nll"] = mean(errors["nll"])
    if said.log_error is not None:
        figures["nll_error"] = mean(said.log_error.astype(np.float64))
    if said.cumulative is not None:
        figures |= {f"coverage_{level}": _coverage(said.cumulative.astype(np.float64), level) for level in LEVELS}
    counts = {f"{place}/samples": len(each) for each in errors.values()}
    return Evaluation(
        figures=placed(place, figures), counts=counts, errors={f"{place}/{name}": each for name, each in errors.items()}
    )


def _off(numbers: NDArray[np.float32], values: NDArray[np.float32]) -> Floats:
    return np.abs(numbers.astype(np.float64) - values)


def _coverage(cumulative: Floats, level: int) -> float:
    known = cumulative[~np.isnan(cumulative)]
    return mean((np.abs(known - 0.5) <= level / 200).astype(np.float64))
