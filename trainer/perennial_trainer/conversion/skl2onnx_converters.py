"""Converters that skl2onnx lacks: boosters, and missing values in trees.

``prepare_converters`` is called around each conversion. XGBoost and LightGBM are imported only if
a model contains them, because that takes seconds.

skl2onnx sends missing values (NaN) to the right at every node of a tree. For a forest that was
fitted with 20 % of NaN, 4 % of the labels were wrong. A scikit-learn tree stores their direction:
the better one for the training rows, or the larger side if there was no NaN
(sklearn/tree/_splitter.pyx).
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np
from onnx import NodeProto, helper

from .inspection import fitted_trees, parts

_PACKAGES = {
    "LGBMClassifier": "lightgbm", "LGBMRegressor": "lightgbm",
    "XGBClassifier": "xgboost", "XGBRegressor": "xgboost",
}  # fmt: skip
_CLASSIFIER_OPTIONS = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
"""Options of skl2onnx that the converter of a classifier must know."""
_TREES = ("DecisionTree", "ExtraTree", "RandomForest", "ExtraTrees")
_DIRECTIONS = "nodes_missing_value_tracks_true"


@contextmanager
def prepare_converters(model: Any) -> Iterator[None]:
    """Register the converters for a model's parts, and adapt XGBoost's models.

    XGBoost's models are changed until the end of the context: the converter only knows columns
    with the names f0, f1 and so on, and takes n_estimators as the number of rounds, which is wrong
    if the training was continued or stopped early. Afterwards the model predicts as before.

    Raises:
        ImportError: if there is a booster, and onnxmltools is not installed.
    """
    inner = list(parts(model))
    _register_trees()
    packages = {_package(part) for part in inner}
    if "lightgbm" in packages:
        _register_lightgbm()
    if "xgboost" in packages:
        _register_xgboost()
    found = [part for part in inner if _package(part) == "xgboost"]
    before = [(part.get_booster().feature_names, part.n_estimators) for part in found]
    try:
        for part in found:
            booster = part.get_booster()
            booster.feature_names = None
            part.n_estimators = booster.num_boosted_rounds() * (part.num_parallel_tree or 1)
        yield
    finally:
        for part, (names, count) in zip(found, before, strict=True):
            part.get_booster().feature_names, part.n_estimators = names, count


def part_options(model: Any) -> dict[int, dict[str, Any]]:
    """Return options of skl2onnx for the parts of a model, by the id of the part."""
    options: dict[int, dict[str, Any]] = {}
    for part in parts(model):
        if type(part).__name__ == "StandardScaler":
            # The default multiplies by the reciprocal, which rounds to other numbers.
            options[id(part)] = {"div": "div"}
        elif type(part).__name__ in ("TfidfVectorizer", "CountVectorizer"):
            # Images have no other locale.
            options[id(part)] = {"locale": "C.UTF-8"}
    return options


def _package(part: Any) -> str:
    """Return the package of a booster; empty for other models."""
    return _PACKAGES.get(type(part).__name__, "")


@cache
def _register_lightgbm() -> None:
    from lightgbm import LGBMClassifier, LGBMRegressor
    from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator

    update_registered_converter(
        LGBMClassifier,
        "LightGbmLGBMClassifier",
        shape_calculator.calculate_linear_classifier_output_shapes,
        convert_lightgbm,
        options=_CLASSIFIER_OPTIONS,
    )
    update_registered_converter(
        LGBMRegressor,
        "LightGbmLGBMRegressor",
        shape_calculator.calculate_linear_regressor_output_shapes,
        convert_lightgbm,
        options={"split": None},
    )


@cache
def _register_xgboost() -> None:
    from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
    from skl2onnx import update_registered_converter
    from skl2onnx.common import shape_calculator
    from xgboost import XGBClassifier, XGBRegressor

    update_registered_converter(
        XGBClassifier,
        "XGBoostXGBClassifier",
        shape_calculator.calculate_linear_classifier_output_shapes,
        convert_xgboost,
        options=_CLASSIFIER_OPTIONS,
    )
    update_registered_converter(
        XGBRegressor,
        "XGBoostXGBRegressor",
        shape_calculator.calculate_linear_regressor_output_shapes,
        convert_xgboost,
    )


@cache
def _register_trees() -> None:
    """Wrap the converters of trees and forests to write directions of missing values."""
    from skl2onnx.common._registration import get_converter, register_converter

    # Importing it registers them.
    from skl2onnx.operator_converters import decision_tree, random_forest  # noqa: F401

    for kind in _TREES:
        for task in ("Classifier", "Regressor"):
            name = f"Sklearn{kind}{task}"
            inner = get_converter(name)
            register_converter(
                name, _with_directions(inner), overwrite=True, options=inner.get_allowed_options()
            )


def _with_directions(inner: Any) -> Callable[[Any, Any, Any], None]:
    def convert(scope: Any, operator: Any, container: Any) -> None:
        before = len(container.nodes)
        inner(scope, operator, container)
        trees = fitted_trees(operator.raw_operator)
        for node in container.nodes[before:]:
            if node.op_type.startswith("TreeEnsemble"):
                _write_directions(node, trees)

    return convert


def _write_directions(node: NodeProto, trees: list[Any]) -> None:
    """Write the directions of missing values in ``trees`` into their ONNX node."""
    found = {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
    fitted = [tree.__getstate__()["nodes"] for tree in trees]
    if not all("missing_go_to_left" in (nodes.dtype.names or ()) for nodes in fitted):
        return
    directions = [
        int(fitted[tree]["missing_go_to_left"][index] and mode != b"LEAF")
        for tree, index, mode in zip(
            found["nodes_treeids"], found["nodes_nodeids"], found["nodes_modes"], strict=True
        )
    ]
    for index, attribute in enumerate(node.attribute):
        if attribute.name == _DIRECTIONS:
            del node.attribute[index]
            break
    node.attribute.append(
        helper.make_attribute(_DIRECTIONS, np.array(directions, np.int64).tolist())
    )
