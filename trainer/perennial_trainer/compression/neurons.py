"""Pruning whole neurons of dense layers, and teaching what is left."""

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import onnx

from . import network
from .dense import Dense, chains
from .graph import Weights
from .running import run_to
from .samples import Feeds

LEAST = 4
"""Neurons that a layer keeps at least."""
TUNING_ROWS = 20_000


def prune(model: onnx.ModelProto, share: float) -> tuple[int, int]:
    """Leaves out the neurons of hidden layers that carry least, in place.

    A neuron carries the norm of what comes in times the norm of what goes out.

    Args:
        model: is changed.
        share: of the neurons of each hidden layer that stay.

    Returns:
        How many neurons of hidden layers there were, and how many there are.
    """
    weights, before, after = Weights(model), 0, 0
    for chain in chains(model):
        for layer, following in pairwise(chain):
            coming, going = layer.matrix(weights), following.matrix(weights)
            carried = np.linalg.norm(coming, axis=0) * np.linalg.norm(going, axis=1)
            kept = strongest(carried, share)
            layer.keep_outputs(weights, kept)
            following.keep_inputs(weights, kept)
            before, after = before + len(carried), after + len(kept)
    return before, after


def strongest(carried: np.ndarray, share: float) -> np.ndarray:
    """The places of the largest values, a share of them, in order."""
    many = min(len(carried), max(LEAST, int(np.ceil(share * len(carried)))))
    return np.sort(np.argsort(-carried, kind="stable")[:many])


def tune(pruned: onnx.ModelProto, original: onnx.ModelProto, rows: Feeds, seed: int) -> bool:
    """Teaches the dense layers of a pruned model to give what the original's give, in place.

    They learn the values before the last activation, logits in a classifier (Ba and Caruana 2014),
    so no truth is needed.

    Args:
        pruned: is changed.
        original: with the same tensors.
        rows: to learn from.
        seed: of the order of the rows.

    Returns:
        Whether anything could be taught.
    """
    weights, taught = Weights(pruned), False
    for chain in chains(pruned):
        layers = [layer.read(weights) for layer in chain]
        known = [layer for layer in layers if layer is not None]
        if len(known) < len(layers):
            continue
        known[-1] = network.Layer(known[-1].weight, known[-1].bias)
        taken = _flat(run_to(pruned, [chain[0].taken], rows)[0])
        wanted = _flat(run_to(original, [chain[-1].linear], rows)[0])
        if len(taken) != len(wanted) or not np.isfinite(taken).all():
            continue
        # Steps are as large as the values are; a scale makes the rate fit all models.
        scale = np.float32(wanted.std() or 1.0)
        known[-1] = network.Layer(known[-1].weight / scale, known[-1].bias / scale)
        learnt = network.fit(known, taken, wanted / scale, "squares", seed)
        learnt[-1] = network.Layer(learnt[-1].weight * scale, learnt[-1].bias * scale)
        _write(weights, chain, learnt)
        taught = True
    return taught


def _flat(values: np.ndarray) -> np.ndarray:
    """As rows; more than TUNING_ROWS of them are thinned."""
    rows = values.reshape(-1, values.shape[-1])
    places = np.linspace(0, len(rows) - 1, min(len(rows), TUNING_ROWS)).astype(np.int64)
    return rows[places]


def _write(weights: Weights, chain: Sequence[Dense], layers: Sequence[network.Layer]) -> None:
    for place, layer in zip(chain, layers, strict=True):
        place.write(weights, layer.weight, layer.bias)
