"""Classification and regression of examples, for TensorFlow Serving's two APIs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from perennial_contracts.wire.names import PROBABILITIES

from ...classes import Classes
from ...errors import BadRequestError, RunFailedError
from ...signature import TensorSpec, is_tabular
from .columns import Feeds
from .messages import quoted


@dataclass(frozen=True, slots=True)
class ExamplesRequest:
    """A checked request."""

    feeds: Feeds
    outputs: Sequence[str]
    """Names of the requested outputs, in order."""
    count: int
    """Number of examples."""


class ExamplesTask:
    """A task that only some models can perform."""

    outputs: Sequence[str]
    """Names of the outputs that the task needs."""

    def __init__(self) -> None:
        self._problem = ""

    def check(self) -> None:
        """Check that the model can perform the task.

        Raises:
            BadRequestError: if it cannot, with the alternative.
        """
        if self._problem:
            raise BadRequestError(self._problem)


class Classification(ExamplesTask):
    """A score for each class, from a classifier of rows."""

    outputs = (PROBABILITIES,)

    def __init__(self, name: str, inputs: Sequence[TensorSpec], classes: Classes | None) -> None:
        super().__init__()
        self._names = classes.names if classes else ()
        if classes is None:
            self._problem = (
                f"the model {name!r} is no classifier: expected the outputs 'label' and "
                "'probabilities', and the classes in bundle.json. Fix: use predict"
            )
        elif not is_tabular(inputs):
            self._problem = _not_tabular(name, inputs)

    def scored(
        self, count: int, results: Sequence[np.ndarray]
    ) -> list[list[tuple[str, np.floating]]]:
        """Return each class with its probability, for each of ``count`` examples.

        Raises:
            RunFailedError: if the number of classes differs from the bundle's.
        """
        (probabilities,) = results
        if probabilities.shape != (count, len(self._names)):
            raise RunFailedError(
                f"the model's output {PROBABILITIES!r}: expected the shape "
                f"{[count, len(self._names)]}, from the labels in bundle.json, "
                f"got {list(probabilities.shape)}. Fix: build the bundle again"
            )
        return [list(zip(self._names, row, strict=True)) for row in probabilities]


class Regression(ExamplesTask):
    """One number for each row."""

    def __init__(
        self, name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
    ) -> None:
        super().__init__()
        self.outputs = tuple(output.name for output in outputs[:1])
        if len(outputs) != 1 or not outputs[0].is_column or outputs[0].dtype.kind not in "fiu":
            self._problem = (
                f"the model {name!r} does not return one number for each row: expected one output "
                f"of shape [-1] or [-1, 1], got {quoted(output.name for output in outputs)}. "
                "Fix: use predict"
            )
        elif not is_tabular(inputs):
            self._problem = _not_tabular(name, inputs)

    def values(self, count: int, results: Sequence[np.ndarray]) -> np.ndarray:
        """Return a number for each of ``count`` examples, of shape (count,).

        Raises:
            BadRequestError: if the model returns another number of rows.
        """
        (result,) = results
        if result.size != count:
            raise BadRequestError(
                f"the model's output {self.outputs[0]!r} has the shape {list(result.shape)}, not "
                f"one row for each of the {count} examples. Fix: use predict"
            )
        return np.ascontiguousarray(result).reshape(-1)


def _not_tabular(name: str, inputs: Sequence[TensorSpec]) -> str:
    shapes = ", ".join(f"{tensor.name!r} {list(tensor.shape)}" for tensor in inputs)
    return (
        f"the model {name!r} does not take examples: expected inputs of shape [-1, 1] or [-1], "
        f"one for each feature, got {shapes}. Fix: use predict"
    )
