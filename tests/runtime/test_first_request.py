"""One request from start to end. Begin here; then read perennial_runtime/app.py."""

from pathlib import Path

from onnx import TensorProto, helper
from support.runtime import servers, without_settings


def double() -> bytes:
    """Return an ONNX model with one input x and the output y = x + x."""
    column = ["rows", 1]
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "double",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, column)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, column)],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString()


def test_a_model_is_served_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "double.onnx"
    path.write_bytes(double())
    with servers(without_settings()) as start:
        server = start(path)  # perennial-runtime serve double.onnx; returns when it is ready
        tensor = {"name": "x", "datatype": "FP32", "shape": [2, 1], "data": [1.5, 20.0]}
        status, body, _ = server.request("POST", "/v2/models/double/infer", {"inputs": [tensor]})
        server.terminate()
        assert server.exit_code() == 0
    assert status == 200
    assert body["model_name"] == "double"
    assert body["outputs"] == [
        {"name": "y", "datatype": "FP32", "shape": [2, 1], "data": [3.0, 40.0]}
    ]


def test_rows_of_a_table_get_predictions_with_ids(tmp_path: Path) -> None:
    path = tmp_path / "double.onnx"
    path.write_bytes(double())
    with servers(without_settings()) as start:
        rows = {"instances": [{"x": 1.5}]}
        status, body, _ = start(path).request("POST", "/v2/models/double/predict", rows)
    assert status == 200
    (prediction,) = body["predictions"]
    assert prediction["outputs"] == {"y": 3.0}
    assert len(prediction["prediction_id"]) == 32
