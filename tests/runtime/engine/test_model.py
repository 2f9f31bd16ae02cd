"""Models that load, and models that are rejected with a reason."""

import onnx
import pytest
from onnx import TensorProto, helper

from perennial_contracts.wire.bundle import Bundle, Tensor, describe_files
from perennial_contracts.wire.outcome import LoadFailure
from perennial_runtime.engine.model import LoadedModel
from perennial_runtime.engine.onnx_file import has_external_data
from perennial_runtime.errors import LoadError
from perennial_storage.fetch import fetch


@pytest.fixture
def load(write_files, tmp_path):
    def run(data: bytes, threads: int = 2) -> LoadedModel:
        return LoadedModel(
            fetch(str(write_files({"model.onnx": data})), None, tmp_path, 0), threads
        )

    return run


def failure(load, data: bytes) -> LoadError:
    with pytest.raises(LoadError) as caught:
        load(data)
    return caught.value


def test_a_loaded_model_has_the_signature_of_the_file(load, affine):
    model = load(affine)
    assert [tensor.describe() for tensor in model.inputs] == [
        {"name": "X", "datatype": "FP32", "shape": [-1, 2]}
    ]
    assert model.provider == "CPUExecutionProvider"
    assert model.version == model.digest[7:19]


@pytest.mark.parametrize(("short_seconds", "threads"), [(3600.0, 1), (0.0, 2)])
def test_a_fast_model_gets_one_thread_and_a_slow_one_all(
    load, affine, monkeypatch, short_seconds, threads
):
    monkeypatch.setattr("perennial_runtime.engine.model.SHORT_SECONDS", short_seconds)
    assert load(affine, threads=2).threads == threads


@pytest.mark.parametrize("data", [b"", b"not a model", b"\x08\x08" + b"\xff" * 50])
def test_bytes_that_are_not_a_model_are_corrupt(load, data):
    error = failure(load, data)
    assert error.reason is LoadFailure.MODEL_CORRUPT
    assert "not a valid ONNX model" in error.message


def test_a_truncated_model_is_corrupt(load, affine):
    assert failure(load, affine[: len(affine) // 2]).reason is LoadFailure.MODEL_CORRUPT


@pytest.mark.parametrize("change", ["opset", "ir", "operator"])
def test_a_model_that_needs_a_newer_runtime_is_unsupported(load, affine, change):
    model = onnx.load_from_string(affine)
    if change == "opset":
        model.opset_import[0].version = 999
    elif change == "ir":
        model.ir_version = 99
    else:
        model.graph.node[0].op_type = "NoSuchOperator"
    error = failure(load, model.SerializeToString())
    assert error.reason is LoadFailure.UNSUPPORTED_MODEL
    assert "cannot run it" in error.message


def test_external_data_beside_a_bare_model_is_unsupported(load, external_data_model):
    error = failure(load, external_data_model)
    assert error.reason is LoadFailure.UNSUPPORTED_MODEL
    assert "Fix: build a bundle" in error.message


def test_external_data_is_found_in_subgraphs_too(tmp_path, affine, external_data_model):
    branch = onnx.load_from_string(external_data_model).graph
    node = helper.make_node("If", ["C"], ["Y"], then_branch=branch, else_branch=branch)
    condition = helper.make_tensor_value_info("C", TensorProto.BOOL, [])
    graph = helper.make_graph([node], "outer", [condition], list(branch.output))
    path = tmp_path / "nested.onnx"
    path.write_bytes(helper.make_model(graph).SerializeToString())
    assert has_external_data(path)
    path.write_bytes(affine)
    assert not has_external_data(path)


def test_a_classifier_with_zipmap_is_unsupported_and_the_message_has_the_fix(load):
    error = failure(load, classifier(zipmap=True))
    assert error.reason is LoadFailure.UNSUPPORTED_MODEL
    assert "options={'zipmap': False}" in error.message
    assert [tensor.name for tensor in load(classifier(zipmap=False)).outputs] == [
        "label",
        "probabilities",
    ]


def classifier(*, zipmap: bool) -> bytes:
    import numpy as np
    from skl2onnx import to_onnx
    from sklearn.linear_model import LogisticRegression

    x = np.array([[0.0], [1.0]], dtype=np.float32)
    model = LogisticRegression().fit(x, [0, 1])
    options = {} if zipmap else {"options": {"zipmap": False}}
    data: bytes = to_onnx(model, x, target_opset=17, **options).SerializeToString()
    return data


def test_a_model_loads_if_its_warm_up_fails(load):
    # Two free inner dimensions that must fit: 1 and 1 do, but the reshape to 7 columns does not.
    x = helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", "M"])
    y = helper.make_tensor_value_info("Y", TensorProto.FLOAT, [None, 7])
    shape = helper.make_tensor("shape", TensorProto.INT64, [2], [-1, 7])
    node = helper.make_node("Reshape", ["X", "shape"], ["Y"])
    graph = helper.make_graph([node], "g", [x], [y], initializer=[shape])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    assert load(model.SerializeToString()).seconds == 0.0


def test_a_bundle_with_a_different_signature_is_corrupt(write_files, affine, tmp_path):
    bundle = Bundle(
        files=describe_files({"model.onnx": affine}),
        inputs=[Tensor(name="Z", datatype="FP32", shape=[-1])],
    )
    directory = write_files({"model.onnx": affine, "bundle.json": bundle.to_bytes()})
    with pytest.raises(LoadError) as caught:
        LoadedModel(fetch(str(directory), None, tmp_path, 0), 1)
    assert caught.value.reason is LoadFailure.MODEL_CORRUPT
    assert "inputs: expected {" in caught.value.message
