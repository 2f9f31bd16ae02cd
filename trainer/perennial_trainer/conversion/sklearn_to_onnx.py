"""Conversion of the scikit-learn model of a run, with its features as inputs."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
import pandas as pd
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import BaseEstimator, is_classifier

from perennial_contracts.wire.names import LABEL, PREDICTION, PROBABILITIES, Datatype
from perennial_contracts.wire.run_plan import TrainingFailure

from ..data.features import NUMBER, Feature
from ..errors import StepError
from ..model.onnx_model import OnnxModel, SignatureError
from . import parity
from .graph import DATATYPES, OPSETS, finish
from .skl2onnx_converters import part_options, prepare_converters

ELEMENTS: dict[Datatype, int] = {datatype: element for element, datatype in DATATYPES.items()}


class ConversionError(Exception):
    """A model that cannot be converted to ONNX."""


def make_onnx(
    trained: Any, features: Sequence[Feature], rows: pd.DataFrame, *, missing: bool = True
) -> tuple[OnnxModel, parity.Parity]:
    """Convert a model to ONNX and compare both.

    Args:
        trained: a fitted scikit-learn classifier or regressor that takes clean rows.
        features: its inputs.
        rows: clean rows to compare on.
        missing: also compare on missing values that the rows do not have.

    Raises:
        StepError: ConversionFailed or ParityFailed.
    """
    labels = [str(label) for label in getattr(trained, "classes_", ())]
    try:
        model = OnnxModel(convert(trained, features), labels)
        return model, parity.check(model, trained, rows, missing=missing)
    except (ConversionError, SignatureError) as error:
        raise StepError(
            TrainingFailure.CONVERSION_FAILED, f"the model does not convert to ONNX: {error}"
        ) from error
    except parity.ParityError as error:
        raise StepError(TrainingFailure.PARITY_FAILED, str(error)) from error


def convert(model: BaseEstimator, features: Sequence[Feature]) -> bytes:
    """Convert a model to ONNX with an input for each feature.

    The outputs are ``label`` and ``probabilities``, or ``prediction`` for a regressor. The inputs
    have the element types and shapes of the features, so that clients of the served model can use
    this one.

    Args:
        model: fitted scikit-learn model that takes a data frame with these columns.
        features: the inputs, in order.

    Raises:
        ConversionError: if a part of the model has no converter, or the result is not valid ONNX.
    """
    inputs = [
        (feature.name, (StringTensorType if feature.is_text else FloatTensorType)([None, 1]))
        for feature in features
    ]
    # The default output is a list of dictionaries, which is not a tensor.
    zipmap = {id(model): {"zipmap": False}} if is_classifier(model) else {}
    try:
        with warnings.catch_warnings(), prepare_converters(model):
            # skl2onnx writes booleans for integers, which protobuf 6 accepts.
            warnings.filterwarnings("ignore", "Field onnx.AttributeProto.ints", DeprecationWarning)
            converted = convert_sklearn(
                model,
                name="model",
                initial_types=inputs,
                target_opset=OPSETS,
                options={**zipmap, **part_options(model)},
            )
        for feature in features:
            _adapt_input(converted, feature)
        return finish(converted, (LABEL, PROBABILITIES) if is_classifier(model) else (PREDICTION,))
    # The converters raise errors of many types: NameError, KeyError, RuntimeError, and more.
    except Exception as error:
        first_line = (str(error).strip().splitlines() or [""])[0]
        raise ConversionError(f"{type(error).__name__}: {first_line}") from error


def _adapt_input(model: onnx.ModelProto, feature: Feature) -> None:
    """Give an input the feature's form: reshape and cast it before its first use."""
    steps: list[tuple[str, list[str], dict[str, Any]]] = []
    if not feature.is_column:
        steps.append(("Reshape", ["column_shape"], {}))
    if not feature.is_text and feature.datatype != NUMBER:
        steps.append(("Cast", [], {"to": TensorProto.FLOAT}))
    if not steps:
        return
    graph = model.graph
    taken = f"{feature.name}_column"
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name == feature.name:
                node.input[index] = taken
    before = feature.name
    for index, (operator, others, attributes) in enumerate(steps):
        after = taken if index == len(steps) - 1 else f"{feature.name}_reshaped"
        graph.node.insert(
            index, helper.make_node(operator, [before, *others], [after], **attributes)
        )
        before = after
    if not feature.is_column and all(i.name != "column_shape" for i in graph.initializer):
        shape = numpy_helper.from_array(np.array([-1, 1], np.int64), "column_shape")
        graph.initializer.append(shape)
    value = next(value for value in graph.input if value.name == feature.name)
    tensor = value.type.tensor_type
    tensor.elem_type = ELEMENTS[feature.datatype]
    if not feature.is_column:
        del tensor.shape.dim[1:]
