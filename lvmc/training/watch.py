"""Which of two validations is better, by the loss or by a metric of a head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import isnan

from lvmc.records import nearest

LOWER = (
    "loss", "nme", "nme_refined", "mpjpe", "pa_mpjpe",
    "mae", "mae_mean", "mae_refined", "rmse", "rmse_mean", "rmse_refined", "nll",
)  # fmt: skip
HIGHER = ("pck", "auc", "pcp", "accuracy", "mean_accuracy", "miou", "superpixel_accuracy", "visible_ap", "hidden_ap")
"""Metrics of which less, and of which more is better; those of points also with `_visible` and `_hidden`."""


@dataclass(frozen=True, slots=True)
class Best:
    """The best validation so far: its figure, and its epoch in its stage, from 1."""

    figure: float
    epoch: int


def watched(watch: str) -> str:
    """The name of the watched figure among those of a validation.

    Raises:
        ValueError: Nobody knows whether more of it is better.
    """
    metric = watch.rpartition("/")[2]
    if _plain(metric) not in (*LOWER, *HIGHER):
        known = nearest(metric, (*HIGHER, *LOWER))
        raise ValueError(f"train.evaluate.watch: no metric is called {metric!r}; {known}")
    return f"validation/{watch}"


def figure_of(watch: str, figures: Mapping[str, float]) -> float:
    """The watched figure.

    Raises:
        ValueError: The validation set gives no such figure.
    """
    name = watched(watch)
    if name not in figures:
        known = [each.removeprefix("validation/") for each in figures if each.startswith("validation/")]
        fault = f"the validation set gives no {watch!r}"
        raise ValueError(f"train.evaluate.watch: {fault}; {nearest(watch, known)}")
    return figures[name]


def better(watch: str, figure: float, best: Best | None) -> bool:
    """Whether a figure is better than the best one so far; ties are not, nan never is."""
    if isnan(figure):
        return False
    if best is None:
        return True
    return figure < best.figure if _plain(watch.rpartition("/")[2]) in LOWER else figure > best.figure


def _plain(metric: str) -> str:
    """nme_hidden → nme."""
    return metric if metric.endswith("_ap") else metric.removesuffix("_visible").removesuffix("_hidden")
