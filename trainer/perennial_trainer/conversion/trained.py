"""The model that a trainer wrote: ONNX, or a scikit-learn model that is converted."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import ValidationError
from sklearn.base import is_regressor

from perennial_contracts.wire.run_plan import MODEL_ONNX, MODEL_SKOPS, SEARCH_FILE, TrainingFailure

from ..data.features import Feature
from ..errors import StepError
from ..log import log
from ..model.onnx_model import OnnxModel, SignatureError
from ..selection.report import SearchReport
from .safe_types import read_skops
from .sklearn_to_onnx import make_onnx


@dataclass(frozen=True)
class TrainedModel:
    """The model of a run, before it is judged."""

    model: OnnxModel
    candidate: str
    """Kind of the chosen candidate; empty if a custom trainer does not report it."""
    search: SearchReport | None


def load(
    output: Path, features: Sequence[Feature], classes: Sequence[str], rows: pd.DataFrame
) -> TrainedModel:
    """Return the model in a folder as ONNX.

    An ONNX file takes precedence over a skops file.

    Args:
        output: the folder.
        features: the inputs that it must have.
        classes: the labels of the data; empty for a regression.
        rows: clean rows that it must accept.

    Raises:
        StepError: NoModel, WrongSignature, ConversionFailed or ParityFailed.
    """
    report = _report(output / SEARCH_FILE)
    candidate = report.trials[report.chosen].kind if report else ""
    if (output / MODEL_ONNX).is_file():
        return TrainedModel(_onnx(output / MODEL_ONNX, features, classes, rows), candidate, report)
    if (output / MODEL_SKOPS).is_file():
        model = _skops(output / MODEL_SKOPS, "classifier" if classes else "regressor")
        _check_columns(model, features)
        missing = _accepts_missing(model, rows, features)
        onnx, parity = make_onnx(model, features, rows, missing=missing)
        agreement = (
            f"{parity.same_labels:,} of {parity.rows:,} labels agree, probabilities"
            if classes
            else f"{parity.rows:,} numbers agree"
        )
        log(
            f"converted to ONNX, {len(onnx.data):,} bytes: {agreement} to "
            f"{parity.largest_difference:.1g}"
        )
        return TrainedModel(onnx, candidate, report)
    raise StepError(
        TrainingFailure.NO_MODEL,
        f"{output}: expected {MODEL_ONNX} or {MODEL_SKOPS} from the trainer, got "
        f"{', '.join(sorted(path.name for path in output.glob('*'))) or 'nothing'}",
    )


def _onnx(
    path: Path, features: Sequence[Feature], classes: Sequence[str], rows: pd.DataFrame
) -> OnnxModel:
    """Check an ONNX model of a custom trainer. Its classes are the sorted labels."""
    try:
        model = OnnxModel(path.read_bytes(), classes)
        if (model.kind == "Classification") != bool(classes):
            outputs = "outputs label and probabilities" if classes else "an output prediction"
            got = ", ".join(tensor.name for tensor in model.outputs)
            raise SignatureError(f"expected {outputs} (search.task), got {got}")
        taken = {feature.name: feature for feature in model.features}
        wanted = {feature.name: feature for feature in features}
        for name in sorted(wanted.keys() ^ taken.keys()):
            problem = "no such input" if name in wanted else "an input that is not a feature"
            raise SignatureError(
                f"input {name}: expected one for each feature ({', '.join(wanted)}), got {problem}"
            )
        for name, feature in wanted.items():
            if feature.is_text != taken[name].is_text:
                kind = "texts (BYTES)" if feature.is_text else "numbers"
                raise SignatureError(f"input {name}: expected {kind}, got {taken[name].datatype}")
        answers = model.predict(rows, classes)
    except SignatureError as error:
        raise StepError(TrainingFailure.WRONG_SIGNATURE, f"{path.name}: {error}") from error
    if not classes:
        if not np.isfinite(answers.values).all():
            raise StepError(
                TrainingFailure.WRONG_SIGNATURE,
                f"{path.name}: expected a number for each row, got none for "
                f"{int((~np.isfinite(answers.values)).sum())} of {len(rows)} rows",
            )
        return model
    likeliest = np.array(classes, object)[answers.probabilities.argmax(axis=1)]
    agree = float((likeliest == answers.labels).mean())
    if agree < 0.5 or not np.isfinite(answers.probabilities).all():
        raise StepError(
            TrainingFailure.WRONG_SIGNATURE,
            f"{path.name}: expected a probability for each of {', '.join(classes)}, in this order; "
            f"the label is the likeliest of them in {agree:.0%} of {len(rows)} rows",
        )
    return model


def _skops(path: Path, wanted: str) -> Any:
    try:
        model, strange = read_skops(path)
    except Exception as error:
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"{path.name}: cannot be read: {type(error).__name__}: {error}",
        ) from error
    if strange:
        raise StepError(
            TrainingFailure.CONVERSION_FAILED,
            f"{path.name}: expected only types of scikit-learn, NumPy, SciPy, XGBoost and "
            f"LightGBM, got {', '.join(strange[:5])}, which could run any code",
            hint=f"Write {MODEL_ONNX} instead",
        )
    fits = (
        hasattr(model, "predict_proba") and hasattr(model, "classes_")
        if wanted == "classifier"
        else is_regressor(model)
    )
    if not fits:
        detail = " with predict_proba" if wanted == "classifier" else " (search.task)"
        raise StepError(
            TrainingFailure.WRONG_SIGNATURE,
            f"{path.name}: expected a fitted {wanted}{detail}, got {type(model).__name__}",
        )
    return model


def _check_columns(model: Any, features: Sequence[Feature]) -> None:
    names = [feature.name for feature in features]
    fitted = getattr(model, "feature_names_in_", None)
    if fitted is None or sorted(map(str, fitted)) != sorted(names):
        got = "an array without names" if fitted is None else ", ".join(map(str, fitted))
        raise StepError(
            TrainingFailure.WRONG_SIGNATURE,
            f"{MODEL_SKOPS}: expected a model that was fitted on a data frame with the columns "
            f"{', '.join(names)}, got {got}",
        )


def _accepts_missing(model: Any, rows: pd.DataFrame, features: Sequence[Feature]) -> bool:
    """Return whether the model accepts a missing number; else no agreement is needed."""
    probe = rows.head(1).copy()
    for feature in features:
        if not feature.is_text:
            probe[feature.name] = np.float32(np.nan)
    try:
        model.predict(probe)
    except ValueError:
        return False
    return True


def _report(path: Path) -> SearchReport | None:
    """Return the report of the bundled search; None if a custom trainer wrote another."""
    try:
        report = SearchReport.model_validate_json(path.read_bytes())
        return report if 0 <= report.chosen < len(report.trials) else None
    except (OSError, ValidationError):
        return None
