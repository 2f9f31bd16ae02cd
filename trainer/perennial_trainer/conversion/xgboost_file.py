"""XGBoost's own files: .json and .ubj."""

import json
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


def convert(source: Path, options: ConvertOptions) -> Converted:
    """A model from a file: a classifier where its objective is one, else a regressor.

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
        known = _values(booster, width)
        # From here on columns have no names: neither the converter nor a bare table has them.
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
            known,
            [str(label) for label in model.classes_] if classifies else [],
            lambda table: _answer(model, table, classifies),
        )


def _names(booster: Any) -> list[str]:
    names = list(booster.feature_names or ())
    return [] if all(re.fullmatch(r"f\d+", name) for name in names) else names


def _values(booster: Any, width: int) -> list[np.ndarray]:
    """By column, the thresholds and the categories of its splits."""
    found: list[list[float]] = [[] for _ in range(width)]
    kinds = booster.feature_types or ["q"] * width
    places = {name: at for at, name in enumerate(booster.feature_names or ())}
    trees = booster.trees_to_dataframe()
    splits = trees[trees["Feature"] != "Leaf"]
    for name, threshold, chosen in zip(
        splits["Feature"], splits["Split"], splits.get("Category", splits["Split"]), strict=True
    ):
        place = places[name] if name in places else int(name.removeprefix("f"))
        if isinstance(chosen, list):
            found[place] += [float(one) for one in chosen]
        else:
            found[place].append(float(threshold))
    known = [number(one) for one in found]
    return [
        values.astype(np.int64) if kind == "c" else values
        for values, kind in zip(known, kinds, strict=True)
    ]


def _answer(model: Any, table: np.ndarray, classifies: bool) -> dict[str, np.ndarray]:
    if not classifies:
        return {PREDICTION: model.predict(table)}
    return {LABEL: model.predict(table), PROBABILITIES: model.predict_proba(table)}
