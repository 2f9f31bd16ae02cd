"""PyTorch's exported programs: .pt2 of torch.export.save."""

import io
from pathlib import Path

import numpy as np
import onnx

from perennial_contracts.training import TrainingFailure

from ..errors import StepError
from .converted import Arrays, Converted, ConvertOptions
from .graph import OPSET, converting, finish, inputs_of
from .packages import require, versioned


def convert(source: Path, options: ConvertOptions) -> Converted:
    """A program from a file.

    Raises:
        StepError: UntrustedModel: its loader reads parts of such files as pickles, so that it is
            asked to be trusted as one. ConverterNotInstalled, ConversionFailed.
    """
    if not options.trusted:
        raise StepError(
            TrainingFailure.UNTRUSTED_MODEL,
            f"{source.name}: PyTorch's loader can run what such a file holds. Nothing was loaded. "
            "Convert the model with torch.onnx.export yourself, or say that the file is trusted",
        )
    torch = require("torch", "torch", "torch", "PyTorch")
    require("onnxscript", "onnxscript", "torch", "PyTorch")
    with converting(source.name):
        try:
            program = torch.export.load(source)
        except Exception as error:
            raise StepError(
                TrainingFailure.CONVERSION_FAILED,
                f"{source.name}: expected a program of torch.export.save. Weights alone, whole "
                "modules and TorchScript do not convert: write it with "
                f"torch.export.save(torch.export.export(model, (example,)), ...): {error}",
            ) from error
        exported = torch.onnx.export(program, dynamo=True, opset_version=OPSET, verbose=False)
        buffer = io.BytesIO()
        exported.save(buffer)
        graph = onnx.load_from_string(buffer.getvalue())
        names = [value.name for value in graph.graph.output]
        data = finish(graph, fixed_batch=True)
        inputs = inputs_of(graph)
    module = program.module()
    places = [one.name for one in inputs]

    def answer(rows: Arrays) -> dict[str, np.ndarray]:
        with torch.no_grad():
            said = module(*(torch.from_numpy(rows[name]) for name in places))
        parts = said if isinstance(said, tuple | list) else [said]
        return {name: one.numpy() for name, one in zip(names, parts, strict=True)}

    return Converted(
        model=data,
        format="PyTorch",
        converter=versioned("torch"),
        inputs=inputs,
        task="Tensors",
        reference=answer,
    )
