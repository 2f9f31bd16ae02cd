"""Readers of scikit-learn's files: skops with allowed types, trusted pickles."""

from pathlib import Path
from typing import Any

import joblib
import skops.io

from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .converted import TRUSTED_OPTION

TRUSTED = (
    "collections.OrderedDict",
    "lightgbm.basic.Booster",
    "lightgbm.sklearn.LGBMClassifier",
    "lightgbm.sklearn.LGBMRegressor",
    "numpy.dtype",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
    "xgboost.core.Booster",
    "xgboost.sklearn.XGBClassifier",
    "xgboost.sklearn.XGBRegressor",
)
"""Types that skops does not trust by default; they contain numbers and run nothing.

The list never depends on the file, which may come from anybody.
"""
_SHOWN = 5


def read_skops(path: Path) -> tuple[Any, list[str]]:
    """Return a model, or the types that prevent loading it. Nothing in the file runs.

    Raises:
        Exception: of any type, from skops, for a file that it cannot read.
    """
    strange = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
    return (None if strange else skops.io.load(path, trusted=list(TRUSTED))), strange


def load_skops(path: Path) -> Any:
    """Return a model that ``skops.io.dump`` wrote. Nothing in it runs.

    Raises:
        StepError: UntrustedModel, ConversionFailed.
    """
    try:
        model, strange = read_skops(path)
    except Exception as error:
        raise _unreadable(path, error) from error
    if not strange:
        return model
    hint = "Remove these steps, or convert the model to ONNX yourself"
    if "sklearn.utils.validation.check_array" in strange:
        hint += (
            ". categorical_features of HistGradientBoosting need such types, and convert wrongly"
        )
    raise StepError(
        TrainingFailure.UNTRUSTED_MODEL,
        f"{path.name}: expected only types of scikit-learn, NumPy, SciPy, XGBoost and LightGBM, "
        f"got {', '.join(strange[:_SHOWN])}, which could run any code. Nothing was loaded",
        hint=hint,
    )


def load_pickle(path: Path, trusted: bool) -> Any:
    """Return a model that joblib or pickle wrote.

    Raises:
        StepError: UntrustedModel if the user does not trust the file, and then nothing is read;
            ConversionFailed.
    """
    if not trusted:
        raise StepError(
            TrainingFailure.UNTRUSTED_MODEL,
            f"{path.name} is a pickle, and reading it can run any code. Nothing was loaded",
            field=TRUSTED_OPTION,
            hint="Save the model with skops.io.dump instead, or set this if you trust the file",
        )
    try:
        return joblib.load(path)
    except Exception as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> StepError:
    text = (str(error).strip().splitlines() or [""])[0][:500]
    return StepError(
        TrainingFailure.CONVERSION_FAILED,
        f"{path.name}: cannot be read: {type(error).__name__}: {text}",
    )
