"""Pruning of whole neurons of dense layers, and fine-tuning of the rest."""

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
"""Smallest number of neurons that a layer keeps."""
TUNING_ROWS = 20_000


def prune(model: onnx.ModelProto, share: float) -> tuple[int, int]:
    """Remove the least important neurons of hidden layers, in place.

    The importance of a neuron is the norm of its incoming weights times that of its outgoing ones.

    Args:
        model: the model, which is changed.
        share: share of the neurons of each hidden layer to keep.

    Returns:
        The number of neurons in hidden layers before and after.
    """
    weights, before, after = Weights(model), 0, 0
    for chain in chains(model):
        for layer, following in pairwise(chain):
            incoming, outgoing = layer.matrix(weights), following.matrix(weights)
            importance = np.linalg.norm(incoming, axis=0) * np.linalg.norm(outgoing, axis=1)
            kept = strongest(importance, share)
            layer.keep_outputs(weights, kept)
            following.keep_inputs(weights, kept)
            before, after = before + len(importance), after + len(kept)
    return before, after


def strongest(importance: np.ndarray, share: float) -> np.ndarray:
    """Return the sorted indices of the largest values, a share of them."""
    many = min(len(importance), max(LEAST, int(np.ceil(share * len(importance)))))
    return np.sort(np.argsort(-importance, kind="stable")[:many])


def tune(pruned: onnx.ModelProto, original: onnx.ModelProto, rows: Feeds, seed: int) -> bool:
    """Train the dense layers of a pruned model on the original's outputs, in place.

    The targets are the values before the last activation, which are the logits of a classifier
    (Ba and Caruana 2014), so the truth is not needed.

    Args:
        pruned: the pruned model, which is changed.
        original: the original model, with the same tensors.
        rows: training rows.
        seed: seed of the order of the rows.

    Returns:
        True if there was a chain of layers to train.
    """
    weights, tuned = Weights(pruned), False
    for chain in chains(pruned):
        layers = [layer.read(weights) for layer in chain]
        trainable = [layer for layer in layers if layer is not None]
        if len(trainable) < len(layers):
            continue
        trainable[-1] = network.Layer(trainable[-1].weight, trainable[-1].bias)
        inputs = _flat(run_to(pruned, [chain[0].input], rows)[0])
        targets = _flat(run_to(original, [chain[-1].linear], rows)[0])
        if len(inputs) != len(targets) or not np.isfinite(inputs).all():
            continue
        # The step size depends on the values, so scaled values fit one rate for all models.
        scale = np.float32(targets.std() or 1.0)
        trainable[-1] = network.Layer(trainable[-1].weight / scale, trainable[-1].bias / scale)
        fitted = network.fit(trainable, inputs, targets / scale, "squares", seed)
        fitted[-1] = network.Layer(fitted[-1].weight * scale, fitted[-1].bias * scale)
        _write(weights, chain, fitted)
        tuned = True
    return tuned


def _flat(values: np.ndarray) -> np.ndarray:
    """Return values as rows, at most TUNING_ROWS of them."""
    rows = values.reshape(-1, values.shape[-1])
    chosen = np.linspace(0, len(rows) - 1, min(len(rows), TUNING_ROWS)).astype(np.int64)
    return rows[chosen]


def _write(weights: Weights, chain: Sequence[Dense], layers: Sequence[network.Layer]) -> None:
    for dense, layer in zip(chain, layers, strict=True):
        dense.write(weights, layer.weight, layer.bias)
