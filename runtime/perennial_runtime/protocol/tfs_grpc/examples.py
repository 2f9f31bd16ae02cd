"""PredictionService.Classify and Regress: examples in, results out."""

from collections.abc import Container, Sequence
from typing import Any

import numpy as np

from ...classes import Classes
from ...errors import BadRequestError
from ...signature import TensorSpec
from ..shared.columns import Columns
from ..shared.examples import Classification, ExamplesRequest, Regression
from ..shared.messages import quoted
from ..shared.protobuf import parse, to_bytes
from .model_spec import check_model, model_spec
from .schema import message_class

_ClassificationRequest = message_class("tensorflow.serving.ClassificationRequest")
_ClassificationResponse = message_class("tensorflow.serving.ClassificationResponse")
_RegressionRequest = message_class("tensorflow.serving.RegressionRequest")
_RegressionResponse = message_class("tensorflow.serving.RegressionResponse")


class ClassificationCodec:
    """Translates Classify for one model."""

    def __init__(self, name: str, inputs: Sequence[TensorSpec], classes: Classes | None) -> None:
        self._name = name
        self._task = Classification(name, inputs, classes)
        self._examples = _Examples(inputs)

    def decode(self, message: bytes) -> ExamplesRequest:
        """Read a ClassificationRequest.

        Raises:
            BadRequestError: with the row, the feature, and the expected and actual value; and for
                a model that is no classifier of rows.
            NotFoundError: for another model or version.
        """
        request = parse(_ClassificationRequest, message)
        check_model(request.model_spec, self._name, "tensorflow/serving/classify")
        self._task.check()
        return self._examples.read(request.input, self._task.outputs)

    def encode(self, request: ExamplesRequest, results: Sequence[np.ndarray]) -> bytes:
        """Return a ClassificationResponse: each class with its score, for each example."""
        response = _ClassificationResponse(model_spec=model_spec(self._name))
        add = response.result.classifications.add
        for pairs in self._task.scored(request.count, results):
            add(classes=[{"label": label, "score": score} for label, score in pairs])
        return to_bytes(response)


class RegressionCodec:
    """Translates Regress for one model."""

    def __init__(
        self, name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
    ) -> None:
        self._name = name
        self._task = Regression(name, inputs, outputs)
        self._examples = _Examples(inputs)

    def decode(self, message: bytes) -> ExamplesRequest:
        """Read a RegressionRequest.

        Raises:
            BadRequestError: with the row, the feature, and the expected and actual value; and for
                a model that does not return one number for each row.
            NotFoundError: for another model or version.
        """
        request = parse(_RegressionRequest, message)
        check_model(request.model_spec, self._name, "tensorflow/serving/regress")
        self._task.check()
        return self._examples.read(request.input, self._task.outputs)

    def encode(self, request: ExamplesRequest, results: Sequence[np.ndarray]) -> bytes:
        """Return a RegressionResponse: a number for each example."""
        response = _RegressionResponse(model_spec=model_spec(self._name))
        add = response.result.regressions.add
        for value in self._task.values(request.count, results).tolist():
            add(value=value)
        return to_bytes(response)


class _Examples:
    """Reads the examples of an Input for one tabular model."""

    def __init__(self, features: Sequence[TensorSpec]) -> None:
        self._columns = Columns(features)
        self._booleans = {feature.name for feature in features if feature.datatype == "BOOL"}

    def read(self, examples: Any, outputs: Sequence[str]) -> ExamplesRequest:
        context: dict[str, Any] = {}
        if examples.WhichOneof("kind") == "example_list_with_context":
            examples = examples.example_list_with_context
            context = _row("context", examples.context, self._booleans)
        else:
            examples = examples.example_list
        rows = [
            _row(f"row {index}", example, self._booleans)
            for index, example in enumerate(examples.examples)
        ]
        if not rows:
            raise BadRequestError("input: expected one example or more, got none")
        if context:
            for index, row in enumerate(rows):
                if not context.keys().isdisjoint(row):
                    both = quoted(sorted(context.keys() & row.keys()))
                    raise BadRequestError(
                        f"context: expected features that no example has, got {both}, "
                        f"which row {index} has too"
                    )
                row.update(context)
        return ExamplesRequest(self._columns.of_objects(rows), outputs, len(rows))


def _row(label: str, example: Any, booleans: Container[str]) -> dict[str, Any]:
    """Return the values of an example by feature; None for an empty list."""
    row: dict[str, Any] = {}
    features = example.features.feature
    for name in features:
        kind = features[name].WhichOneof("kind")
        values: Sequence[Any] = getattr(features[name], kind).value if kind else ()
        try:
            parsed = [v.decode() for v in values] if kind == "bytes_list" else list(values)
        except UnicodeDecodeError:
            raise BadRequestError(
                f"{label}: feature {name!r}: expected UTF-8, as strings of ONNX models are text, "
                "got other bytes"
            ) from None
        if name in booleans and set(parsed) <= {0, 1}:
            # Examples have no booleans: TensorFlow's clients write them as whole numbers.
            parsed = [value == 1 for value in parsed]
        row[name] = parsed[0] if len(parsed) == 1 else parsed or None
    return row
