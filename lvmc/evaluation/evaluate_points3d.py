"""The points in 3D of one head on one set: MPJPE, about the root and after the best similarity."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lvmc.evaluation.evaluate_points import by_visibility
from lvmc.evaluation.evaluation import Evaluation, merged, placed
from lvmc.evaluation.points import Floats, mean
from lvmc.evaluation.points3d import root_errors, similarity_errors
from lvmc.evaluation.predict import Predicted, Truth


def with_points3d(found: Evaluation, place: str, said: Predicted, truth: Truth, names: Sequence[str]) -> Evaluation:
    """An evaluation of a head's points in the picture, with figures of those in 3D where it gives any that are known.

    They are in the unit of the samples, of all points and of visible and hidden ones apart: `mpjpe` (about the root)
    and `pa_mpjpe` (after the best similarity).

    Args:
        found: The evaluation, of "<set>/<head>".
        place: "<set>/<head>".
        said: What the head says.
        truth: What is known.
        names: Of the points.
    """
    if said.points3d is None or truth.points3d is None or truth.visible is None:
        return found
    apart = {
        "mpjpe": root_errors(said.points3d, truth.points3d, tuple(names)),
        "pa_mpjpe": similarity_errors(said.points3d, truth.points3d),
    }
    sorted_out = {
        f"{metric}{suffix}": some
        for metric, errors in apart.items()
        for suffix, some in by_visibility(errors, truth.visible).items()
    }
    figures = {metric: mean(errors) for metric, errors in sorted_out.items()}
    joints = {name: row | _joint(sorted_out, joint) for joint, (name, row) in enumerate(found.joints[place].items())}
    counts = {f"{place}/points3d": int((~np.isnan(apart["mpjpe"])).sum())}
    more = Evaluation(
        placed(place, figures), joints={place: joints}, counts=counts, errors={f"{place}/error3d": apart["mpjpe"]}
    )
    return merged([found, more])


def _joint(errors: dict[str, Floats], joint: int) -> dict[str, float]:
    means = {metric: mean(some[:, joint]) for metric, some in errors.items()}
    return {metric: value for metric, value in means.items() if not np.isnan(value)}
