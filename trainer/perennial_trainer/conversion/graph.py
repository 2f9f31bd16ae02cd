"""The common form of converted graphs: opset, names, inputs, bytes."""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import onnx
import onnx.version_converter
from onnx import TensorProto, helper

from perennial_contracts.wire.names import Datatype
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .converted import Input

OPSET = 18
OPSETS = {"": OPSET, "ai.onnx.ml": 3}
"""3 is the newest ai.onnx.ml that the converters of all kinds of trees write."""
BATCH = "batch"
SCORES = "scores"
"""The output of a classifier without probabilities."""
DATATYPES: dict[int, Datatype] = {
    TensorProto.BOOL: "BOOL", TensorProto.UINT8: "UINT8", TensorProto.UINT16: "UINT16",
    TensorProto.UINT32: "UINT32", TensorProto.UINT64: "UINT64", TensorProto.INT8: "INT8",
    TensorProto.INT16: "INT16", TensorProto.INT32: "INT32", TensorProto.INT64: "INT64",
    TensorProto.FLOAT16: "FP16", TensorProto.FLOAT: "FP32", TensorProto.DOUBLE: "FP64",
    TensorProto.STRING: "BYTES",
}  # fmt: skip


@contextmanager
def converting(name: str) -> Iterator[None]:
    """Turn every error of a converter into a StepError, and silence its warnings.

    Raises:
        StepError: ConversionFailed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except StepError:
        raise
    # The converters raise errors of many types: NameError, KeyError, RuntimeError, and more.
    except Exception as error:
        first_line = (str(error).strip().splitlines() or [""])[0][:500]
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"{name} does not convert to ONNX: {type(error).__name__}: {first_line}",
        ) from error


def finish(
    model: onnx.ModelProto, outputs: Sequence[str] = (), *, fixed_batch: bool = False
) -> bytes:
    """Return the bytes of the model, the same for the same graph.

    Args:
        model: the model, which is changed.
        outputs: new names of the outputs; empty to keep them.
        fixed_batch: keep a first dimension that is a number.
    """
    if outputs:
        _name_outputs(model, outputs)
    for value in (*model.graph.input, *model.graph.output):
        dimensions = value.type.tensor_type.shape.dim
        if len(dimensions) and not (fixed_batch and dimensions[0].HasField("dim_value")):
            dimensions[0].Clear()
            dimensions[0].dim_param = BATCH
    # Some converters write them in the order of a set, which differs between processes.
    opsets = sorted(model.opset_import, key=lambda opset: opset.domain)
    del model.opset_import[:]
    model.opset_import.extend(opsets)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString(deterministic=True))


def _name_outputs(model: onnx.ModelProto, outputs: Sequence[str]) -> None:
    before = [output.name for output in model.graph.output]
    if len(before) != len(outputs):
        raise ValueError(f"expected outputs {', '.join(outputs)}, got {', '.join(before)}")
    taken = {name for node in model.graph.node for name in (*node.input, *node.output)}
    for output, new in zip(model.graph.output, outputs, strict=True):
        if output.name == new:
            continue
        if new in taken:
            _rename(model, new, f"{new}_inner")
        old = output.name if output.name != new else f"{new}_inner"
        model.graph.node.append(helper.make_node("Identity", [old], [new], name=f"name_{new}"))
        output.name = new


def _rename(model: onnx.ModelProto, old: str, new: str) -> None:
    for node in model.graph.node:
        for names in (node.input, node.output):
            for index, name in enumerate(names):
                if name == old:
                    names[index] = new
    for value in (*model.graph.output, *model.graph.value_info):
        if value.name == old:
            value.name = new


def raise_opset(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return the model in OPSET, for converters that write only older opsets."""
    if any(opset.domain == "" for opset in model.opset_import):
        return onnx.version_converter.convert_version(model, OPSET)
    model.opset_import.append(helper.make_opsetid("", OPSET))
    return model


def name_inputs(model: onnx.ModelProto, names: Sequence[str]) -> None:
    """Rename the inputs, in their order, to names that a converter does not accept."""
    for value, name in zip(model.graph.input, names, strict=True):
        if value.name != name:
            _rename(model, value.name, name)
            value.name = name


def split_columns(model: onnx.ModelProto, names: Sequence[str]) -> None:
    """Replace the only input by one for each of its columns, shape [-1, 1]."""
    graph = model.graph
    (joined,) = graph.input
    table = f"{joined.name}_columns"
    _rename(model, joined.name, table)
    element = joined.type.tensor_type.elem_type
    del graph.input[:]
    graph.input.extend(helper.make_tensor_value_info(name, element, [BATCH, 1]) for name in names)
    graph.node.insert(0, helper.make_node("Concat", list(names), [table], axis=1))


def inputs_of(
    model: onnx.ModelProto, values: Mapping[str, tuple[np.ndarray, ...]] | None = None
) -> tuple[Input, ...]:
    """Return the inputs, without the initializers that old files list among them."""
    inner = {initializer.name for initializer in model.graph.initializer}
    found = []
    for value in model.graph.input:
        if value.name in inner:
            continue
        tensor = value.type.tensor_type
        if tensor.elem_type not in DATATYPES:
            raise ValueError(
                f"input {value.name}: expected a type of the Open Inference Protocol, got "
                f"{TensorProto.DataType.Name(tensor.elem_type)}"
            )
        shape = tuple(
            dimension.dim_value if dimension.HasField("dim_value") else -1
            for dimension in tensor.shape.dim
        )
        found.append(
            Input(
                value.name, DATATYPES[tensor.elem_type], shape, (values or {}).get(value.name, ())
            )
        )
    return tuple(found)
