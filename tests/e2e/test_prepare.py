"""From what a framework saved to a model that answers, on the real cluster."""

import json
import os
import pickle
import urllib.request
from typing import Any

import numpy as np
import obstore
import pandas as pd
import pytest
import skops.io
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


def ask(namespace: Namespace, name: str, frame: pd.DataFrame) -> dict[str, Any]:
    inputs = [
        {
            "name": column,
            "datatype": "FP32",
            "shape": [len(frame), 1],
            "data": frame[column].tolist(),
        }
        for column in frame.columns
    ]
    request = urllib.request.Request(
        f"http://{namespace.address(name)}/v2/models/{name}/infer",
        data=json.dumps({"inputs": inputs}).encode(),
        headers={"content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        outputs = json.load(answer)["outputs"]
    return {output["name"]: output["data"] for output in outputs}


def test_what_scikit_learn_saved_is_found_converted_and_answers_alike(
    namespace: Namespace, fitted: tuple[LogisticRegression, pd.DataFrame]
) -> None:
    model, frame = fitted
    uri = put(namespace, "model.skops", skops.io.dumps(model))
    namespace.deploy("delays", uri, packaging=packaging(namespace))
    found = namespace.wait_complete("delays", PATIENCE)
    resolution = found["status"]["resolution"]
    assert resolution["format"] == "SkLearn"
    assert resolution["uri"].startswith(f"s3://{BUCKET}/{namespace.name}/bundles/")
    answer = ask(namespace, "delays", frame.head(20))
    expected = model.predict_proba(frame.head(20)).ravel()
    assert np.allclose(answer["probabilities"], expected, atol=1e-4)

    # A pickle that nobody trusts takes the place of nothing.
    bad = put(namespace, "model.pkl", pickle.dumps(_Payload()))
    namespace.patch("mdep", "delays", {"spec": {"model": {"uri": bad, "format": "SkLearn"}}})
    condition = namespace.wait_for("delays", "ModelResolved", "UntrustedModel", "False", PATIENCE)
    assert "spec.packaging.trusted" in condition["message"] or "trusted" in condition["message"]
    assert ask(namespace, "delays", frame.head(1))["label"]


def test_a_raw_artifact_without_packaging_is_told_what_to_write(
    namespace: Namespace, fitted: tuple[LogisticRegression, pd.DataFrame]
) -> None:
    uri = put(namespace, "model.skops", skops.io.dumps(fitted[0]))
    namespace.deploy("delays", uri)
    condition = namespace.wait_for("delays", "ModelResolved", "NeedsPackaging", "False", PATIENCE)
    assert "spec.packaging.output.uri" in condition["message"]
