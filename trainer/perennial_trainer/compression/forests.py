"""Pruning of tree ensembles: fewer trees, shallower trees, and lossless changes."""

import numpy as np
import onnx

from . import tree_nodes
from .graph import TREES, parse, serialize
from .method import Variant
from .running import run_to
from .samples import Samples, count, spread
from .trees import TreeEnsemble

SHARES = (0.125, 0.25, 0.5, 0.75)
"""Shares of the trees to keep."""
DEPTHS = (0.5, 0.75)
"""Shares of the depth of the deepest tree."""
LEAST_TREES = 4
LEAST_DEPTH = 4
ROWS = 1000
"""Number of rows to distinguish forests from boosted trees, and to count at nodes."""


def make(original: onnx.ModelProto, samples: Samples) -> list[Variant]:
    """Return variants of a model with tree ensembles, the smallest first.

    All of them lack weights of 0 and tests whose outcome does not matter, which changes no output.
    A sum over fewer trees is scaled up if the trees are alike, as in a forest, but not if each
    tree corrects the ones before it, as in boosting. The choice is the one that is closer to the
    sum of all trees on some rows.

    Raises:
        NotApplicableError: for trees that cannot be read or cut.
    """
    nodes = [node for node in original.graph.node if node.op_type in TREES]
    whole = [tree_nodes.read(node).tidied() for node in nodes]
    summed = [tree_nodes.sums(node) for node in nodes]
    rows = spread(samples.learn or samples.held_out, ROWS)
    total, deepest = sum(t.count for t in whole), max(len(t.levels()) - 1 for t in whole)
    seen = run_to(original, [node.input[0] for node in nodes], rows)
    made = [(_with(original, whole), f"all {total:,} trees, without redundant nodes")]
    if total >= LEAST_TREES:
        for share in SHARES:
            cut = [t.fewer(share) for t in whole]
            scale = [
                _scale(t, c, r.astype(np.float32)) if adds else 1.0
                for t, c, r, adds in zip(whole, cut, seen, summed, strict=True)
            ]
            few = [c.scaled(by) for c, by in zip(cut, scale, strict=True)]
            kept = sum(c.count for c in cut)
            made.append((_with(original, few), f"{kept:,} of {total:,} trees"))
    if deepest >= LEAST_DEPTH and count(samples.learn):
        passed = [t.passed(r.astype(np.float32)) for t, r in zip(whole, seen, strict=True)]
        for share in DEPTHS:
            depth = max(1, round(share * deepest))
            low = [t.shallower(depth, p) for t, p in zip(whole, passed, strict=True)]
            made.append((_with(original, low), f"trees of depth {depth} instead of {deepest}"))
    return [Variant(model, text) for model, text in sorted(made, key=lambda each: len(each[0]))]


def _with(original: onnx.ModelProto, cut: list[TreeEnsemble]) -> bytes:
    model = parse(original.SerializeToString())
    nodes = [node for node in model.graph.node if node.op_type in TREES]
    for node, each in zip(nodes, cut, strict=True):
        tree_nodes.write(node, each)
    return serialize(model)


def _scale(whole: TreeEnsemble, cut: TreeEnsemble, rows: np.ndarray) -> float:
    """Return the factor for the sum over fewer trees: the ratio of the counts, or 1."""
    ratio = whole.count / cut.count
    wanted, got = whole.sums(rows), cut.sums(rows)
    off_scaled = float(np.abs(got * ratio - wanted).mean())
    return ratio if off_scaled < float(np.abs(got - wanted).mean()) else 1.0
