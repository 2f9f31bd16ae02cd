"""From a trained scikit-learn model to the ONNX model that is judged, published and served."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from perennial_contracts.wire.run_plan import TrainingFailure

from ..data.features import Feature
from ..errors import StepError
from ..model.onnx_model import OnnxModel, SignatureError
from . import parity
from .sklearn_to_onnx import ConversionError, convert


def make_onnx(
    trained: Any, features: Sequence[Feature], rows: pd.DataFrame, *, missing: bool = True
) -> tuple[OnnxModel, parity.Parity]:
    """The model as ONNX, checked to say the same.

    Args:
        trained: a fitted scikit-learn classifier or regressor that takes clean rows.
        features: its inputs.
        rows: clean rows to check it on.
        missing: whether it is checked on rows with missing values that these do not have.

    Raises:
        StepError: ConversionFailed or ParityFailed.
    """
    labels = [str(label) for label in getattr(trained, "classes_", ())]
    try:
        model = OnnxModel(convert(trained, features), labels)
        return model, parity.check(model, trained, rows, missing=missing)
    except (ConversionError, SignatureError) as error:
        raise StepError(
            TrainingFailure.CONVERSION_FAILED, f"the model does not convert to ONNX: {error}"
        ) from error
    except parity.ParityError as error:
        raise StepError(TrainingFailure.PARITY_FAILED, str(error)) from error
