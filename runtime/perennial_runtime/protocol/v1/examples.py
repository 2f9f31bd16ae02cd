"""``:classify`` and ``:regress``: examples, objects by feature, in; a list of results out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...classes import Classes
from ...errors import BadRequestError
from ...signature import TensorSpec, is_tabular
from ..shared.columns import Feeds
from ..shared.examples import Answers, Classification, Regression
from ..shared.messages import brief, quoted
from .json_body import dumps
from .request import read_request
from .table import Table


@dataclass(frozen=True, slots=True)
class ExamplesRequest:
    """A checked request."""

    feeds: Feeds
    outputs: Sequence[str]
    """The names of the outputs that are wanted, in order."""
    count: int
    """How many examples it has."""


class _ExamplesReader:
    """Reads the requests of one verb for one model."""

    def __init__(self, signature: str, inputs: Sequence[TensorSpec], answers: Answers) -> None:
        self._signature = signature
        self._answers = answers
        self._table = Table(inputs) if is_tabular(inputs) else None

    def read(self, body: bytes) -> ExamplesRequest:
        """Reads the body of a request.

        Raises:
            BadRequestError: naming the row and the feature, what was expected, and what came; and
                for a model that cannot answer.
        """
        self._answers.check()
        assert self._table is not None
        examples = _examples(read_request(body, self._signature))
        feeds = self._table.of_objects(examples)
        return ExamplesRequest(feeds, self._answers.outputs, len(examples))


class ClassifyCodec:
    """Translates ``:classify`` for one model."""

    def __init__(
        self,
        name: str,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        classes: Classes | None,
    ) -> None:
        self._answers = Classification(name, inputs, classes)
        self.decode = _ExamplesReader("tensorflow/serving/classify", inputs, self._answers).read

    def encode(self, request: ExamplesRequest, results: Sequence[np.ndarray]) -> bytes:
        """The body of the answer: ``[label, score]`` of each class, for each example."""
        return dumps({"results": self._answers.scored(request.count, results)})


class RegressCodec:
    """Translates ``:regress`` for one model."""

    def __init__(
        self,
        name: str,
        inputs: Sequence[TensorSpec],
        outputs: Sequence[TensorSpec],
        classes: Classes | None,
    ) -> None:
        self._answers = Regression(name, inputs, outputs)
        self.decode = _ExamplesReader("tensorflow/serving/regress", inputs, self._answers).read

    def encode(self, request: ExamplesRequest, results: Sequence[np.ndarray]) -> bytes:
        """The body of the answer: a number for each example."""
        return dumps({"results": self._answers.values(request.count, results)})


def _examples(request: dict[str, Any]) -> list[Any]:
    """The rows of a request, each with the features of the context."""
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
    for place, example in enumerate(examples):
        if type(example) is dict and not context.keys().isdisjoint(example):
            both = quoted(name for name in context if name in example)
            raise BadRequestError(
                f"context: expected features that no example has, got {both}, "
                f"which row {place} has too"
            )
    return [{**context, **row} if type(row) is dict else row for row in examples]
