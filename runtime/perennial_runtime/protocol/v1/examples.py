"""``:classify`` and ``:regress``: examples, objects by feature, to results."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ...classes import Classes
from ...errors import BadRequestError
from ...signature import TensorSpec, is_tabular
from ..shared.examples import Classification, ExamplesRequest, ExamplesTask, Regression
from ..shared.messages import brief, quoted
from .inputs import Table
from .json_body import dumps, read_request


class ClassifyCodec:
    """Translates ``:classify`` for one model."""

    def __init__(self, name: str, inputs: Sequence[TensorSpec], classes: Classes | None) -> None:
        self._task = Classification(name, inputs, classes)
        self.decode = _ExamplesReader("tensorflow/serving/classify", inputs, self._task).read

    def encode(self, request: ExamplesRequest, results: Sequence[np.ndarray]) -> bytes:
        """Return the body of the response: ``[[label, score], ...]`` for each example."""
        return dumps({"results": self._task.scored(request.count, results)})


class RegressCodec:
    """Translates ``:regress`` for one model."""

    def __init__(
        self, name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
    ) -> None:
        self._task = Regression(name, inputs, outputs)
        self.decode = _ExamplesReader("tensorflow/serving/regress", inputs, self._task).read

    def encode(self, request: ExamplesRequest, results: Sequence[np.ndarray]) -> bytes:
        """Return the body of the response: a number for each example."""
        return dumps({"results": self._task.values(request.count, results)})


class _ExamplesReader:
    """Reads the requests of one operation for one model."""

    def __init__(self, signature: str, inputs: Sequence[TensorSpec], task: ExamplesTask) -> None:
        self._signature = signature
        self._task = task
        self._table = Table(inputs) if is_tabular(inputs) else None

    def read(self, body: bytes) -> ExamplesRequest:
        """Read the body of a request.

        Raises:
            BadRequestError: with the row, the feature, and the expected and actual value; and for
                a model that cannot perform the task.
        """
        self._task.check()
        assert self._table is not None
        examples = _examples(read_request(body, self._signature))
        feeds = self._table.of_objects(examples)
        return ExamplesRequest(feeds, self._task.outputs, len(examples))


def _examples(request: dict[str, Any]) -> list[Any]:
    """Return the rows of a request, each with the features of the context."""
    examples = request.get("examples")
    if type(examples) is not list or not examples:
        raise BadRequestError(
            'examples: expected {"examples": [{"feature": value, ...}, ...]} with one example or '
            f"more, got {brief(examples)}"
        )
    context = request.get("context")
    if context is None or context == {}:
        return examples
    if type(context) is not dict:
        raise BadRequestError(f"context: expected an object by feature, got {brief(context)}")
    for index, example in enumerate(examples):
        if type(example) is dict and not context.keys().isdisjoint(example):
            both = quoted(name for name in context if name in example)
            raise BadRequestError(
                f"context: expected features that no example has, got {both}, "
                f"which row {index} has too"
            )
    return [{**context, **row} if type(row) is dict else row for row in examples]
