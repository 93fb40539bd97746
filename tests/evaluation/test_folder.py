"""What an evaluation leaves in a folder."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lvmc.evaluation import Evaluated, Evaluation, predict_and_evaluate
from lvmc.evaluation.folder import write_numbers, write_pictures, write_predictions
from lvmc.evaluation.shown import look, worst
from lvmc.spec.train import Evaluate, Train

from .sets import Drawn, small_model

TRAIN = Train(evaluate=Evaluate(pck=0.5))


@pytest.fixture(scope="module")
def evaluated() -> Evaluated:
    return predict_and_evaluate(small_model(), {"test": Drawn(12), "covered": Drawn(6, seed=3)}, TRAIN)


def test_tables_hold_the_figures(evaluated: Evaluated, tmp_path: Path) -> None:
    write_numbers(evaluated.evaluation, 0.5, tmp_path)
    found = evaluated.evaluation
    rows = list(csv.DictReader((tmp_path / "figures.csv").open()))
    assert {f"{r['set']}/{r['head']}/{r['metric']}": float(r["value"]) for r in rows} == found.figures
    joints = list(csv.DictReader((tmp_path / "joints.csv").open()))
    assert {row["joint"] for row in joints} == {"left", "right", "top"}
    assert float(joints[0]["nme"]) == found.joints["test/keypoints"]["left"]["nme"]
    table = (tmp_path / "table.md").read_text()
    assert f"| NME | {found.figures['test/keypoints/nme']:.4f} |" in table
    assert "| PCK@0.5, hidden points |" in table
    assert Evaluation.from_json((tmp_path / "evaluation.json").read_text()) == found
    for name in ("curves.png", "precision_recall.png"):
        assert min(Image.open(tmp_path / name).size) > 200


def test_predictions_are_in_pixels_of_the_file(evaluated: Evaluated, tmp_path: Path) -> None:
    sets = {"test": Drawn(12), "covered": Drawn(6, seed=3)}
    write_predictions(evaluated.predicted, sets, 1, tmp_path)
    written = {path.name for path in tmp_path.iterdir()}
    further = {"predictions_test_place.json", "predictions_covered_keypoints.json", "predictions_covered_place.json"}
    assert written == further | {"predictions.json"}
    records = json.loads((tmp_path / "predictions.json").read_text())
    x, y = evaluated.predicted["test"]["keypoints"].points[4, 0].astype(float)
    assert records[4]["keypoints"][:2] == pytest.approx([2 * x + 3, 2 * y + 1], abs=1e-3)


def test_pictures_of_the_first_and_the_worst(evaluated: Evaluated, tmp_path: Path) -> None:
    write_pictures(small_model(), {"test": Drawn(12)}, evaluated, TRAIN, 2, tmp_path)
    errors = np.nanmean(np.where(evaluated.evaluation.errors["test/keypoints/visible"] > 0, 1, np.nan)
                        * evaluated.evaluation.errors["test/keypoints/error"], axis=1)  # fmt: skip
    lowest = np.argsort(-np.nan_to_num(errors, nan=-1))[:2]
    names = {path.name for path in (tmp_path / "pictures" / "test").iterdir()}
    wanted = {"first.png", "first_00000.png", "first_00001.png", "worst.png"}
    assert names == wanted | {f"worst_{index:05d}.png" for index in lowest}
    assert Image.open(tmp_path / "pictures" / "test" / "worst.png").size[0] > 400


def test_the_worst_by_pixels_where_there_are_no_points() -> None:
    right = np.array([0.5, np.nan, 0.1, 0.9])
    assert worst(Evaluation(errors={"test/parts/right": right}), "test", 3) == [2, 0, 3]


def test_what_is_shown_is_what_was_predicted(evaluated: Evaluated) -> None:
    shown = look(small_model(), Drawn(12), [5, 2], TRAIN)
    assert [each.sample.name for each in shown] == ["noise 5", "noise 2"]
    for each, index in zip(shown, (5, 2), strict=True):
        said = {one.head: one for one in each.heads}
        predicted = evaluated.predicted["test"]
        assert np.allclose(said["keypoints"].points, predicted["keypoints"].points[index], atol=1e-3)
        assert np.array_equal(said["parts"].classes, predicted["parts"].classes[index])
        assert said["scene"].label == predicted["scene"].labels[index]
        assert said["keypoints"].heat.shape == (3, 12, 16)
        assert said["keypoints"].limbs == ((0, 1), (1, 2))
