"""Conversion of LightGBM's text files."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from perennial_contracts.wire.names import LABEL, PREDICTION, PROBABILITIES
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .booster_files import OPSET, TABLE, as_converted
from .converted import Converted, ConvertOptions, distinct_numbers
from .graph import converting
from .packages import require

_CLASSES = ("binary", "multiclass", "multiclassova", "cross_entropy")
_VALUES = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")


def convert(source: Path, options: ConvertOptions) -> Converted:
    """Convert a file: the objective decides between classifier and regressor.

    Raises:
        StepError: ConverterNotInstalled, ConversionFailed.
    """
    lightgbm = require("lightgbm", "lightgbm", "tabular", "LightGBM")
    tools = require("onnxmltools", "onnxmltools", "tabular", "LightGBM")
    from onnxmltools.convert.common.data_types import FloatTensorType

    with converting(source.name):
        booster = lightgbm.Booster(model_file=str(source))
        objective = str(booster.dump_model(num_iteration=1).get("objective", "")).split(" ")[0]
        classifies = objective in _CLASSES[:2]
        if not classifies and objective not in _VALUES:
            raise StepError(
                TrainingFailure.CONVERSION_FAILED,
                f"{source.name}: expected an objective of {', '.join((*_CLASSES[:2], *_VALUES))}, "
                f"got {objective or 'none'}",
            )
        width = booster.num_feature()
        names = booster.feature_name()
        if all(re.fullmatch(r"Column_\d+", name) for name in names):
            names = []
        count = max(booster.num_model_per_iteration(), 2) if classifies else 0
        graph = tools.convert_lightgbm(
            booster,
            initial_types=[(TABLE, FloatTensorType([None, width]))],
            zipmap=False,
            target_opset=OPSET,
        )
        return as_converted(
            graph,
            "LightGBM",
            names,
            _values(booster, width),
            [str(label) for label in range(count)],
            lambda table: _answer(booster, table, classifies),
        )


def _values(booster: Any, width: int) -> list[np.ndarray]:
    """Return the thresholds of each column, or its categories as whole numbers."""
    found: list[list[float]] = [[] for _ in range(width)]
    categorical: set[int] = set()
    columns = {name: index for index, name in enumerate(booster.feature_name())}
    trees = booster.trees_to_dataframe()
    splits = trees[trees["split_feature"].notna()]
    for name, threshold in zip(splits["split_feature"], splits["threshold"], strict=True):
        if isinstance(threshold, str) and "||" in threshold:
            categorical.add(columns[name])
            found[columns[name]] += [float(text) for text in threshold.split("||")]
        else:
            found[columns[name]].append(float(threshold))
    return [
        distinct_numbers(values).astype(np.int64)
        if index in categorical
        else distinct_numbers(values)
        for index, values in enumerate(found)
    ]


def _answer(booster: Any, table: np.ndarray, classifies: bool) -> dict[str, np.ndarray]:
    values = np.asarray(booster.predict(table))
    if not classifies:
        return {PREDICTION: values}
    if values.ndim == 1:
        values = np.stack([1 - values, values], axis=1)
    return {LABEL: values.argmax(axis=1), PROBABILITIES: values}
