"""The evaluation of a model on rows that it has not learnt from, as the model card has it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from perennial_contracts.stats.quality import MetricName
from perennial_contracts.wire.modelcard import Curve, Evaluation

from ..data.features import Feature
from .counts import Counts
from .curves import calibration, precision_recall, roc
from .dummy import dummy
from .intervals import scores_of
from .slices import slices
from .task import Answers, Task

MOST_RESIDUALS = 300


def evaluate(
    task: Task,
    frame: pd.DataFrame,
    features: Sequence[Feature],
    learnt: np.ndarray,
    truth: np.ndarray,
    answers: Answers,
    metric: MetricName,
    seed: int,
) -> Evaluation:
    """Everything that held-out rows tell about a model.

    Args:
        task: the classes, or that numbers are told.
        frame: clean rows in the order of time.
        features: its columns.
        learnt: the truth of the rows that were learnt from, texts or float64.
        truth: shape (rows,), texts or float64.
        answers: the model's.
        metric: what slices are measured by.
        seed: of the intervals' resamples.
    """
    found = Evaluation(
        task=task.kind,
        rows=len(frame),
        classes=task.classes,
        positive=task.positive,
        scores=scores_of(task, truth, answers, seed),
        slices=slices(frame, features, task, truth, answers, metric, seed),
        dummy=dummy(task, learnt, truth),
    )
    if task.kind == "Regression":
        found.residuals = _sample(truth, answers.values, seed)
        return found
    found.matrix = Counts(task, truth, answers).matrix.tolist()
    found.roc = roc(task, truth, answers)
    found.precision_recall = precision_recall(task, truth, answers)
    found.calibration = calibration(task, truth, answers)
    return found


def _sample(truth: np.ndarray, said: np.ndarray, seed: int) -> Curve:
    """The truth and the answer of some rows, in the order of the truth."""
    chosen = np.random.default_rng(seed).permutation(len(truth))[:MOST_RESIDUALS]
    chosen = chosen[np.argsort(truth[chosen], kind="stable")]
    return Curve(
        x=[float(f"{value:.6g}") for value in truth[chosen]],
        y=[float(f"{value:.6g}") for value in said[chosen]],
    )
