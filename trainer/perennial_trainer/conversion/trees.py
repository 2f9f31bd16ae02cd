"""Which way scikit-learn's trees and forests send missing values (NaN), kept in ONNX.

skl2onnx sends them to the right at every node (of a forest that was fitted with 20 % of NaN, 4 % of
the labels were others). A tree knows better: which way did more good, or, where it met none, to the
larger side (sklearn/tree/_splitter.pyx).
"""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from onnx import NodeProto, helper

from .refusals import fitted_trees

_KINDS = ("DecisionTree", "ExtraTree", "RandomForest", "ExtraTrees")
_WAYS = "nodes_missing_value_tracks_true"


@cache
def keep_missing() -> None:
    """Makes skl2onnx's converters of trees and forests write the ways of missing values."""
    from skl2onnx.common._registration import get_converter, register_converter

    # Importing it registers them.
    from skl2onnx.operator_converters import decision_tree, random_forest  # noqa: F401

    for kind in _KINDS:
        for task in ("Classifier", "Regressor"):
            name = f"Sklearn{kind}{task}"
            inner = get_converter(name)
            register_converter(
                name, _keeping(inner), overwrite=True, options=inner.get_allowed_options()
            )


def _keeping(inner: Any) -> Callable[[Any, Any, Any], None]:
    def convert(scope: Any, operator: Any, container: Any) -> None:
        before = len(container.nodes)
        inner(scope, operator, container)
        trees = fitted_trees(operator.raw_operator)
        for node in container.nodes[before:]:
            if node.op_type.startswith("TreeEnsemble"):
                _write(node, trees)

    return convert


def _write(node: NodeProto, trees: list[Any]) -> None:
    """Writes where the nodes of ``trees`` send missing values into the ONNX node made of them."""
    found = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    learnt = [tree.__getstate__()["nodes"] for tree in trees]
    if not all("missing_go_to_left" in (nodes.dtype.names or ()) for nodes in learnt):
        return
    ways = [
        int(learnt[tree]["missing_go_to_left"][place] and mode != b"LEAF")
        for tree, place, mode in zip(
            found["nodes_treeids"], found["nodes_nodeids"], found["nodes_modes"], strict=True
        )
    ]
    for at, one in enumerate(node.attribute):
        if one.name == _WAYS:
            del node.attribute[at]
            break
    node.attribute.append(helper.make_attribute(_WAYS, np.array(ways, np.int64).tolist()))
