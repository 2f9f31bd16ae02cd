"""Conversion of TFLite, with floats or quantized to int8."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .converted import TOLERANCE, Arrays, Converted, ConvertOptions
from .graph import converting, finish, inputs_of
from .packages import versioned
from .tensorflow_graph import from_command, tensorflow


def convert(source: Path, options: ConvertOptions) -> Converted:
    """Convert a file. A quantized model stays quantized.

    Raises:
        StepError: ConverterNotInstalled, ConversionFailed.
    """
    tf = tensorflow("TFLite")
    with converting(source.name), tempfile.TemporaryDirectory() as folder:
        interpreter = tf.lite.Interpreter(
            model_content=source.read_bytes(),
            experimental_op_resolver_type=(
                tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
            ),
        )
        interpreter.allocate_tensors()
        taken, given = interpreter.get_input_details(), interpreter.get_output_details()
        graph = from_command("--tflite", str(source), target=Path(folder) / "model.onnx")
        names = [value.name for value in graph.graph.output]
        data = finish(graph, fixed_batch=any(tensor["shape_signature"][0] > 0 for tensor in taken))
        inputs = inputs_of(graph)
    return Converted(
        model=data,
        format="TFLite",
        converter=versioned("tf2onnx"),
        inputs=inputs,
        task="Tensors",
        reference=_reference(interpreter, taken, given, names),
        tolerance=_tolerance(interpreter, given),
    )


def _reference(
    interpreter: Any, taken: list[dict[str, Any]], given: list[dict[str, Any]], names: list[str]
) -> Any:
    def answer(rows: Arrays) -> dict[str, np.ndarray]:
        count = len(next(iter(rows.values())))
        size = max(int(taken[0]["shape"][0]), 1)
        collected: list[list[np.ndarray]] = [[] for _ in given]
        for start in range(0, count, size):
            for tensor in taken:
                values = rows[tensor["name"]][start : start + size]
                interpreter.set_tensor(tensor["index"], values)
            interpreter.invoke()
            for parts, tensor in zip(collected, given, strict=True):
                parts.append(interpreter.get_tensor(tensor["index"]))
        return {name: np.concatenate(parts) for name, parts in zip(names, collected, strict=True)}

    return answer


def _tolerance(interpreter: Any, given: list[dict[str, Any]]) -> float:
    """Return the tolerance of quantized outputs: a step of them is rounding.

    Models that are quantized inside and return floats differ by the scale of their last tensors.
    """
    if any(np.issubdtype(tensor["dtype"], np.integer) for tensor in given):
        return 2.0
    scales = [
        float(tensor["quantization_parameters"]["scales"][0])
        for tensor in interpreter.get_tensor_details()
        if tensor["dtype"] is np.int8 and len(tensor["quantization_parameters"]["scales"]) == 1
    ]
    return max([TOLERANCE, *(2 * scale for scale in scales[-2:])])
