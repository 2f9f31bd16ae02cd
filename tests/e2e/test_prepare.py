"""From a framework's artifact to a served model, on the real cluster."""

import json
import os
import pickle
import urllib.request
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import obstore
import pandas as pd
import pytest
import skops.io
import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from support.cluster import BUCKET, Namespace

pytestmark = pytest.mark.cluster

PATIENCE = 240.0


class _Payload:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("true",)


@pytest.fixture
def fitted() -> tuple[LogisticRegression, pd.DataFrame]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {"wind": random.normal(size=200), "delay": random.normal(size=200)}, dtype=np.float32
    )
    return LogisticRegression().fit(frame, (frame["wind"] > frame["delay"]).astype(int)), frame


def put(namespace: Namespace, name: str, data: bytes) -> str:
    path = f"{namespace.name}/raw/{name}"
    obstore.put(namespace.cluster.store, path, data)
    return f"s3://{BUCKET}/{path}"


def packaging(namespace: Namespace) -> dict[str, Any]:
    return {"output": {"uri": f"s3://{BUCKET}/{namespace.name}/bundles"}}


def ask(namespace: Namespace, name: str, tensors: dict[str, np.ndarray]) -> dict[str, Any]:
    inputs = [
        {"name": tensor, "datatype": "FP32", "shape": rows.shape, "data": rows.ravel().tolist()}
        for tensor, rows in tensors.items()
    ]
    request = urllib.request.Request(
        f"http://{namespace.address(name)}/v2/models/{name}/infer",
        data=json.dumps({"inputs": inputs}).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        outputs = json.load(answer)["outputs"]
    return {output["name"]: output["data"] for output in outputs}


def columns(frame: pd.DataFrame) -> dict[str, np.ndarray]:
    return {name: frame[[name]].to_numpy() for name in frame.columns}


def test_a_scikit_learn_model_is_detected_converted_and_answers_alike(
    namespace: Namespace, fitted: tuple[LogisticRegression, pd.DataFrame]
) -> None:
    model, frame = fitted
    uri = put(namespace, "model.skops", skops.io.dumps(model))
    namespace.deploy("delays", uri, packaging=packaging(namespace))
    found = namespace.wait_complete("delays", PATIENCE)
    resolution = found["status"]["resolution"]
    assert resolution["format"] == "SkLearn"
    assert resolution["uri"].startswith(f"s3://{BUCKET}/{namespace.name}/bundles/")
    answer = ask(namespace, "delays", columns(frame.head(20)))
    expected = model.predict_proba(frame.head(20)).ravel()
    assert np.allclose(answer["probabilities"], expected, atol=1e-4)

    # A pickle that nobody trusts takes the place of nothing.
    bad = put(namespace, "model.pkl", pickle.dumps(_Payload()))
    namespace.patch("mdep", "delays", {"spec": {"model": {"uri": bad, "format": "SkLearn"}}})
    condition = namespace.wait_for("delays", "ModelResolved", "UntrustedModel", "False", PATIENCE)
    assert "spec.packaging.trusted" in condition["message"] or "trusted" in condition["message"]
    assert ask(namespace, "delays", columns(frame.head(1)))["label"]


def test_an_artifact_without_packaging_gets_a_message_with_the_fix(
    namespace: Namespace, fitted: tuple[LogisticRegression, pd.DataFrame]
) -> None:
    uri = put(namespace, "model.skops", skops.io.dumps(fitted[0]))
    namespace.deploy("delays", uri)
    condition = namespace.wait_for("delays", "ModelResolved", "NeedsPackaging", "False", PATIENCE)
    assert "spec.packaging.output.uri" in condition["message"]


@pytest.mark.parametrize("format_", ["XGBoost", "LightGBM"])
def test_a_booster_is_detected_converted_and_answers_alike(
    namespace: Namespace, tmp_path: Path, format_: str
) -> None:
    rows, truth = load_breast_cancer(return_X_y=True)
    rows, file = rows.astype(np.float32), tmp_path / "model"
    if format_ == "XGBoost":
        model = xgboost.XGBClassifier(n_estimators=20).fit(rows, truth)
        model.save_model(file.with_suffix(".ubj"))
        file = file.with_suffix(".ubj")
    else:
        model = lightgbm.LGBMClassifier(n_estimators=20, verbose=-1).fit(rows, truth)
        model.booster_.save_model(file)
    uri = put(namespace, file.name, file.read_bytes())
    namespace.deploy("cancer", uri, packaging=packaging(namespace))
    found = namespace.wait_complete("cancer", PATIENCE)
    assert found["status"]["resolution"]["format"] == format_
    answer = ask(namespace, "cancer", {"input": rows[:50]})
    expected = model.predict_proba(rows[:50]).ravel()
    assert np.allclose(answer["probabilities"], expected, atol=1e-4)
