"""Your own trainer: add trees to those of the served model."""

import json
import os
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd
import skops.io
import xgboost
from onnxmltools.convert.xgboost.operator_converters.XGBoost import convert_xgboost
from skl2onnx import convert_sklearn, update_registered_converter
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from skl2onnx.common.shape_calculator import calculate_linear_classifier_output_shapes
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

INPUT = Path(os.environ.get("PERENNIAL_INPUT", "/perennial/input"))
OUTPUT = Path(os.environ.get("PERENNIAL_OUTPUT", "/perennial/output"))
CHAMPION = INPUT / "champion" / "extra"
TREES, MOST_TREES = 100, 1000


def main() -> None:
    """Train, check and save a model."""
    plan = json.loads((INPUT / "plan.json").read_text())
    rows = pd.read_parquet(INPUT / "train.parquet")
    labels = rows.pop(plan["data"]["label"])
    classes = sorted(set(labels))

    columns, booster = load_champion(rows, classes)
    if columns is None:
        columns = fit_columns(rows)
    model = xgboost.XGBClassifier(
        n_estimators=TREES,
        learning_rate=0.1,
        max_depth=4,
        n_jobs=1,
        random_state=plan["search"]["seed"],
    )
    model.fit(columns.transform(rows), np.searchsorted(classes, labels), xgb_model=booster)
    # The converter reads this as the number of all trees.
    model.set_params(n_estimators=model.get_booster().num_boosted_rounds())
    print(f"{model.n_estimators} trees, {TREES} of them on {len(rows)} rows")

    save(columns, model, rows, classes)


def load_champion(rows, classes):
    """Return columns and trees of the served model if it has them and fits the data."""
    if not (CHAMPION / "trees.ubj").exists():
        return None, None
    kept = skops.io.load(CHAMPION / "columns.skops", trusted=["numpy.dtype"])
    booster = xgboost.Booster(model_file=CHAMPION / "trees.ubj")
    fits = list(kept["columns"].feature_names_in_) == list(rows) and kept["classes"] == classes
    if not fits or booster.num_boosted_rounds() + TREES > MOST_TREES:
        return None, None
    return kept["columns"], booster


def fit_columns(rows):
    """Fit an encoder: one-hot texts, all 0 for unknown values, and unchanged numbers."""
    texts = [name for name in rows if not pd.api.types.is_numeric_dtype(rows[name])]
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    columns = ColumnTransformer([("texts", encoder, texts)], remainder="passthrough")
    return columns.fit(rows)


def save(columns, model, rows, classes):
    """Save the model as ONNX, and the files for the next run."""
    update_registered_converter(
        xgboost.XGBClassifier,
        "XGBClassifier",
        calculate_linear_classifier_output_shapes,
        convert_xgboost,
        options={"nocl": [True, False], "zipmap": [True, False, "columns"]},
    )
    inputs = [
        (name, FloatTensorType([None, 1]) if kind.kind == "f" else StringTensorType([None, 1]))
        for name, kind in rows.dtypes.items()
    ]
    pipeline = Pipeline([("columns", columns), ("trees", model)])
    onnx = convert_sklearn(
        pipeline,
        initial_types=inputs,
        options={"zipmap": False},
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    check(onnx.SerializeToString(), pipeline, rows.head(200))
    OUTPUT.joinpath("extra").mkdir(parents=True, exist_ok=True)
    (OUTPUT / "model.onnx").write_bytes(onnx.SerializeToString())
    model.get_booster().save_model(OUTPUT / "extra" / "trees.ubj")
    skops.io.dump({"columns": columns, "classes": classes}, OUTPUT / "extra" / "columns.skops")


def check(onnx, pipeline, rows):
    """Check that ONNX gives the same scores; a conversion can fail without an error."""
    session = onnxruntime.InferenceSession(onnx)
    types = {True: np.float32, False: object}
    feed = {
        name: column.to_numpy(types[pd.api.types.is_numeric_dtype(column)])[:, None]
        for name, column in rows.items()
    }
    (scores,) = session.run(["probabilities"], feed)
    np.testing.assert_allclose(scores, pipeline.predict_proba(rows), atol=1e-4)


if __name__ == "__main__":
    main()
