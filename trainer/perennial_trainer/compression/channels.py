"""Pruning whole channels of convolutions."""

import numpy as np
import onnx

from .dense import Dense, Uses, find
from .graph import CONVOLUTION, Weights, attribute
from .neurons import strongest

POOLS = frozenset(("MaxPool", "AveragePool", "GlobalAveragePool", "GlobalMaxPool"))
"""They treat every channel alike."""
NORM = "BatchNormalization"


def prune(model: onnx.ModelProto, share: float) -> tuple[int, int]:
    """Leaves out the channels that carry least, in place.

    A channel carries the norm of its filter times the norm of what takes it: another convolution,
    or a dense layer after a Flatten. Where a channel goes anywhere else (into a sum, as in residual
    networks) its convolution stays as it is.

    Args:
        model: is changed.
        share: of the channels of each convolution that stay.

    Returns:
        How many channels there were in those convolutions, and how many there are.
    """
    weights, uses = Weights(model), Uses(model.graph)
    dense = {layer.taken: layer for layer in find(model)}
    before = after = 0
    for node in model.graph.node:
        if not _is_plain(node, weights):
            continue
        filters = weights.read(node.input[1])
        norms, taker = _follow(node.output[0], uses, weights, dense)
        if taker is None:
            continue
        going = _norms_of_taken(taker, weights, len(filters))
        if going is None:
            continue
        kept = strongest(np.linalg.norm(filters.reshape(len(filters), -1), axis=1) * going, share)
        for name in (*node.input[1:], *norms):
            if name:
                weights.write(name, weights.read(name)[kept])
        _keep_taken(taker, weights, kept, len(filters))
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
    """What takes the channels in the end, and the weights of each channel on the way there."""
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
    """Whether it makes a row of each example's channels, whatever their number."""
    if node.op_type == "Flatten":
        return bool(attribute(node, "axis", 1) == 1)
    if node.op_type != "Reshape" or node.input[1] not in weights:
        return False
    shape = weights.read(node.input[1]).tolist()
    return len(shape) == 2 and shape[0] == 0 and shape[1] == -1


def _norms_of_taken(
    taker: "onnx.NodeProto | Dense", weights: Weights, channels: int
) -> np.ndarray | None:
    if isinstance(taker, Dense):
        matrix = taker.matrix(weights)
        if len(matrix) % channels:
            return None
        return np.asarray(np.linalg.norm(matrix.reshape(channels, -1), axis=1))
    filters = weights.read(taker.input[1]).swapaxes(0, 1)
    return np.asarray(np.linalg.norm(filters.reshape(len(filters), -1), axis=1))


def _keep_taken(
    taker: "onnx.NodeProto | Dense", weights: Weights, kept: np.ndarray, channels: int
) -> None:
    if isinstance(taker, Dense):
        matrix = taker.matrix(weights)
        blocks = matrix.reshape(channels, -1, matrix.shape[1])[kept]
        taker.write(weights, blocks.reshape(-1, matrix.shape[1]))
    else:
        weights.write(taker.input[1], weights.read(taker.input[1])[:, kept])
