"""LightGBM's own text files."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from ..model.onnx_model import LABEL, PREDICTION, PROBABILITIES
from .booster_files import OPSET, TABLE, as_converted
from .converted import Converted, ConvertOptions, number
from .graph import converting
from .packages import require

_CLASSES = ("binary", "multiclass", "multiclassova", "cross_entropy")
_VALUES = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")


def convert(source: Path, options: ConvertOptions) -> Converted:
    """A model from a file: a classifier where its objective is one, else a regressor.

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
    """By column, the thresholds of its splits, or the categories as whole numbers."""
    found: list[list[float]] = [[] for _ in range(width)]
    categorical: set[int] = set()
    places = {name: at for at, name in enumerate(booster.feature_name())}
    trees = booster.trees_to_dataframe()
    splits = trees[trees["split_feature"].notna()]
    for name, threshold in zip(splits["split_feature"], splits["threshold"], strict=True):
        if isinstance(threshold, str) and "||" in threshold:
            categorical.add(places[name])
            found[places[name]] += [float(one) for one in threshold.split("||")]
        else:
            found[places[name]].append(float(threshold))
    return [
        number(values).astype(np.int64) if place in categorical else number(values)
        for place, values in enumerate(found)
    ]


def _answer(booster: Any, table: np.ndarray, classifies: bool) -> dict[str, np.ndarray]:
    said = np.asarray(booster.predict(table))
    if not classifies:
        return {PREDICTION: said}
    if said.ndim == 1:
        said = np.stack([1 - said, said], axis=1)
    return {LABEL: said.argmax(axis=1), PROBABILITIES: said}
