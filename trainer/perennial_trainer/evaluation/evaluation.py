"""The evaluation of a model on held-out rows, for the model card."""

import numpy as np

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.modelcard import Curve, Evaluation, Score

from .classification import ClassificationStatistics
from .curves import calibration, precision_recall, roc
from .held_out import PredictedRows
from .intervals import scores_of
from .scores import values
from .slices import slices
from .task import RowPredictions, Task

MOST_RESIDUALS = 300


def evaluate(rows: PredictedRows, learnt: np.ndarray, metric: MetricName, seed: int) -> Evaluation:
    """Return all facts about a model that held-out rows show.

    Args:
        rows: the rows with the model's predictions.
        learnt: truth of the training rows, texts or float64.
        metric: the score of the slices.
        seed: seed of the intervals' resamples.
    """
    task, truth, predictions = rows.task, rows.truth, rows.predictions
    evaluation = Evaluation(
        task=task.kind,
        rows=len(rows.frame),
        classes=task.classes,
        positive=task.positive,
        scores=scores_of(task, truth, predictions, seed),
        slices=slices(rows, metric, seed),
        dummy=score_dummy(task, learnt, truth),
    )
    if task.kind == "Regression":
        evaluation.residuals = _sample(truth, predictions.values, seed)
        return evaluation
    statistics = ClassificationStatistics(task, truth, predictions)
    evaluation.matrix = statistics.matrix.tolist()
    evaluation.roc = roc(task, truth, predictions)
    evaluation.precision_recall = precision_recall(task, truth, predictions)
    evaluation.calibration = calibration(task, truth, predictions)
    return evaluation


def score_dummy(task: Task, learnt: np.ndarray, truth: np.ndarray) -> list[Score]:
    """Return the scores of a constant prediction: shares of the classes, or median.

    Args:
        task: the task.
        learnt: truth of the training rows.
        truth: truth of the rows to score on.
    """
    if task.kind == "Regression":
        constant = RowPredictions.of_numbers(np.full(len(truth), float(np.median(learnt))))
    else:
        shares = np.array([(learnt == label).mean() for label in task.classes])
        most = task.classes[int(shares.argmax())]
        constant = RowPredictions(
            np.full(len(truth), most, object), np.tile(shares, (len(truth), 1)), task.classes
        )
    scores = values(task, truth, constant)
    return [Score(metric=metric, value=value) for metric, value in scores.items()]


def _sample(truth: np.ndarray, predicted: np.ndarray, seed: int) -> Curve:
    """Return truth and prediction of a random sample, in the order of the truth."""
    chosen = np.random.default_rng(seed).permutation(len(truth))[:MOST_RESIDUALS]
    chosen = chosen[np.argsort(truth[chosen], kind="stable")]
    return Curve(
        x=[float(f"{value:.6g}") for value in truth[chosen]],
        y=[float(f"{value:.6g}") for value in predicted[chosen]],
    )
