"""What the training left: an ONNX model, or a scikit-learn model that is converted."""

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
from ..selection.search import SearchReport
from .artifact import make_onnx
from .safe_types import read_skops


@dataclass(frozen=True)
class Challenger:
    """The model that is judged."""

    model: OnnxModel
    candidate: str
    """Which kind won the search; empty where a trainer of one's own says nothing of it."""
    search: SearchReport | None


def load(
    output: Path, features: Sequence[Feature], classes: Sequence[str], rows: pd.DataFrame
) -> Challenger:
    """The model in OUTPUT, as ONNX; the converted one where it lies there as both.

    Args:
        output: the folder.
        features: what it must take.
        classes: the labels of the data; none where numbers are to be told.
        rows: clean rows that it must be able to answer.

    Raises:
        StepError: NoModel, WrongSignature, ConversionFailed or ParityFailed.
    """
    report = _report(output / SEARCH_FILE)
    candidate = report.trials[report.chosen].kind if report else ""
    if (output / MODEL_ONNX).is_file():
        return Challenger(_onnx(output / MODEL_ONNX, features, classes, rows), candidate, report)
    if (output / MODEL_SKOPS).is_file():
        model = _skops(output / MODEL_SKOPS, "classifier" if classes else "regressor")
        _check_columns(model, features)
        onnx, parity = make_onnx(model, features, rows, missing=_bears_gaps(model, rows, features))
        what = (
            f"{parity.same_labels:,} of {parity.rows:,} labels agree, probabilities"
            if classes
            else f"{parity.rows:,} numbers agree"
        )
        log(
            f"converted to ONNX, {len(onnx.data):,} bytes: {what} to "
            f"{parity.largest_difference:.1g}"
        )
        return Challenger(onnx, candidate, report)
    raise StepError(
        TrainingFailure.NO_MODEL,
        f"{output}: expected {MODEL_ONNX} or {MODEL_SKOPS} of the trainer, got "
        f"{', '.join(sorted(path.name for path in output.glob('*'))) or 'nothing'}",
    )


def _onnx(
    path: Path, features: Sequence[Feature], classes: Sequence[str], rows: pd.DataFrame
) -> OnnxModel:
    """A model from a trainer of one's own; its probabilities are in sorting order of the labels."""
    try:
        model = OnnxModel(path.read_bytes(), classes)
        if (model.kind == "Classification") != bool(classes):
            outputs = "outputs label and probabilities" if classes else "an output prediction"
            got = ", ".join(tensor.name for tensor in model.outputs)
            raise SignatureError(f"expected {outputs} (search.task), got {got}")
        taken = {feature.name: feature for feature in model.features}
        wanted = {feature.name: feature for feature in features}
        for name in sorted(wanted.keys() ^ taken.keys()):
            problem = "no such input" if name in wanted else "an input that is no feature"
            raise SignatureError(
                f"input {name}: expected one for each feature ({', '.join(wanted)}), got {problem}"
            )
        for name, feature in wanted.items():
            if feature.is_text != taken[name].is_text:
                kind = "texts (BYTES)" if feature.is_text else "numbers"
                raise SignatureError(f"input {name}: expected {kind}, got {taken[name].datatype}")
        answers = model.answer(rows, classes)
    except SignatureError as error:
        raise StepError(TrainingFailure.WRONG_SIGNATURE, f"{path.name}: {error}") from error
    if not classes:
        if not np.isfinite(answers.values).all():
            raise StepError(
                TrainingFailure.WRONG_SIGNATURE,
                f"{path.name}: expected a number for each row, got none in "
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
            f"{path.name}: expected types of scikit-learn, NumPy, SciPy, XGBoost and LightGBM "
            f"alone, got {', '.join(strange[:5])}, which could run anything. Leave {MODEL_ONNX} "
            "instead",
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
    learnt = getattr(model, "feature_names_in_", None)
    if learnt is None or sorted(map(str, learnt)) != sorted(names):
        got = "an array without names" if learnt is None else ", ".join(map(str, learnt))
        raise StepError(
            TrainingFailure.WRONG_SIGNATURE,
            f"{MODEL_SKOPS}: expected a model that was fitted on a data frame with the columns "
            f"{', '.join(names)}, got {got}",
        )


def _bears_gaps(model: Any, rows: pd.DataFrame, features: Sequence[Feature]) -> bool:
    """Whether the model takes a missing number; one that refuses it need not agree on it."""
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
    """What was tried, where the bundled search tells it; a trainer of one's own may write else."""
    try:
        report = SearchReport.model_validate_json(path.read_bytes())
        return report if 0 <= report.chosen < len(report.trials) else None
    except (OSError, ValidationError):
        return None
