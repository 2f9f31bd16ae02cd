"""Tree ensembles in ONNX nodes (ai.onnx.ml 1 to 4): read and write."""

from typing import Any

import numpy as np
import onnx
from onnx import helper

from .graph import attribute
from .method import NotApplicableError
from .trees import LEAF, TreeEnsemble

MOST_WEIGHTS = 100_000_000
"""Limit of nodes times classes, which are held in memory."""


def read(node: onnx.NodeProto) -> TreeEnsemble:
    """Read the trees of a node.

    Raises:
        NotApplicableError: for a form of the operator that is not supported.
    """
    if node.op_type == "TreeEnsemble" or any(
        a.name.endswith("_as_tensor") and a.t.dims for a in node.attribute
    ):
        raise NotApplicableError(
            f"{node.op_type}: trees of ai.onnx.ml 5 or with doubles are not supported. Export the "
            "model with ai.onnx.ml 3"
        )
    kind = _kind(node)
    get = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    tree_ids, node_ids = np.array(get["nodes_treeids"]), np.array(get["nodes_nodeids"])
    positions = {
        pair: index for index, pair in enumerate(zip(*_lists(tree_ids, node_ids), strict=True))
    }
    modes = np.array([mode.decode() for mode in get["nodes_modes"]])
    leaf = modes == LEAF
    children = [
        np.array(
            [-1 if ends else positions[tree, child] for tree, child, ends in zip(
                tree_ids.tolist(), get[f"nodes_{side}nodeids"], leaf.tolist(), strict=True)]
        )
        for side in ("true", "false")
    ]  # fmt: skip
    ids, column = np.unique(np.array(get[f"{kind}_ids"]), return_inverse=True)
    if len(modes) * len(ids) > MOST_WEIGHTS:
        raise NotApplicableError(
            f"{len(modes):,} nodes times {len(ids)} classes are more than {MOST_WEIGHTS:,} weights"
        )
    weight = np.zeros((len(modes), len(ids)))
    owner = [
        positions[pair] for pair in zip(get[f"{kind}_treeids"], get[f"{kind}_nodeids"], strict=True)
    ]
    np.add.at(weight, (np.array(owner), column), np.array(get[f"{kind}_weights"], np.float64))
    _, first, inverse = np.unique(tree_ids, return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first))
    missing = get.get("nodes_missing_value_tracks_true") or [0] * len(modes)
    return TreeEnsemble(
        tree=order[inverse],
        left=children[0],
        right=children[1],
        feature=np.array(get["nodes_featureids"]),
        limit=np.array(get["nodes_values"], np.float32),
        mode=modes,
        missing=np.array(missing, bool),
        weight=weight,
        ids=ids,
    )


def write(node: onnx.NodeProto, trees: TreeEnsemble) -> None:
    """Replace the trees of a node, without weights of 0, which change no sum."""
    kind, leaf = _kind(node), trees.is_leaf
    starts = np.unique(trees.tree, return_index=True)[1]
    node_id = np.arange(len(trees.tree)) - starts[trees.tree]
    written = (trees.weight != 0) & leaf[:, None]
    # Each leaf and each class needs a weight: without one, the operator gives other outputs.
    written[leaf & ~written.any(axis=1), 0] = True
    written[np.flatnonzero(leaf)[0]] |= ~written.any(axis=0)
    owner, column = np.nonzero(written)
    made: dict[str, Any] = {
        "nodes_treeids": trees.tree,
        "nodes_nodeids": node_id,
        "nodes_featureids": np.where(leaf, 0, trees.feature),
        "nodes_values": np.where(leaf, 0, trees.limit).astype(np.float32),
        "nodes_modes": np.where(leaf, LEAF, trees.mode),
        "nodes_truenodeids": np.where(leaf, 0, node_id[trees.left]),
        "nodes_falsenodeids": np.where(leaf, 0, node_id[trees.right]),
        "nodes_missing_value_tracks_true": np.where(leaf, 0, trees.missing).astype(np.int64),
        f"{kind}_treeids": trees.tree[owner],
        f"{kind}_nodeids": node_id[owner],
        f"{kind}_ids": trees.ids[column],
        f"{kind}_weights": trees.weight[owner, column].astype(np.float32),
    }
    kept = [a for a in node.attribute if a.name not in made and a.name != "nodes_hitrates"]
    copies = [onnx.AttributeProto.FromString(a.SerializeToString()) for a in kept]
    copies += [helper.make_attribute(name, values.tolist()) for name, values in made.items()]
    del node.attribute[:]
    node.attribute.extend(sorted(copies, key=lambda a: str(a.name)))


def sums(node: onnx.NodeProto) -> bool:
    """Return whether the values of the trees are summed; else they are averaged."""
    aggregate = attribute(node, "aggregate_function", b"SUM")
    if aggregate not in (b"SUM", b"AVERAGE"):
        raise NotApplicableError(
            f"{node.op_type}: the {aggregate.decode()} of trees depends on all of them"
        )
    return bool(aggregate == b"SUM")


def _kind(node: onnx.NodeProto) -> str:
    return "class" if node.op_type == "TreeEnsembleClassifier" else "target"


def _lists(*arrays: np.ndarray) -> list[list[int]]:
    return [array.tolist() for array in arrays]
