"""How good a trained model is: predictions, metrics, tables and pictures."""

from lvmc.evaluation.evaluate import Evaluated, evaluate, predict_and_evaluate
from lvmc.evaluation.evaluation import Curve, Evaluation, load_errors, merged, save_errors
from lvmc.evaluation.predict import Predicted, Truth, predict

__all__ = [
    "Curve", "Evaluated", "Evaluation", "Predicted", "Truth", "evaluate", "load_errors", "merged", "predict",
    "predict_and_evaluate", "save_errors",
]  # fmt: skip
