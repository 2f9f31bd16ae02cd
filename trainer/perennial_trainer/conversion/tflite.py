"""TFLite, of floats or quantized to int8."""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from .converted import TOLERANCE, Arrays, Converted, ConvertOptions
from .graph import converting, finish, inputs_of
from .packages import versioned
from .tensorflow_graph import from_command, tensorflow


def convert(source: Path, options: ConvertOptions) -> Converted:
    """A model from a file; one that is quantized stays so.

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
        data = finish(graph, fixed_batch=any(one["shape_signature"][0] > 0 for one in taken))
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
        said: list[list[np.ndarray]] = [[] for _ in given]
        for start in range(0, count, size):
            for one in taken:
                interpreter.set_tensor(one["index"], rows[one["name"]][start : start + size])
            interpreter.invoke()
            for place, one in enumerate(given):
                said[place].append(interpreter.get_tensor(one["index"]))
        return {name: np.concatenate(parts) for name, parts in zip(names, said, strict=True)}

    return answer


def _tolerance(interpreter: Any, given: list[dict[str, Any]]) -> float:
    """A step of the quantized answers is rounding: one unit of integers, else the scale.

    Models that are quantized within and answer floats differ by the scale of their last tensors.
    """
    if any(np.issubdtype(one["dtype"], np.integer) for one in given):
        return 2.0
    scales = [
        float(one["quantization_parameters"]["scales"][0])
        for one in interpreter.get_tensor_details()
        if one["dtype"] is np.int8 and len(one["quantization_parameters"]["scales"]) == 1
    ]
    return max([TOLERANCE, *(2 * scale for scale in scales[-2:])])
