"""XGBoost and LightGBM as parts of scikit-learn's pipelines."""

from collections.abc import Iterable
from functools import cache
from typing import Any


@cache
def register() -> None:
    """Makes the boosters' scikit-learn classes known to skl2onnx, where they are installed."""
    from skl2onnx import update_registered_converter
    from skl2onnx.common.shape_calculator import (
        calculate_linear_classifier_output_shapes as of_classes,
    )
    from skl2onnx.common.shape_calculator import (
        calculate_linear_regressor_output_shapes as of_values,
    )

    options = {"nocl": [True, False], "zipmap": [True, False, "columns"]}
    try:
        from lightgbm import LGBMClassifier, LGBMRegressor
        from onnxmltools.convert.lightgbm.operator_converters.LightGbm import convert_lightgbm

        update_registered_converter(
            LGBMClassifier, "LightGbmLGBMClassifier", of_classes, convert_lightgbm, options=options
        )
        update_registered_converter(
            LGBMRegressor,
            "LightGbmLGBMRegressor",
            of_values,
            convert_lightgbm,
            options={"split": None},
        )
    # LightGBM needs the system's libgomp, whose absence is an OSError.
    except (ImportError, OSError):
        pass
    try:
        from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
        from xgboost import XGBClassifier, XGBRegressor

        update_registered_converter(
            XGBClassifier, "XGBoostXGBClassifier", of_classes, convert_xgboost, options=options
        )
        update_registered_converter(XGBRegressor, "XGBoostXGBRegressor", of_values, convert_xgboost)
    except ImportError:
        pass


def forget_names(parts: Iterable[Any]) -> None:
    """Takes the columns' names from XGBoost's models: the converter knows only f0, f1 and so on."""
    for part in parts:
        if type(part).__name__ in ("XGBClassifier", "XGBRegressor"):
            part.get_booster().feature_names = None
