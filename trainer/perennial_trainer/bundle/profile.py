"""Drift profile of a model: distributions of inputs and predictions, and scores.

The profile of a model without labelled rows has no scores. It has every feature of a table; of
tensors (images, a matrix) it has the predictions alone, as a distribution needs one value per row.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from perennial_contracts.stats.quality import score_of
from perennial_contracts.wire.names import PROBABILITIES
from perennial_contracts.wire.profile import (
    MAX_FEATURES,
    Baseline,
    Profile,
    fit_categories,
    fit_numbers,
)

from ..data import tables
from ..data.features import Feature, clean
from ..errors import StepError
from ..evaluation.bootstrap import resample
from ..evaluation.held_out import PredictedRows
from ..evaluation.scores import measure
from ..evaluation.task import REGRESSION, RowPredictions, Task
from ..log import log
from ..model.onnx_model import OnnxModel, SignatureError

BLOCKS = 30
"""Long enough for rows that are alike, many enough for a standard deviation."""
RESAMPLES = 1000
SAMPLE_FIELD = "spec.packaging.sample"


def fit(rows: PredictedRows, seed: int) -> Profile:
    """Return the profile of a model on held-out rows.

    Args:
        rows: the rows with the predictions of the ONNX model.
        seed: seed of the resamples for the deviation of the scores.
    """
    profile = describe(rows.frame, rows.features, rows.predictions, rows.task)
    return profile.model_copy(update={"quality": _fit_quality(rows, seed)})


def describe(
    frame: pd.DataFrame, features: Sequence[Feature], predictions: RowPredictions, task: Task
) -> Profile:
    """Return a profile without scores.

    Args:
        frame: clean rows.
        features: their columns.
        predictions: predictions of the ONNX model for these rows.
        task: the task.
    """
    if task.kind == "Regression":
        score, label = fit_numbers("score", predictions.values), None
    else:
        has_positive = task.positive in predictions.classes
        positive = (
            predictions.classes.index(task.positive) if has_positive and task.positive else None
        )
        score = fit_numbers("score", score_of(predictions.probabilities, positive))
        label = fit_categories("label", predictions.labels, keep=predictions.classes)
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


def _fit_quality(rows: PredictedRows, seed: int) -> dict[str, Baseline]:
    """Return each score with its standard deviation over resamples of blocks."""
    blocks, weights = resample(len(rows.truth), BLOCKS, RESAMPLES, seed)
    statistics = measure(rows.task, rows.truth, rows.predictions, blocks)
    quality: dict[str, Baseline] = {}
    for metric in rows.task.metrics:
        value, resampled = statistics.value(metric), statistics.resampled(metric, weights)
        defined = resampled[np.isfinite(resampled)]
        if np.isfinite(value) and defined.size:
            quality[metric] = Baseline(
                value=round(value, 6),
                deviation=round(float(defined.std()), 6),
                rows=len(rows.truth),
            )
    return quality


def profile_sample(
    model: bytes, labels: list[str] | None, sample: Path, feeds: Mapping[str, np.ndarray]
) -> Profile | None:
    """Return the profile on the user's rows; ``None`` for models of another task.

    Args:
        model: the ONNX model.
        labels: its classes, in the order of its probabilities, if known.
        sample: a Parquet file.
        feeds: its rows as inputs of the model, by name.
    """
    try:
        loaded = OnnxModel(model, labels, is_table=False)
        task = _task(loaded, labels)
        frame, features, predictions = _predict(loaded, task, sample, feeds)
    except (SignatureError, StepError) as error:
        log(f"no drift profile: {error}")
        return None
    return describe(frame, features, predictions, task)


def _task(model: OnnxModel, labels: list[str] | None) -> Task:
    if model.kind == "Regression":
        return REGRESSION
    if labels is None:
        width = next(each.shape[1] for each in model.outputs if each.name == PROBABILITIES)
        if width < 1:
            raise SignatureError(f"output {PROBABILITIES}: the number of classes is not known")
        # The runtime uses the same names.
        labels = [str(number) for number in range(width)]
    return Task(labels, labels[-1] if len(labels) == 2 else None)


def _predict(
    model: OnnxModel, task: Task, sample: Path, feeds: Mapping[str, np.ndarray]
) -> tuple[pd.DataFrame, list[Feature], RowPredictions]:
    if all(Feature.of(tensor) for tensor in model.inputs):
        table = OnnxModel(model.data, task.classes)
        frame = clean(tables.read(sample, SAMPLE_FIELD), table.features, SAMPLE_FIELD)
        return frame, table.features, table.predict(frame, task.classes)
    if any(not tensor.shape or tensor.shape[0] > 0 for tensor in model.inputs):
        raise SignatureError("the model takes a fixed number of rows, which a profile cannot count")
    predictions = model.predict_tensors(feeds, task.classes)
    return pd.DataFrame(index=range(len(predictions.labels))), [], predictions
