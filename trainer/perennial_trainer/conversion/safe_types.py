"""Reading scikit-learn's models: skops with an allow-list, pickles only where they are trusted."""

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
"""Types that skops does not trust by itself; they hold numbers and run nothing.

Never what a file says of itself: the file may come from anybody."""
_SHOWN = 5


def read_skops(path: Path) -> tuple[Any, list[str]]:
    """A model, or else the types for which it is not loaded. Nothing in the file is run.

    Raises:
        Exception: whatever skops raises for a file that it cannot read.
    """
    strange = sorted(set(skops.io.get_untrusted_types(file=path)) - set(TRUSTED))
    return (None if strange else skops.io.load(path, trusted=list(TRUSTED))), strange


def load_skops(path: Path) -> Any:
    """A model that ``skops.io.dump`` wrote. Nothing in it is run.

    Raises:
        StepError: UntrustedModel, ConversionFailed.
    """
    try:
        model, strange = read_skops(path)
    except Exception as error:
        raise _unreadable(path, error) from error
    if not strange:
        return model
    hint = ""
    if "sklearn.utils.validation.check_array" in strange:
        hint = ". HistGradientBoosting's categorical_features bring some: they convert wrongly"
    raise StepError(
        TrainingFailure.UNTRUSTED_MODEL,
        f"{path.name}: expected types of scikit-learn, NumPy, SciPy, XGBoost and LightGBM alone, "
        f"got {', '.join(strange[:_SHOWN])}, which could run anything. Nothing was loaded. Leave "
        f"these steps out, or convert the model to ONNX yourself{hint}",
    )


def load_pickle(path: Path, trusted: bool) -> Any:
    """A model that joblib or pickle wrote.

    Raises:
        StepError: UntrustedModel where nobody said that it is trusted: nothing is read then.
            ConversionFailed.
    """
    if not trusted:
        raise StepError(
            TrainingFailure.UNTRUSTED_MODEL,
            f"{path.name} is a pickle, and to read it can run any code. Nothing was loaded",
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
