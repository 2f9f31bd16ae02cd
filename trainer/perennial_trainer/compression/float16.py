"""Weights as half floats: half the size, and where a processor has them, half the memory to read.

Inputs and outputs keep their types.
"""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.transformers.float16 import convert_float_to_float16

from .graph import TREES, Weights, listed, operators, parse, serialize
from .method import NotApplicableError, Variant
from .quantizing import quiet
from .running import Session
from .samples import Samples

LEAST_SHARE = 0.1
"""Of the file that float32 weights must make up: less is no gain."""
LEAST_VALUES = 64
"""Of a weight: less would not make up for the node that turns it back."""
MOST = float(np.finfo(np.float16).max)


def make(model: bytes, samples: Samples, seed: int) -> Iterator[Variant]:
    """The model that computes in half floats, then the one that only holds its weights so.

    The second is for what the first loses too much in, and for graphs whose operators (those of
    ai.onnx.ml) it cannot mix with half floats.

    Raises:
        NotApplicableError: where its numbers are no 32-bit weights.
    """
    graph = parse(model)
    weights = sum(values.nbytes for values in Weights(graph).floats().values())
    if weights < LEAST_SHARE * len(model):
        trees = sorted(operators(graph) & set(TREES))
        raise NotApplicableError(
            f"the model is trees ({trees[0]}), whose limits ONNX has as 32-bit floats alone. Prune "
            "and Distill make them smaller"
            if trees
            else f"{weights:,} of {len(model):,} bytes are 32-bit weights; the model has "
            f"{listed(operators(graph))}"
        )
    try:
        with quiet():
            converted = serialize(convert_float_to_float16(parse(model), keep_io_types=True))
        Session(converted)
    # The converter raises whatever it runs into, or leaves a graph that is none.
    except Exception:
        pass
    else:
        yield Variant(converted, "half floats")
    _halve_weights(graph)
    yield Variant(serialize(graph), "weights as half floats")


def _halve_weights(model: onnx.ModelProto) -> None:
    """Holds weights as half floats that become floats again when the model is loaded."""
    graph, casts = model.graph, []
    replaceable = {value.name for value in graph.input}
    for tensor in graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or tensor.name in replaceable:
            continue
        values, name = numpy_helper.to_array(tensor), tensor.name
        if values.size < LEAST_VALUES or np.abs(values).max() > MOST:
            continue
        tensor.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}_half"))
        casts.append(helper.make_node("Cast", [tensor.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *(onnx.NodeProto.FromString(n.SerializeToString()) for n in graph.node)]
    del graph.node[:]
    graph.node.extend(nodes)
