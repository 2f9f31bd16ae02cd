"""ONNX graphs: read, inspect, and write equal graphs as equal bytes."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

TREES = ("TreeEnsembleClassifier", "TreeEnsembleRegressor", "TreeEnsemble")
PRODUCTS = ("MatMul", "Gemm")
CONVOLUTION = "Conv"
TOOLS_FACTS = ("onnx.infer", "onnx.quant.pre_process")
"""Metadata of the quantization tools, which is removed."""


def parse(data: bytes) -> onnx.ModelProto:
    """Parse a model and turn its constants into initializers."""
    model = onnx.load_from_string(data)
    graph = model.graph
    kept = []
    for node in graph.node:
        if node.op_type == "Constant" and [a.name for a in node.attribute] == ["value"]:
            tensor = onnx.TensorProto()
            tensor.CopyFrom(node.attribute[0].t)
            tensor.name = node.output[0]
            graph.initializer.append(tensor)
        else:
            kept.append(node)
    if len(kept) < len(graph.node):
        copies = [onnx.NodeProto.FromString(node.SerializeToString()) for node in kept]
        del graph.node[:]
        graph.node.extend(copies)
    return model


def serialize(model: onnx.ModelProto) -> bytes:
    """Return the bytes of a model, the same for the same model from any tool."""
    graph = model.graph
    used = {name for node in graph.node for name in node.input} | inner_names(graph)
    used |= {output.name for output in graph.output}
    weights = sorted((i for i in graph.initializer if i.name in used), key=lambda i: str(i.name))
    copies = [onnx.TensorProto.FromString(i.SerializeToString()) for i in weights]
    del graph.initializer[:]
    graph.initializer.extend(copies)
    del graph.value_info[:]
    facts = {each.key: each.value for each in model.metadata_props if each.key not in TOOLS_FACTS}
    helper.set_model_props(model, dict(sorted(facts.items())))
    opsets = sorted(
        {opset.domain: opset.version for opset in model.opset_import}.items(),
    )
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in opsets)
    return bytes(model.SerializeToString(deterministic=True))


def inner_names(graph: onnx.GraphProto) -> set[str]:
    """Return the names that subgraphs of If, Loop and Scan use."""
    names: set[str] = set()
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])):
                names |= {name for each in inner.node for name in each.input} | inner_names(inner)
                names |= {output.name for output in inner.output}
    return names


def operators(model: onnx.ModelProto) -> set[str]:
    """Return the operators in a model."""
    return {node.op_type for node in model.graph.node}


def attribute(node: onnx.NodeProto, name: str, default: Any) -> Any:
    """Return the value of a node's attribute."""
    for each in node.attribute:
        if each.name == name:
            return helper.get_attribute_value(each)
    return default


def listed(names: Iterable[str], most: int = 6) -> str:
    """Join the first names in sorted order, for a message."""
    all_names = sorted(names)
    more = f" and {len(all_names) - most} more" if len(all_names) > most else ""
    return ", ".join(all_names[:most]) + more


class Weights:
    """The initializers of a graph, to read and replace by name."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._tensors = {tensor.name: tensor for tensor in model.graph.initializer}
        inputs = {value.name for value in model.graph.input}
        uses: dict[str, int] = dict.fromkeys(self._tensors, 0)
        for node in model.graph.node:
            for name in node.input:
                if name in uses:
                    uses[name] += 1
        taken = inner_names(model.graph) | {output.name for output in model.graph.output} | inputs
        self.own = {name for name, times in uses.items() if times == 1 and name not in taken}
        """Names of those that exactly one node uses, and callers cannot replace."""

    def __contains__(self, name: str) -> bool:
        return name in self._tensors

    def read(self, name: str) -> np.ndarray:
        """Return the values."""
        return np.asarray(numpy_helper.to_array(self._tensors[name]))

    def write(self, name: str, values: np.ndarray) -> None:
        """Replace the values and keep the element type."""
        old = self._tensors[name]
        kind = helper.tensor_dtype_to_np_dtype(old.data_type)
        old.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values, kind), name))

    def floats(self) -> dict[str, np.ndarray]:
        """Return the float32 initializers by name."""
        return {
            name: self.read(name)
            for name, tensor in self._tensors.items()
            if tensor.data_type == onnx.TensorProto.FLOAT
        }
