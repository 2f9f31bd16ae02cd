"""From scikit-learn to ONNX."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import BaseEstimator, is_classifier
from sklearn.preprocessing import StandardScaler

from perennial_contracts.wire.bundle import Datatype

from ..data.features import NUMBER, Feature
from ..model.onnx_model import LABEL, PREDICTION, PROBABILITIES
from .boosters import convertible
from .graph import DATATYPES, OPSETS, finish
from .refusals import parts
from .trees import keep_missing

ELEMENTS: dict[Datatype, int] = {datatype: element for element, datatype in DATATYPES.items()}


class ConversionError(Exception):
    """There is no ONNX for this model."""


def convert(model: BaseEstimator, features: Sequence[Feature]) -> bytes:
    """A model as ONNX: an input per feature, outputs ``label`` and ``probabilities``, or
    ``prediction`` where it tells numbers.

    The inputs have the features' own element types and shapes, so that who calls the model that
    serves now can call this one.

    Args:
        model: fitted by scikit-learn, it takes a data frame with these columns.
        features: the inputs, in order.

    Raises:
        ConversionError: where a part of the model has no converter, or converts to no valid ONNX.
    """
    inputs = [
        (feature.name, (StringTensorType if feature.is_text else FloatTensorType)([None, 1]))
        for feature in features
    ]
    keep_missing()
    try:
        with warnings.catch_warnings(), convertible(list(parts(model))):
            # skl2onnx writes booleans where integers belong: fine up to protobuf 6.
            warnings.filterwarnings("ignore", "Field onnx.AttributeProto.ints", DeprecationWarning)
            converted = convert_sklearn(
                model,
                name="model",
                initial_types=inputs,
                target_opset=OPSETS,
                options=_options(model),
            )
        for feature in features:
            _adapt_input(converted, feature)
        return finish(converted, (LABEL, PROBABILITIES) if is_classifier(model) else (PREDICTION,))
    # The converters raise whatever they run into: NameError, KeyError, RuntimeError, and more.
    except Exception as error:
        first_line = (str(error).strip().splitlines() or [""])[0]
        raise ConversionError(f"{type(error).__name__}: {first_line}") from error


def _options(model: BaseEstimator) -> dict[int, dict[str, Any]]:
    # A list of dictionaries, which is the default, is no tensor.
    options: dict[int, dict[str, Any]] = (
        {id(model): {"zipmap": False}} if is_classifier(model) else {}
    )
    for part in parts(model):
        if isinstance(part, StandardScaler):
            # The default multiplies by the reciprocal, which rounds to other numbers.
            options[id(part)] = {"div": "div"}
    return options


def _adapt_input(model: onnx.ModelProto, feature: Feature) -> None:
    """Lets an input be a tensor of another form: it is reshaped and cast before its first use."""
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
    for place, (operator, others, attributes) in enumerate(steps):
        after = taken if place == len(steps) - 1 else f"{feature.name}_reshaped"
        graph.node.insert(
            place, helper.make_node(operator, [before, *others], [after], **attributes)
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
