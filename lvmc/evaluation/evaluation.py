"""What an evaluation found, as one record that goes to JSON and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Table: TypeAlias = dict[str, dict[str, float]]
"""Metrics by row: a joint, or a class."""


@dataclass(frozen=True, slots=True)
class Curve:
    """y over x, point by point."""

    x: tuple[float, ...]
    y: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """Metrics of all heads on all sets; what has no value (a mean over nothing) is left out.

    Attributes:
        figures: By "<set>/<head>/<metric>".
        joints: Metrics of each joint, by "<set>/<head>".
        classes: Metrics of each class of pixels, by "<set>/<head>".
        steps: Metrics after each step of outer feedback, by "<set>/<head>".
        curves: By "<set>/<head>/<curve>": `pck` over thresholds in units, precision over recall, `nme_by_step`.
        counts: Over how many points, limbs, pixels or samples figures are means; `steps`, that the spec has.
        errors: What pairs samples of two models, by "<set>/<head>/<what>", a row a sample, nan where nothing is known:
            `error` and `visible` (samples, points), `right` (samples,). Not in JSON; `save_errors` writes it.
    """

    figures: dict[str, float] = field(default_factory=dict[str, float])
    joints: dict[str, Table] = field(default_factory=dict[str, Table])
    classes: dict[str, Table] = field(default_factory=dict[str, Table])
    steps: dict[str, Table] = field(default_factory=dict[str, Table])
    curves: dict[str, Curve] = field(default_factory=dict[str, Curve])
    counts: dict[str, int] = field(default_factory=dict[str, int])
    errors: dict[str, NDArray[np.float64]] = field(
        default_factory=dict[str, NDArray[np.float64]], compare=False, repr=False
    )

    def document(self) -> dict[str, Any]:
        """As JSON values, without `errors`."""
        curves = {name: {"x": list(each.x), "y": list(each.y)} for name, each in self.curves.items()}
        return {
            "figures": self.figures,
            "joints": self.joints,
            "classes": self.classes,
            "steps": self.steps,
            "curves": curves,
            "counts": self.counts,
        }

    def to_json(self) -> str:
        """Text that `from_json` reads back as an equal evaluation, but for `errors`."""
        return json.dumps(self.document(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @staticmethod
    def from_json(text: str) -> Evaluation:
        """Read what `to_json` wrote.

        Raises:
            ValueError: The text is no such JSON.
        """
        try:
            read = json.loads(text)
            curves = {name: Curve(tuple(each["x"]), tuple(each["y"])) for name, each in read["curves"].items()}
            steps = read.get("steps", {})  # what lvmc wrote before it knew them has none
            return Evaluation(read["figures"], read["joints"], read["classes"], steps, curves, read["counts"])
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no evaluation of lvmc: {error!r}") from error


def merged(parts: Iterable[Evaluation]) -> Evaluation:
    """Evaluations of different heads or sets as one."""
    whole = Evaluation()
    for part in parts:
        whole.figures.update(part.figures)
        whole.joints.update(part.joints)
        whole.classes.update(part.classes)
        whole.steps.update(part.steps)
        whole.curves.update(part.curves)
        whole.counts.update(part.counts)
        whole.errors.update(part.errors)
    return whole


def placed(place: str, values: Mapping[str, float]) -> dict[str, float]:
    """`{"nme": .05}` under "test/keypoints": what is nan left out, numpy's numbers as Python's."""
    return {f"{place}/{name}": float(value) for name, value in values.items() if not np.isnan(value)}


def save_errors(evaluation: Evaluation, path: Path) -> None:
    """Write `errors` as .npz; a name's `/` stands in the archive as it is."""
    np.savez_compressed(path, allow_pickle=False, **evaluation.errors)


def load_errors(path: Path) -> dict[str, NDArray[np.float64]]:
    """Read what `save_errors` wrote."""
    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}
