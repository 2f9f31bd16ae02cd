"""PyTorch's exported programs: .pt2 of torch.export.save."""

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
"""Name of the only output; of several that have no names of their own, with their numbers."""


def convert(source: Path, options: ConvertOptions) -> Converted:
    """A program from a file; the rows that it was exported with are its example.

    Raises:
        StepError: UntrustedModel: its loader reads parts of such files as pickles, so that it is
            asked to be trusted as one. ConverterNotInstalled, ConversionFailed.
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
        example=example if all(one.name in example for one in inputs) else None,
    )


def _load(torch: Any, source: Path) -> Any:
    # It warns of every package that it could convert more with, and logs what it raises.
    for chatty in ("torch.onnx", "torch.export"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    try:
        # By path it takes no file of another suffix.
        return torch.export.load(io.BytesIO(source.read_bytes()))
    except Exception as error:
        first_line = (str(error).strip().splitlines() or [""])[0][:300]
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"{source.name}: expected a program of torch.export.save. Weights alone, whole "
            "modules and TorchScript do not convert: write it with "
            "torch.export.save(torch.export.export(model, (example,)), ...). PyTorch says: "
            f"{type(error).__name__}: {first_line}",
        ) from error


def _output_names(program: Any) -> list[str]:
    """The keys of a dictionary, else numbered; never the name of an input."""
    count = len(program.graph_signature.user_outputs)
    keys = program.call_spec.out_spec.context
    named = isinstance(keys, list) and len(keys) == count and all(isinstance(k, str) for k in keys)
    names = keys if named else [OUTPUT] if count == 1 else [f"{OUTPUT}_{at}" for at in range(count)]
    taken = set(program.graph_signature.user_inputs)
    return [f"{name}_{OUTPUT}" if name in taken else name for name in names]


def _without_traces(graph: onnx.ModelProto) -> onnx.ModelProto:
    """Where in whose source each node comes from is left out: it is most of a small model."""
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
    # Names of tensors, and the constants that the program was exported with.
    places = program.graph_signature.user_inputs

    def answer(rows: Arrays) -> dict[str, np.ndarray]:
        leaves = [
            torch.from_numpy(rows[place]) if isinstance(place, str) else place for place in places
        ]
        arguments, named = pytree.tree_unflatten(leaves, program.call_spec.in_spec)
        try:
            with torch.no_grad():
                said = pytree.tree_leaves(module(*arguments, **named))
        # A number that is no index of an embedding, a shape that it was not exported for.
        except (IndexError, RuntimeError, AssertionError) as error:
            raise ValueError(str(error)) from error
        return {name: one.numpy() for name, one in zip(outputs, said, strict=True)}

    return answer


def _example(torch: Any, program: Any) -> dict[str, np.ndarray]:
    """The tensors that the program was exported with, by input."""
    if program.example_inputs is None:
        return {}
    leaves = torch.utils._pytree.tree_leaves(program.example_inputs)
    places = program.graph_signature.user_inputs
    return {
        name: leaf.detach().numpy()
        for name, leaf in zip(places, leaves, strict=False)
        if isinstance(name, str) and hasattr(leaf, "detach")
    }
