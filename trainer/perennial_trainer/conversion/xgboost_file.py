"""Conversion of XGBoost's files: .json and .ubj."""

import json
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


def convert(source: Path, options: ConvertOptions) -> Converted:
    """Convert a file: the objective decides between classifier and regressor.

    Raises:
        StepError: ConverterNotInstalled, ConversionFailed.
    """
    xgboost = require("xgboost", "xgboost-cpu", "tabular", "XGBoost")
    tools = require("onnxmltools", "onnxmltools", "tabular", "XGBoost")
    from onnxmltools.convert.common.data_types import FloatTensorType

    with converting(source.name):
        booster = xgboost.Booster(model_file=str(source))
        objective = json.loads(booster.save_config())["learner"]["objective"]["name"]
        classifies = objective.startswith(("binary:", "multi:"))
        if not classifies and not objective.startswith(("reg:", "count:")):
            raise StepError(
                TrainingFailure.CONVERSION_FAILED,
                f"{source.name}: expected an objective of binary:, multi:, reg: or count:, got "
                f"{objective}",
            )
        model = (xgboost.XGBClassifier if classifies else xgboost.XGBRegressor)()
        model.load_model(source)
        booster = model.get_booster()
        width = booster.num_features()
        names = _names(booster)
        values = _values(booster, width)
        # From here, columns have no names: the converter does not know any.
        booster.feature_names = None
        graph = tools.convert_xgboost(
            model,
            initial_types=[(TABLE, FloatTensorType([None, width]))],
            target_opset=OPSET,
        )
        return as_converted(
            graph,
            "XGBoost",
            names,
            values,
            [str(label) for label in model.classes_] if classifies else [],
            lambda table: _answer(model, table, classifies),
        )


def _names(booster: Any) -> list[str]:
    names = list(booster.feature_names or ())
    return [] if all(re.fullmatch(r"f\d+", name) for name in names) else names


def _values(booster: Any, width: int) -> list[np.ndarray]:
    """Return the thresholds and categories of each column's splits."""
    found: list[list[float]] = [[] for _ in range(width)]
    kinds = booster.feature_types or ["q"] * width
    columns = {name: index for index, name in enumerate(booster.feature_names or ())}
    trees = booster.trees_to_dataframe()
    splits = trees[trees["Feature"] != "Leaf"]
    for name, threshold, chosen in zip(
        splits["Feature"], splits["Split"], splits.get("Category", splits["Split"]), strict=True
    ):
        column = columns[name] if name in columns else int(name.removeprefix("f"))
        if isinstance(chosen, list):
            found[column] += [float(category) for category in chosen]
        else:
            found[column].append(float(threshold))
    numbers = [distinct_numbers(values) for values in found]
    return [
        values.astype(np.int64) if kind == "c" else values
        for values, kind in zip(numbers, kinds, strict=True)
    ]


def _answer(model: Any, table: np.ndarray, classifies: bool) -> dict[str, np.ndarray]:
    if not classifies:
        return {PREDICTION: model.predict(table)}
    return {LABEL: model.predict(table), PROBABILITIES: model.predict_proba(table)}
