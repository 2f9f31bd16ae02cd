"""XGBoost and LightGBM as parts of scikit-learn's pipelines.

Nothing of them is imported before a model has one: that takes seconds.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

_PACKAGES = {
    "LGBMClassifier": "lightgbm", "LGBMRegressor": "lightgbm",
    "XGBClassifier": "xgboost", "XGBRegressor": "xgboost",
}  # fmt: skip
_OF_CLASSES = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
"""Options of skl2onnx that a classifier's converter must know."""


@contextmanager
def convertible(parts: Sequence[Any]) -> Iterator[None]:
    """Makes the boosters among a model's parts known to skl2onnx, and such as it understands.

    XGBoost's are changed for as long as this lasts: the converter knows no columns but f0, f1 and
    so on, and takes n_estimators for all rounds, which it is not of a model whose training was
    continued or stopped early. After it the model predicts as before.
    """
    register(parts)
    found = [part for part in parts if _package(part) == "xgboost"]
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


def register(parts: Iterable[Any]) -> None:
    """Tells skl2onnx of the converters for the boosters among a model's parts.

    Raises:
        ImportError: where there is a booster, and onnxmltools is not installed.
    """
    packages = {_package(part) for part in parts}
    if "lightgbm" in packages:
        _register_lightgbm()
    if "xgboost" in packages:
        _register_xgboost()


def _package(part: Any) -> str:
    """Which booster a part is; empty for anything else."""
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
        options=_OF_CLASSES,
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
        options=_OF_CLASSES,
    )
    update_registered_converter(
        XGBRegressor,
        "XGBoostXGBRegressor",
        shape_calculator.calculate_linear_regressor_output_shapes,
        convert_xgboost,
    )
