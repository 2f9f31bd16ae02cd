"""Conversion of Keras 3: .keras files of any backend."""

import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from .converted import Arrays, Converted, ConvertOptions
from .graph import OPSET, converting, finish, inputs_of
from .packages import require, versioned
from .tensorflow_graph import tensorflow


def convert(source: Path, options: ConvertOptions) -> Converted:
    """Convert a file, loaded in safe mode, which rejects Lambda layers with code.

    Raises:
        StepError: ConverterNotInstalled, ConversionFailed.
    """
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    tf = tensorflow("Keras")
    keras = require("keras", "keras", "tf", "Keras")
    with converting(source.name), tempfile.TemporaryDirectory() as folder:
        model = keras.saving.load_model(source, safe_mode=True, compile=False)
        # The shapes are not known before the first call.
        zeros = [np.zeros(_ones(tensor.shape), str(tensor.dtype)) for tensor in model.inputs]
        model(zeros if len(zeros) > 1 else zeros[0])
        target = Path(folder) / "model.onnx"
        model.export(target, format="onnx", verbose=False, opset_version=OPSET)
        graph = onnx.load(target)
        names = [value.name for value in graph.graph.output]
        data = finish(graph)
        inputs = inputs_of(graph)
    input_names = [tensor.name for tensor in inputs]

    def answer(rows: Arrays) -> dict[str, np.ndarray]:
        given = [rows[name] for name in input_names]
        try:
            outputs: Any = model.predict_on_batch(given if len(given) > 1 else given[0])
        # A number outside the table of an embedding.
        except tf.errors.InvalidArgumentError as error:
            raise ValueError(str(error)) from error
        return dict(zip(names, outputs if isinstance(outputs, list) else [outputs], strict=True))

    return Converted(
        model=data,
        format="Keras",
        converter=versioned("tf2onnx"),
        inputs=inputs,
        task="Tensors",
        reference=answer,
        tolerance=1e-4,
    )


def _ones(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """Return a shape with 1 for each dimension of any size."""
    return tuple(1 if extent is None else extent for extent in shape)
