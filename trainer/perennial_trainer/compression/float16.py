"""Half floats: half the size, and less memory to read on some processors.

Inputs and outputs keep their types.
"""

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.transformers.float16 import convert_float_to_float16

from .graph import TREES, Weights, listed, operators, parse, serialize
from .method import NotApplicableError, Variant
from .quantize import quiet
from .running import Session
from .samples import Samples

LEAST_SHARE = 0.1
"""Smallest useful share of float32 weights in the file."""
LEAST_VALUES = 64
"""Size of the smallest weight to convert: each needs a node to convert it back."""
MOST = float(np.finfo(np.float16).max)


def make(model: bytes, samples: Samples, seed: int) -> Iterator[Variant]:
    """Yield a model that computes in half floats, then one with weights of them.

    The second is for models that lose too much in the first, and for graphs with operators of
    ai.onnx.ml, which do not accept half floats.

    Raises:
        NotApplicableError: if the model has almost no 32-bit weights.
    """
    graph = parse(model)
    weights = sum(values.nbytes for values in Weights(graph).floats().values())
    if weights < LEAST_SHARE * len(model):
        trees = sorted(operators(graph) & set(TREES))
        raise NotApplicableError(
            f"the model consists of trees ({trees[0]}), and ONNX only has 32-bit floats for their "
            "thresholds. Prune and Distill make them smaller"
            if trees
            else f"{weights:,} of {len(model):,} bytes are 32-bit weights; the model has "
            f"{listed(operators(graph))}"
        )
    try:
        with quiet():
            converted = serialize(convert_float_to_float16(parse(model), keep_io_types=True))
        Session(converted)
    # The converter raises errors of many types, or returns an invalid graph.
    except Exception:
        pass
    else:
        yield Variant(converted, "half floats")
    _halve_weights(graph)
    yield Variant(serialize(graph), "weights as half floats")


def _halve_weights(model: onnx.ModelProto) -> None:
    """Store weights as half floats, which become floats when the model is loaded."""
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
