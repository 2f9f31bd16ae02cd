"""ONNX files, which are checked and used as they are."""

from pathlib import Path

import onnx

from perennial_contracts.wire.names import LABEL
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .converted import Converted, ConvertOptions
from .graph import converting, inputs_of
from .packages import versioned


def convert(source: Path, options: ConvertOptions) -> Converted:
    """Check an ONNX model and return its bytes unchanged.

    Raises:
        StepError: ConversionFailed if it is not valid ONNX or its weights are in another file.
    """
    with converting(source.name):
        data = source.read_bytes()
        model = onnx.load_from_string(data)
        if any(
            weight.data_location == onnx.TensorProto.EXTERNAL for weight in model.graph.initializer
        ):
            raise StepError(
                TrainingFailure.CONVERSION_FAILED,
                f"{source.name}: expected the weights in the file, got a model with weights in "
                "another file",
                hint="Save it with onnx.save(..., save_as_external_data=False)",
            )
        onnx.checker.check_model(model)
        inputs = inputs_of(model)
    names = {output.name for output in model.graph.output}
    return Converted(
        model=data,
        format="Onnx",
        converter=versioned("onnx"),
        inputs=inputs,
        task="Classification" if LABEL in names else "Tensors",
        reference=None,
    )
