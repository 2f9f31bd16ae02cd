"""The drift profile of a model: its inputs and answers on held-out rows, and how good these are."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from perennial_contracts.stats.quality import score_of
from perennial_contracts.wire.profile import (
    MAX_FEATURES,
    Baseline,
    Profile,
    fit_categories,
    fit_numbers,
)

from ..data.features import Feature
from ..evaluation.blocks import resample
from ..evaluation.scores import measure
from ..evaluation.task import Answers, Task

BLOCKS = 30
"""Long enough for what comes in runs, many enough for a standard deviation."""
RESAMPLES = 1000


def describe(
    frame: pd.DataFrame, features: Sequence[Feature], answers: Answers, task: Task
) -> Profile:
    """What inputs and answers look like, where nothing says how good the answers are.

    Args:
        frame: clean rows.
        features: its columns.
        answers: the ONNX model's own to these rows.
        task: the classes, or that numbers are told.
    """
    if task.kind == "Regression":
        score, label = fit_numbers("score", answers.values), None
    else:
        known = task.positive in answers.classes
        positive = answers.classes.index(task.positive) if known and task.positive else None
        score = fit_numbers("score", score_of(answers.probabilities, positive))
        label = fit_categories("label", answers.labels, keep=answers.classes)
    return Profile(
        rows=len(frame),
        features=[
            fit_categories(feature.name, frame[feature.name].to_numpy(object))
            if feature.is_text
            else fit_numbers(feature.name, frame[feature.name].to_numpy(np.float32))
            for feature in features[:MAX_FEATURES]
        ],
        score=score,
        label=label,
        positive=task.positive,
    )


def fit(
    frame: pd.DataFrame,
    features: Sequence[Feature],
    truth: np.ndarray,
    answers: Answers,
    task: Task,
    seed: int,
) -> Profile:
    """The profile of a model on held-out rows.

    Args:
        frame: clean rows in the order of time.
        features: its columns.
        truth: shape (rows,), texts or float64.
        answers: the ONNX model's own to these rows.
        task: the classes, or that numbers are told.
        seed: of the resamples that tell how much a score varies.
    """
    described = describe(frame, features, answers, task)
    return described.model_copy(update={"quality": fit_quality(truth, answers, task, seed)})


def fit_quality(truth: np.ndarray, answers: Answers, task: Task, seed: int) -> dict[str, Baseline]:
    """Each score with its standard deviation over resamples of contiguous blocks."""
    blocks, weights = resample(len(truth), BLOCKS, RESAMPLES, seed)
    counts = measure(task, truth, answers, blocks)
    found: dict[str, Baseline] = {}
    for metric in task.metrics:
        value, resampled = counts.value(metric), counts.resampled(metric, weights)
        defined = resampled[np.isfinite(resampled)]
        if np.isfinite(value) and defined.size:
            found[metric] = Baseline(
                value=round(value, 6), deviation=round(float(defined.std()), 6), rows=len(truth)
            )
    return found
