"""Small models in each format: do they convert, agree, how big and how fast are they then.

    python -m benchmarks.formats

The formats that need TensorFlow or PyTorch are listed as not measured here.
"""

import json
import tempfile
import time
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import onnxruntime
import skops.io
import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import HistGradientBoostingClassifier

from perennial_trainer import formats
from perennial_trainer.errors import StepError

RESULT = Path("build/benchmarks/formats.json")
CALLS = 500


def make(folder: Path) -> dict[str, Path]:
    """Trains a model in each format; the files."""
    x, y = load_breast_cancer(return_X_y=True)
    model = HistGradientBoostingClassifier(max_iter=50, random_state=0).fit(x, y)
    skops.io.dump(model, folder / "m.skops")
    xgboost.XGBClassifier(n_estimators=50).fit(x, y).save_model(folder / "m.json")
    data = lightgbm.Dataset(x, y)
    lightgbm.train({"objective": "binary", "verbose": -1}, data, 50).save_model(folder / "m.txt")
    converted = formats.convert(folder / "m.skops", None, formats.ConvertOptions())
    (folder / "m.onnx").write_bytes(converted.model)
    names = {"SkLearn": "m.skops", "XGBoost": "m.json", "LightGBM": "m.txt", "Onnx": "m.onnx"}
    return {format_: folder / name for format_, name in names.items()}


def measure(path: Path) -> dict[str, Any]:
    """What the table says of a file; microseconds for one row, one thread."""
    try:
        converted = formats.convert(path, None, formats.ConvertOptions())
        samples = formats.draw(converted)
        facts = formats.check(converted, samples)
    except StepError as error:
        return {"converts": False, "message": error.message}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(converted.model, options)
    row = {name: values[:1] for name, values in samples[0].items()}
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        session.run(None, row)
        took.append(time.perf_counter() - began)
    return {
        "converts": True,
        "agreement": facts.agreement,
        "maxDifference": facts.max_difference,
        "bytes": len(converted.model),
        "p95Microseconds": round(float(np.percentile(took, 95)) * 1e6, 1),
    }


def main() -> None:
    """Prints the table and leaves it as JSON."""
    with tempfile.TemporaryDirectory() as folder:
        table = {name: measure(path) for name, path in make(Path(folder)).items()}
    for name in ("Keras", "SavedModel", "TFLite", "PyTorch", "MLflow"):
        table[name] = {"converts": None, "message": "not measured here"}
    for name, row in table.items():
        print(f"{name:<11}", *(f"{key}={value}" for key, value in row.items()), sep="  ")
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
