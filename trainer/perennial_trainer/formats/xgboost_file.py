"""XGBoost's own files: .json and .ubj."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from perennial_contracts.training import TrainingFailure

from ..errors import StepError
from .converted import Arrays, Converted, ConvertOptions, number
from .graph import (
    LABEL,
    PROBABILITIES,
    VALUE,
    converting,
    finish,
    inputs_of,
    raise_opset,
    split_columns,
)
from .packages import require, versioned

TABLE = "input"


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
        # The converter knows only f0, f1 and so on.
        booster.feature_names = None
        graph = tools.convert_xgboost(
            model,
            initial_types=[(TABLE, FloatTensorType([None, width]))],
            target_opset=15,
        )
        graph = raise_opset(graph)
        if names:
            split_columns(graph, names)
        data = finish(graph, (LABEL, PROBABILITIES) if classifies else (VALUE,))
    by_input = {name: (values,) for name, values in zip(names, known, strict=False)}
    return Converted(
        model=data,
        format="XGBoost",
        converter=versioned("onnxmltools"),
        inputs=inputs_of(graph, by_input if names else {TABLE: tuple(known)}),
        task="Classification" if classifies else "Regression",
        reference=_reference(model, names, classifies),
        labels=tuple(str(one) for one in model.classes_) if classifies else (),
        bears_missing=True,
        stray=0.005,
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


def _reference(
    model: Any, names: list[str], classifies: bool
) -> Callable[[Arrays], dict[str, np.ndarray]]:
    def answer(rows: Arrays) -> dict[str, np.ndarray]:
        table = np.concatenate([rows[name] for name in names], axis=1) if names else rows[TABLE]
        if not classifies:
            return {VALUE: model.predict(table)}
        return {LABEL: model.predict(table), PROBABILITIES: model.predict_proba(table)}

    return answer
