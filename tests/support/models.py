"""Small ONNX models whose answers identify them."""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

from perennial_contracts.wire.bundle import MANIFEST_NAME, MODEL_NAME, Bundle, describe_files


def adder(amount: float) -> bytes:
    """Return y = x + amount, for x of shape [-1, 1], FP32."""
    constant = numpy_helper.from_array(np.array([amount], np.float32), "amount")
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "amount"], ["y"])],
        "adder",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 1])],
        [constant],
    )
    opset = [helper.make_opsetid("", 18)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=10)
    checker.check_model(model)
    data: bytes = model.SerializeToString()
    return data


def adder_bundle(amount: float) -> dict[str, bytes]:
    """Return the files of a bundle around :func:`adder`, by path."""
    model = {MODEL_NAME: adder(amount)}
    return {**model, MANIFEST_NAME: Bundle(files=describe_files(model)).to_bytes()}
