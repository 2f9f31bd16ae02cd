"""What classifying and regressing mean for a model, whatever the protocol that asks."""

from collections.abc import Sequence

import numpy as np

from ...classes import PROBABILITIES, Classes
from ...errors import BadRequestError, RunFailedError
from ...signature import TensorSpec, is_tabular
from .messages import quoted


class Answers:
    """What is asked of a model in examples; it may be one that cannot answer them."""

    outputs: Sequence[str]
    """The names of the outputs that are needed."""

    def __init__(self) -> None:
        self._problem = ""

    def check(self) -> None:
        """Refuses requests to a model that cannot answer them.

        Raises:
            BadRequestError: with what to use instead.
        """
        if self._problem:
            raise BadRequestError(self._problem)


class Classification(Answers):
    """The answers of a classifier of rows of a table."""

    outputs = (PROBABILITIES,)

    def __init__(self, name: str, inputs: Sequence[TensorSpec], classes: Classes | None) -> None:
        super().__init__()
        self._names = classes.names if classes else ()
        if classes is None:
            self._problem = (
                f"the model {name!r} is no classifier: expected the outputs 'label' and "
                "'probabilities', with the classes in bundle.json. Use predict"
            )
        elif not is_tabular(inputs):
            self._problem = _no_table(name, inputs)

    def scored(
        self, count: int, results: Sequence[np.ndarray]
    ) -> list[list[tuple[str, np.floating]]]:
        """Each class with its probability, for each of ``count`` examples.

        Raises:
            RunFailedError: where the model answers other classes than its bundle says.
        """
        (probabilities,) = results
        if probabilities.shape != (count, len(self._names)):
            raise RunFailedError(
                f"the model's output {PROBABILITIES!r}: expected the shape "
                f"{[count, len(self._names)]}, as bundle.json's labels say, "
                f"got {list(probabilities.shape)}. Make the bundle again"
            )
        return [list(zip(self._names, row, strict=True)) for row in probabilities]


class Regression(Answers):
    """The answers of a model of one number for rows of a table."""

    def __init__(
        self, name: str, inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec]
    ) -> None:
        super().__init__()
        self.outputs = tuple(output.name for output in outputs[:1])
        if len(outputs) != 1 or not outputs[0].is_column or outputs[0].dtype.kind not in "fiu":
            self._problem = (
                f"the model {name!r} does not answer one number for each row: expected one output "
                f"of shape [-1] or [-1, 1], got {quoted(output.name for output in outputs)}. "
                "Use predict"
            )
        elif not is_tabular(inputs):
            self._problem = _no_table(name, inputs)

    def values(self, count: int, results: Sequence[np.ndarray]) -> np.ndarray:
        """A number for each of ``count`` examples, of shape (count,).

        Raises:
            BadRequestError: where the model answers another number of rows.
        """
        (result,) = results
        if result.size != count:
            raise BadRequestError(
                f"the model's output {self.outputs[0]!r} has the shape {list(result.shape)}, not "
                f"one row for each of the {count} examples. Use predict"
            )
        return np.ascontiguousarray(result).reshape(-1)


def _no_table(name: str, inputs: Sequence[TensorSpec]) -> str:
    shapes = ", ".join(f"{tensor.name!r} {list(tensor.shape)}" for tensor in inputs)
    return (
        f"the model {name!r} does not take examples: expected inputs of shape [-1, 1] or [-1], "
        f"one for each feature, got {shapes}. Use predict"
    )
