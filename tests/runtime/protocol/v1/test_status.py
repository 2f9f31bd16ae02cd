"""The status and the metadata of a model in v1."""

import orjson

from perennial_runtime.protocol.shared.tensorflow import State
from perennial_runtime.protocol.v1.status import metadata_body, model_body, models_body
from perennial_runtime.signature import TensorSpec


def test_the_status_suits_the_clients_of_both_protocols():
    assert orjson.loads(models_body("m")) == {"models": ["m"]}
    assert orjson.loads(model_body("m", State.AVAILABLE)) == {
        "name": "m",
        "ready": True,
        "model_version_status": [
            {
                "version": "1",
                "state": "AVAILABLE",
                "status": {"error_code": "OK", "error_message": ""},
            }
        ],
    }
    loading = orjson.loads(model_body("m", State.LOADING))
    assert loading["ready"] is False
    assert loading["model_version_status"][0]["state"] == "LOADING"


def test_the_metadata_contain_the_signature():
    inputs = [TensorSpec("x", "FP32", (-1, 2))]
    outputs = [TensorSpec("y", "BYTES", ())]
    body = orjson.loads(metadata_body("m", inputs, outputs))
    assert body["model_spec"] == {"name": "m", "signature_name": "", "version": "1"}
    assert body["metadata"]["signature_def"]["signature_def"] == {
        "serving_default": {
            "inputs": {
                "x": {
                    "dtype": "DT_FLOAT",
                    "tensor_shape": {
                        "dim": [{"size": "-1", "name": ""}, {"size": "2", "name": ""}],
                        "unknown_rank": False,
                    },
                    "name": "x",
                }
            },
            "outputs": {
                "y": {
                    "dtype": "DT_STRING",
                    "tensor_shape": {"dim": [], "unknown_rank": False},
                    "name": "y",
                }
            },
            "method_name": "tensorflow/serving/predict",
        }
    }
