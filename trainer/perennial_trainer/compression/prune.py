"""Pruning: of trees and their depth, of channels and neurons, of single weights."""

import numpy as np
import onnx

from . import augment, channels, forests, neurons
from .graph import TREES, Weights, listed, operators, parse, serialize
from .method import NotApplicableError, Variant
from .samples import Samples, count, spread

SHARES = (0.5, 0.75)
"""Shares of neurons and channels to keep, the smaller first."""
WEIGHTS_KEPT = 0.5
ENOUGH_WEIGHTS = 1000
LEAST_ROWS = 50
"""Smallest number of rows for fine-tuning."""


def make(model: bytes, samples: Samples, seed: int) -> list[Variant]:
    """Return variants, the smallest first.

    Raises:
        NotApplicableError: if there is nothing to remove.
    """
    original = parse(model)
    if operators(original) & set(TREES):
        return forests.make(original, samples)
    variants = [
        variant for share in SHARES if (variant := _structured(original, share, samples, seed))
    ]
    if variants:
        return variants
    weights = Weights(original)
    large = {name: values for name, values in weights.floats().items() if values.ndim > 1}
    if sum(values.size for values in large.values()) < ENOUGH_WEIGHTS:
        raise NotApplicableError(
            "no hidden layers, channels or trees to remove; the model has "
            f"{listed(operators(original))}"
        )
    for name, values in large.items():
        limit = np.quantile(np.abs(values), 1 - WEIGHTS_KEPT)
        weights.write(name, np.where(np.abs(values) < limit, 0, values))
    return [Variant(serialize(original), f"{1 - WEIGHTS_KEPT:.0%} of the weights are zero")]


def _structured(
    original: onnx.ModelProto, share: float, samples: Samples, seed: int
) -> Variant | None:
    """Return the model with a share of its channels and neurons; None if it has none."""
    pruned = onnx.ModelProto()
    pruned.CopyFrom(original)
    changes = []
    for kind, (before, after) in (
        ("channels", channels.prune(pruned, share)),
        ("neurons", neurons.prune(pruned, share)),
    ):
        if after < before:
            changes.append(f"{after:,} of {before:,} {kind}")
    if not changes:
        return None
    del pruned.graph.value_info[:]
    rows = spread(samples.learn, augment.most_rows(samples.learn))
    tuned = count(rows) >= LEAST_ROWS and neurons.tune(
        pruned, original, augment.mixed(rows, seed), seed
    )
    tuning = "fine-tuned" if tuned else "not fine-tuned"
    return Variant(serialize(pruned), f"{' and '.join(changes)}, {tuning}")
