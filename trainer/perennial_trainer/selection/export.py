"""A candidate as ONNX, so that its cost can be measured."""

import warnings
from collections.abc import Sequence
from typing import Any

from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.base import is_classifier
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from ..convert import OPSETS, convert
from ..features import Feature


def to_onnx(pipeline: Pipeline, features: Sequence[Feature]) -> bytes:
    """The file of a fitted candidate.

    Raises:
        Exception: whatever the converters raise.
    """
    if is_classifier(pipeline):
        return convert(pipeline, features)
    inputs = [
        (feature.name, (StringTensorType if feature.is_text else FloatTensorType)([None, 1]))
        for feature in features
    ]
    options: dict[int, dict[str, Any]] = {
        id(part): {"div": "div"} for part in _scalers(pipeline.named_steps["columns"])
    }
    with warnings.catch_warnings():
        # skl2onnx writes booleans where integers belong: fine up to protobuf 6.
        warnings.filterwarnings("ignore", "Field onnx.AttributeProto.ints", DeprecationWarning)
        model = convert_sklearn(
            pipeline, name="model", initial_types=inputs, target_opset=OPSETS, options=options
        )
    return bytes(model.SerializeToString(deterministic=True))


def _scalers(columns: Any) -> list[StandardScaler]:
    steps = [step for _, part, _ in columns.transformers_ for _, step in getattr(part, "steps", [])]
    return [step for step in steps if isinstance(step, StandardScaler)]
