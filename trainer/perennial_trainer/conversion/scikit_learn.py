"""Scikit-learn: .skops, and pickles that are trusted."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pandas as pd
from sklearn.base import is_classifier

from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from ..model.onnx_model import LABEL, PREDICTION, PROBABILITIES
from . import knowledge
from .boosters import convertible
from .converted import Arrays, Converted, ConvertOptions, Task
from .graph import OPSETS, SCORES, converting, finish, inputs_of, name_inputs, split_columns
from .packages import versioned
from .refusals import fitted_trees, parts, refuse
from .safe_types import load_pickle, load_skops
from .trees import keep_missing

TABLE, TEXT = "input", "text"
"""Names of the only input where the model was fitted on an array, or on a list of documents."""
STRAY = 0.01
"""Share of rows that may lie on a threshold that float32 moves; fitted on float64, 1 to 4 % of the
rows that a model was fitted on do."""


def convert(source: Path, options: ConvertOptions) -> Converted:
    """A model from a file.

    Raises:
        StepError: UntrustedModel, ConversionFailed.
    """
    with source.open("rb") as file:
        is_zip = file.read(2) == b"PK"
    model = load_skops(source) if is_zip else load_pickle(source, options.trusted)
    return convert_model(model)


def convert_model(model: Any) -> Converted:
    """A fitted model, in memory: one input per column where it was fitted on a data frame.

    Raises:
        StepError: ConversionFailed.
    """
    name = type(model).__name__
    if not hasattr(model, "predict"):
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"expected a fitted model with predict, got {name}: leave the whole pipeline",
        )
    refuse(model)
    names = knowledge.columns(model)
    texts = knowledge.is_of_texts(model)
    count = len(names) or (1 if texts else int(getattr(model, "n_features_in_", 0)))
    if not count:
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"{name} does not say how many columns it takes: fit it first",
        )
    known = knowledge.values(model, names, count)
    outputs = _outputs(model)
    reference = _reference(model, names, texts, outputs)
    with converting(name):
        by_column = names if any(hasattr(part, "transformers_") for part in parts(model)) else []
        graph = _to_onnx(model, by_column, known, texts)
        if by_column:
            name_inputs(graph, names)
        elif names:
            # Only column transformers take more than one tensor.
            split_columns(graph, names)
        data = finish(graph, outputs)
    grouped = (
        {name: (values,) for name, values in zip(names, known, strict=True)}
        if names
        else {(TEXT if texts else TABLE): tuple(known)}
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
        labels=tuple(str(one) for one in getattr(model, "classes_", ())),
        bears_missing=_bears_missing(model),
        tolerance=1e-4,
        stray=STRAY,
    )


def _outputs(model: Any) -> tuple[str, ...]:
    if not is_classifier(model):
        return (PREDICTION,)
    return (LABEL, PROBABILITIES if hasattr(model, "predict_proba") else SCORES)


def _bears_missing(model: Any) -> bool:
    """Whether missing numbers are among what it was made for: then it is compared on some."""
    return any(
        type(part).__name__.startswith(("HistGradient", "LGBM", "XGB"))
        or type(part).__name__.endswith("Imputer")
        or fitted_trees(part)
        for part in parts(model)
    )


def _to_onnx(model: Any, names: list[str], known: list[np.ndarray], texts: bool) -> onnx.ModelProto:
    from skl2onnx import convert_sklearn
    from skl2onnx.common.data_types import FloatTensorType, Int64TensorType, StringTensorType

    def typed(values: np.ndarray, width: int) -> Any:
        if values.dtype.kind == "O":
            return StringTensorType([None, width])
        return (Int64TensorType if values.dtype.kind in "iu" else FloatTensorType)([None, width])

    if names:
        types = [(name, typed(values, 1)) for name, values in zip(names, known, strict=True)]
    elif texts:
        types = [(TEXT, StringTensorType([None, 1]))]
    else:
        types = [(TABLE, typed(known[0], len(known)))]
    keep_missing()
    for part in parts(model):
        # It only says how transform lays out its answer.
        if type(part).__name__ == "VotingClassifier":
            part.flatten_transform = False

    def attempt(options: dict[int, dict[str, Any]]) -> onnx.ModelProto:
        with convertible(list(parts(model))):
            graph: onnx.ModelProto = convert_sklearn(
                model,
                name="model",
                initial_types=types,
                target_opset=OPSETS,
                options={**_options(model), **options},
            )
        return graph

    if not is_classifier(model):
        return attempt({})
    if hasattr(model, "predict_proba"):
        # A list of dictionaries, which is the default, is no tensor.
        return attempt({id(model): {"zipmap": False}})
    # LinearSVC and its like do not know zipmap.
    last = model.steps[-1][1] if hasattr(model, "steps") else model
    return attempt({id(last): {"raw_scores": True}})


def _options(model: Any) -> dict[int, dict[str, Any]]:
    options: dict[int, dict[str, Any]] = {}
    for part in parts(model):
        if type(part).__name__ == "StandardScaler":
            # The default multiplies by the reciprocal, which rounds to other numbers.
            options[id(part)] = {"div": "div"}
        elif type(part).__name__ in ("TfidfVectorizer", "CountVectorizer"):
            # Images have no other locale.
            options[id(part)] = {"locale": "C.UTF-8"}
    return options


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
        said = np.asarray(model.predict(table))
        if outputs == (PREDICTION,):
            return {PREDICTION: said}
        scores = (
            model.predict_proba(table)
            if outputs[1] == PROBABILITIES
            else model.decision_function(table)
        )
        return {LABEL: said, outputs[1]: np.asarray(scores)}

    return answer
