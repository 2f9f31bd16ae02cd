"""Weights as half floats: half the size, and where a processor has them, half the memory to read.

Inputs and outputs keep their types.
"""

from onnxruntime.transformers.float16 import convert_float_to_float16

from .graph import TREES, Weights, listed, operators, parse, serialize
from .method import NotApplicableError, Variant
from .quantizing import quiet
from .samples import Samples

LEAST_SHARE = 0.1
"""Of the file that float32 weights must make up: less is no gain."""


def make(model: bytes, samples: Samples, seed: int) -> list[Variant]:
    """The model that computes in half floats.

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
    with quiet():
        converted = convert_float_to_float16(graph, keep_io_types=True)
    return [Variant(serialize(converted), "half floats")]
