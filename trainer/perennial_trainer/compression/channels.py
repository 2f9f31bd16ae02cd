"""Pruning of whole channels of convolutions."""

import numpy as np
import onnx

from .dense import Dense, Uses, find
from .graph import CONVOLUTION, Weights, attribute
from .neurons import strongest

POOLS = frozenset(("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"))
"""Operators that treat every channel alike."""
NORM = "BatchNormalization"


def prune(model: onnx.ModelProto, share: float) -> tuple[int, int]:
    """Remove the least important channels, in place.

    The importance of a channel is the norm of its filter times the norm of its weights in the
    consumer: another convolution, or a dense layer after a Flatten. A convolution with another
    consumer, such as a sum in residual networks, stays as it is.

    Args:
        model: the model, which is changed.
        share: share of the channels of each convolution to keep.

    Returns:
        The number of channels in those convolutions before and after.
    """
    weights, uses = Weights(model), Uses(model.graph)
    dense = {layer.input: layer for layer in find(model)}
    before = after = 0
    for node in model.graph.node:
        if not _is_plain(node, weights):
            continue
        filters = weights.read(node.input[1])
        norms, consumer = _follow(node.output[0], uses, weights, dense)
        if consumer is None:
            continue
        outgoing = _consumer_norms(consumer, weights, len(filters))
        if outgoing is None:
            continue
        kept = strongest(
            np.linalg.norm(filters.reshape(len(filters), -1), axis=1) * outgoing, share
        )
        for name in (*node.input[1:], *norms):
            if name:
                weights.write(name, weights.read(name)[kept])
        _keep_in_consumer(consumer, weights, kept, len(filters))
        before, after = before + len(filters), after + len(kept)
    return before, after


def _is_plain(node: onnx.NodeProto, weights: Weights) -> bool:
    return (
        node.op_type == CONVOLUTION
        and attribute(node, "group", 1) == 1
        and all(name in weights.own for name in node.input[1:] if name)
    )


def _follow(
    tensor: str, uses: Uses, weights: Weights, dense: dict[str, Dense]
) -> tuple[list[str], "onnx.NodeProto | Dense | None"]:
    """Return the weights of each channel before the consumer, and the consumer."""
    norms: list[str] = []
    while True:
        tensor, _ = uses.past_elementwise(tensor)
        node = uses.only(tensor)
        if node is None or node.input[0] != tensor:
            return norms, None
        if node.op_type in POOLS and len(node.output) == 1:
            tensor = node.output[0]
        elif node.op_type == NORM and all(name in weights.own for name in node.input[1:]):
            norms += node.input[1:]
            tensor = node.output[0]
        elif _is_plain(node, weights):
            return norms, node
        elif _flattens(node, weights):
            return norms, dense.get(node.output[0]) if uses.only(node.output[0]) else None
        else:
            return norms, None


def _flattens(node: onnx.NodeProto, weights: Weights) -> bool:
    """Return whether a node flattens any number of channels into a row."""
    if node.op_type == "Flatten":
        return bool(attribute(node, "axis", 1) == 1)
    if node.op_type != "Reshape" or node.input[1] not in weights:
        return False
    shape = weights.read(node.input[1]).tolist()
    return len(shape) == 2 and shape[0] == 0 and shape[1] == -1


def _consumer_norms(
    consumer: "onnx.NodeProto | Dense", weights: Weights, channels: int
) -> np.ndarray | None:
    if isinstance(consumer, Dense):
        matrix = consumer.matrix(weights)
        if len(matrix) % channels:
            return None
        return np.asarray(np.linalg.norm(matrix.reshape(channels, -1), axis=1))
    filters = weights.read(consumer.input[1]).swapaxes(0, 1)
    return np.asarray(np.linalg.norm(filters.reshape(len(filters), -1), axis=1))


def _keep_in_consumer(
    consumer: "onnx.NodeProto | Dense", weights: Weights, kept: np.ndarray, channels: int
) -> None:
    if isinstance(consumer, Dense):
        matrix = consumer.matrix(weights)
        blocks = matrix.reshape(channels, -1, matrix.shape[1])[kept]
        consumer.write(weights, blocks.reshape(-1, matrix.shape[1]))
    else:
        weights.write(consumer.input[1], weights.read(consumer.input[1])[:, kept])
