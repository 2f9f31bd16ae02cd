"""Common parts of the conversion of XGBoost's and LightGBM's files."""

from collections.abc import Callable, Sequence

import numpy as np
import onnx

from perennial_contracts.wire.formats import Format
from perennial_contracts.wire.names import LABEL, PREDICTION, PROBABILITIES

from .converted import Arrays, Converted
from .graph import finish, inputs_of, raise_opset, split_columns
from .packages import versioned

TABLE = "input"
"""Name of the only input if the columns have no names."""
OPSET = 15
"""The newest opset that the converters of boosters write."""
STRAY = 0.005
"""Share of rows whose values may be on a threshold that float32 moves."""


def as_converted(
    graph: onnx.ModelProto,
    format_: Format,
    names: Sequence[str],
    values: Sequence[np.ndarray],
    labels: Sequence[str],
    answer: Callable[[np.ndarray], dict[str, np.ndarray]],
) -> Converted:
    """Bring the output of onnxmltools into the form of all converted models.

    Args:
        graph: the ONNX model; its only input is TABLE.
        format_: format of the file.
        names: names of the columns; empty if they have no names of their own.
        values: by column, the values that matter to the model.
        labels: the classes of a classifier; empty for a regressor.
        answer: returns the original's outputs for a table, shape (rows, columns).
    """
    graph = raise_opset(graph)
    if names:
        split_columns(graph, names)
    data = finish(graph, (LABEL, PROBABILITIES) if labels else (PREDICTION,))
    by_column = {name: (column,) for name, column in zip(names, values, strict=False)}

    def reference(rows: Arrays) -> dict[str, np.ndarray]:
        return answer(
            np.concatenate([rows[name] for name in names], axis=1) if names else rows[TABLE]
        )

    return Converted(
        model=data,
        format=format_,
        converter=versioned("onnxmltools"),
        inputs=inputs_of(graph, by_column if names else {TABLE: tuple(values)}),
        task="Classification" if labels else "Regression",
        reference=reference,
        labels=tuple(labels),
        accepts_missing=True,
        stray=STRAY,
    )
