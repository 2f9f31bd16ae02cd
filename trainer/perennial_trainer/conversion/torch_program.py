"""Conversion of PyTorch's exported programs: .pt2 of torch.export.save."""

import io
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .converted import TRUSTED_OPTION, Arrays, Converted, ConvertOptions
from .graph import OPSET, converting, finish, inputs_of
from .packages import require, versioned

OUTPUT = "output"
"""Name of the only output. Several outputs without names get this and a number."""


def convert(source: Path, options: ConvertOptions) -> Converted:
    """Convert a file. The rows of its export are its example.

    Raises:
        StepError: UntrustedModel if the user does not trust the file, because PyTorch's loader
            reads parts of it as pickles; ConverterNotInstalled, ConversionFailed.
    """
    if not options.trusted:
        raise StepError(
            TrainingFailure.UNTRUSTED_MODEL,
            f"{source.name}: PyTorch's loader can run code from such a file. Nothing was loaded",
            field=TRUSTED_OPTION,
            hint="Convert the model with torch.onnx.export yourself, or set this if you trust the "
            "file",
        )
    torch = require("torch", "torch", "torch", "PyTorch")
    require("onnxscript", "onnxscript", "torch", "PyTorch")
    with converting(source.name):
        program = _load(torch, source)
        outputs = _output_names(program)
        exported = torch.onnx.export(
            program, dynamo=True, opset_version=OPSET, output_names=outputs, verbose=False
        )
        graph = _without_traces(exported.model_proto)
        data = finish(graph, fixed_batch=True)
        inputs = inputs_of(graph)
        answer = _reference(torch, program, outputs)
        example = _example(torch, program)
    return Converted(
        model=data,
        format="PyTorch",
        converter=versioned("torch"),
        inputs=inputs,
        task="Tensors",
        reference=answer,
        example=example if all(tensor.name in example for tensor in inputs) else None,
    )


def _load(torch: Any, source: Path) -> Any:
    # It warns about every optional package, and logs the errors that it raises.
    for logger in ("torch.onnx", "torch.export"):
        logging.getLogger(logger).setLevel(logging.CRITICAL)
    try:
        # Given a path, it rejects files with another suffix.
        return torch.export.load(io.BytesIO(source.read_bytes()))
    except Exception as error:
        first_line = (str(error).strip().splitlines() or [""])[0][:300]
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"{source.name}: expected a program of torch.export.save: {type(error).__name__}: "
            f"{first_line}",
            hint="Weights alone, whole modules and TorchScript do not convert. Save the model with "
            "torch.export.save(torch.export.export(model, (example,)), ...)",
        ) from error


def _output_names(program: Any) -> list[str]:
    """Return the keys of a dictionary, or numbered names; never the name of an input."""
    count = len(program.graph_signature.user_outputs)
    keys = program.call_spec.out_spec.context
    named = isinstance(keys, list) and len(keys) == count and all(isinstance(k, str) for k in keys)
    names = keys if named else [OUTPUT] if count == 1 else [f"{OUTPUT}_{at}" for at in range(count)]
    taken = set(program.graph_signature.user_inputs)
    return [f"{name}_{OUTPUT}" if name in taken else name for name in names]


def _without_traces(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Remove the source positions of all nodes, which are most of a small model."""
    for node in graph.graph.node:
        del node.metadata_props[:]
        node.ClearField("doc_string")
    for value in (*graph.graph.input, *graph.graph.output, *graph.graph.value_info):
        del value.metadata_props[:]
    for constant in graph.graph.initializer:
        del constant.metadata_props[:]
    del graph.graph.metadata_props[:]
    return graph


def _reference(
    torch: Any, program: Any, outputs: Sequence[str]
) -> Callable[[Arrays], dict[str, np.ndarray]]:
    pytree = torch.utils._pytree
    module = program.module()
    # Names of tensors, and the constants of the export.
    user_inputs = program.graph_signature.user_inputs

    def answer(rows: Arrays) -> dict[str, np.ndarray]:
        leaves = [
            torch.from_numpy(rows[given]) if isinstance(given, str) else given
            for given in user_inputs
        ]
        arguments, named = pytree.tree_unflatten(leaves, program.call_spec.in_spec)
        try:
            with torch.no_grad():
                values = pytree.tree_leaves(module(*arguments, **named))
        # A number outside the table of an embedding, or a shape that the export did not allow.
        except (IndexError, RuntimeError, AssertionError) as error:
            raise ValueError(str(error)) from error
        return {name: value.numpy() for name, value in zip(outputs, values, strict=True)}

    return answer


def _example(torch: Any, program: Any) -> dict[str, np.ndarray]:
    """Return the tensors of the export, by input."""
    if program.example_inputs is None:
        return {}
    leaves = torch.utils._pytree.tree_leaves(program.example_inputs)
    user_inputs = program.graph_signature.user_inputs
    return {
        name: leaf.detach().numpy()
        for name, leaf in zip(user_inputs, leaves, strict=False)
        if isinstance(name, str) and hasattr(leaf, "detach")
    }
