"""Conversion of scikit-learn's files: .skops, and trusted pickles."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
from sklearn.base import is_classifier

from perennial_contracts.wire.names import LABEL, PREDICTION, PROBABILITIES
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from . import inspection
from .converted import Arrays, Converted, ConvertOptions, Task
from .graph import OPSETS, SCORES, converting, finish, inputs_of, name_inputs, split_columns
from .inspection import fitted_trees, parts
from .packages import versioned
from .safe_types import load_pickle, load_skops
from .skl2onnx_converters import part_options, prepare_converters
from .unsupported import reject_unsupported

TABLE, TEXT = "input", "text"
"""Names of the only input of a model that was fitted on an array, or on documents."""
STRAY = 0.01
"""Share of rows whose values may be on a threshold that float32 moves.

For a model that was fitted on float64, that is 1 to 4 % of its training rows.
"""


def convert(source: Path, options: ConvertOptions) -> Converted:
    """Convert a file.

    Raises:
        StepError: UntrustedModel, ConversionFailed.
    """
    with source.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    model = load_skops(source) if is_zip else load_pickle(source, options.trusted)
    return convert_model(model)


def convert_model(model: Any) -> Converted:
    """Convert a fitted model, with an input for each column of its data frame.

    Raises:
        StepError: ConversionFailed.
    """
    name = type(model).__name__
    if not hasattr(model, "predict"):
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"expected a fitted model with predict, got {name}",
            hint="Save the whole pipeline",
        )
    reject_unsupported(model)
    names = inspection.columns(model)
    texts = inspection.is_of_texts(model)
    count = len(names) or (1 if texts else int(getattr(model, "n_features_in_", 0)))
    if not count:
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"{name} has no number of columns",
            hint="Fit it before you save it",
        )
    values = inspection.values(model, names, count)
    outputs = _outputs(model)
    reference = _reference(model, names, texts, outputs)
    with converting(name):
        by_column = names if any(hasattr(part, "transformers_") for part in parts(model)) else []
        graph = _to_onnx(model, by_column, values, texts)
        if by_column:
            name_inputs(graph, names)
        elif names:
            # Only column transformers accept more than one tensor.
            split_columns(graph, names)
        data = finish(graph, outputs)
    grouped = (
        {name: (column,) for name, column in zip(names, values, strict=True)}
        if names
        else {(TEXT if texts else TABLE): tuple(values)}
    )
    inputs = inputs_of(onnx.load_from_string(data), grouped)
    task: Task = "Classification" if is_classifier(model) else "Regression"
    return Converted(
        model=data,
        format="SkLearn",
        converter=versioned("skl2onnx"),
        inputs=inputs,
        task=task,
        reference=reference,
        labels=tuple(str(label) for label in getattr(model, "classes_", ())),
        accepts_missing=_accepts_missing(model),
        tolerance=1e-4,
        stray=STRAY,
    )


def _outputs(model: Any) -> tuple[str, ...]:
    if not is_classifier(model):
        return (PREDICTION,)
    return (LABEL, PROBABILITIES if hasattr(model, "predict_proba") else SCORES)


def _accepts_missing(model: Any) -> bool:
    """Return whether the model was made for missing numbers, so is compared on them."""
    return any(
        type(part).__name__.startswith(("HistGradient", "LGBM", "XGB"))
        or type(part).__name__.endswith("Imputer")
        or fitted_trees(part)
        for part in parts(model)
    )


def _to_onnx(
    model: Any, names: list[str], values: list[np.ndarray], texts: bool
) -> onnx.ModelProto:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

    def typed(column: np.ndarray, width: int) -> Any:
        if column.dtype.kind == "O":
            return StringTensorType([None, width])
        return (Int64TensorType if column.dtype.kind in "iu" else FloatTensorType)([None, width])

    if names:
        types = [(name, typed(column, 1)) for name, column in zip(names, values, strict=True)]
    elif texts:
        types = [(TEXT, StringTensorType([None, 1]))]
    else:
        types = [(TABLE, typed(values[0], len(values)))]
    for part in parts(model):
        # It only concerns the layout of the result of transform.
        if type(part).__name__ == "VotingClassifier":
            part.flatten_transform = False

    def attempt(options: dict[int, dict[str, Any]]) -> onnx.ModelProto:
        with prepare_converters(model):
            graph: onnx.ModelProto = convert_sklearn(
                model,
                name="model",
                initial_types=types,
                target_opset=OPSETS,
                options={**part_options(model), **options},
            )
        return graph

    if not is_classifier(model):
        return attempt({})
    if hasattr(model, "predict_proba"):
        # The default output is a list of dictionaries, which is not a tensor.
        return attempt({id(model): {"zipmap": False}})
    # LinearSVC and similar models do not have the option zipmap.
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return attempt({id(last): {"raw_scores": True}})


def _reference(
    model: Any, names: list[str], texts: bool, outputs: tuple[str, ...]
) -> Callable[[Arrays], dict[str, np.ndarray]]:
    def answer(rows: Arrays) -> dict[str, np.ndarray]:
        table: Any
        if names:
            table = pd.DataFrame({name: rows[name].reshape(-1) for name in names})
        elif texts:
            table = rows[TEXT].reshape(-1)
        else:
            table = rows[TABLE]
        predicted = np.asarray(model.predict(table))
        if outputs == (PREDICTION,):
            return {PREDICTION: predicted}
        scores = (
            model.predict_proba(table)
            if outputs[1] == PROBABILITIES
            else model.decision_function(table)
        )
        return {LABEL: predicted, outputs[1]: np.asarray(scores)}

    return answer
