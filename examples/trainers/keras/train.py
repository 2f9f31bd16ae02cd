"""Your own trainer: continue training the served network on new rows."""

import json
import os
import tempfile
from pathlib import Path

import keras
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import skops.io
from skl2onnx import convert_sklearn
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

INPUT = Path(os.environ.get("PERENNIAL_INPUT", "/perennial/input"))
OUTPUT = Path(os.environ.get("PERENNIAL_OUTPUT", "/perennial/output"))
CHAMPION = INPUT / "champion" / "extra"
# A label may be the index of its class.
TAIL = """<ir_version: 10, opset_import: ["" : 18]>
tail (float[rows, classes] scores) => (int64[rows] label, float[rows, classes] probabilities) {
    label = ArgMax<axis = 1, keepdims = 0>(scores)
    probabilities = Identity(scores)
}"""


def main() -> None:
    """Train, check and save a model."""
    plan = json.loads((INPUT / "plan.json").read_text())
    keras.utils.set_random_seed(plan["search"]["seed"])
    rows = pd.read_parquet(INPUT / "train.parquet")
    labels = rows.pop(plan["data"]["label"])
    classes = sorted(set(labels))

    columns, network = load_champion(rows, classes) or create_network(rows, classes)
    network.compile(keras.optimizers.Adam(1e-3), loss="sparse_categorical_crossentropy")
    network.fit(columns.transform(rows), np.searchsorted(classes, labels), epochs=10, verbose=2)

    model = join(columns, network, rows)
    check(model, columns, network, rows.head(200))
    (OUTPUT / "extra").mkdir(parents=True, exist_ok=True)
    onnx.save(model, OUTPUT / "model.onnx")
    network.save(OUTPUT / "extra" / "model.keras")
    skops.io.dump({"columns": columns, "classes": classes}, OUTPUT / "extra" / "columns.skops")


def load_champion(rows, classes):
    """Return columns and network of the served model if it has them and fits the data."""
    if not (CHAMPION / "model.keras").exists():
        return None
    kept = skops.io.load(CHAMPION / "columns.skops", trusted=["numpy.dtype"])
    if list(kept["columns"].feature_names_in_) != list(rows) or kept["classes"] != classes:
        return None
    print("Continue with the served network.")
    return kept["columns"], keras.saving.load_model(CHAMPION / "model.keras", compile=False)


def create_network(rows, classes):
    """Create an encoder of the columns (scaled numbers, one-hot texts) and a network."""
    print("Start with a new network.")
    texts = [name for name in rows if not pd.api.types.is_numeric_dtype(rows[name])]
    numbers = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    encoder = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    columns = ColumnTransformer([("texts", encoder, texts)], remainder=numbers).fit(rows)
    width = columns.transform(rows.head(1)).shape[1]
    hidden = [keras.layers.Dense(32, activation="relu") for _ in range(2)]
    last = keras.layers.Dense(len(classes), activation="softmax")
    return columns, keras.Sequential([keras.Input((width,)), *hidden, last])


def join(columns, network, rows):
    """Join columns, network and label into one ONNX model."""
    inputs = [
        (name, FloatTensorType([None, 1]) if kind.kind == "f" else StringTensorType([None, 1]))
        for name, kind in rows.dtypes.items()
    ]
    first = convert_sklearn(columns, initial_types=inputs, target_opset=18)
    with tempfile.TemporaryDirectory() as folder:
        network.export(f"{folder}/network.onnx", format="onnx", opset_version=18, verbose=False)
        second = onnx.compose.add_prefix(onnx.load(f"{folder}/network.onnx"), "network/")
    whole, *others = parts = [first, second, onnx.parser.parse_model(TAIL)]
    for part in parts:  # each has the least version that it needs
        part.ir_version = parts[-1].ir_version
        part.ClearField("opset_import")
        part.opset_import.extend(map(onnx.helper.make_opsetid, ("", "ai.onnx.ml"), (18, 2)))
    for part in others:
        mapping = [(whole.graph.output[0].name, part.graph.input[0].name)]
        whole = onnx.compose.merge_models(whole, part, io_map=mapping)
    return whole


def check(model, columns, network, rows):
    """Check that ONNX gives the same scores; a conversion can fail without an error."""
    session = onnxruntime.InferenceSession(model.SerializeToString())
    types = {True: np.float32, False: object}
    feed = {
        name: column.to_numpy(types[pd.api.types.is_numeric_dtype(column)])[:, None]
        for name, column in rows.items()
    }
    (scores,) = session.run(["probabilities"], feed)
    np.testing.assert_allclose(
        scores, network.predict(columns.transform(rows), verbose=0), atol=1e-4
    )


if __name__ == "__main__":
    main()
