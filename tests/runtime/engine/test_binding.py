"""Runs with IOBinding: the same results and errors, and only if they are faster.

IOBinding supports the CPU as a device, so everything but the copies is tested without a GPU.
"""

import numpy as np
import onnxruntime as ort
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

from perennial_contracts.wire.digest import digest_of
from perennial_runtime.engine import binding, model
from perennial_runtime.engine.binding import bind, device_of
from perennial_runtime.engine.model import ONNX_ERRORS, LoadedModel
from perennial_runtime.errors import BadRequestError
from perennial_runtime.signature import TensorSpec
from perennial_storage.artifact import Artifact

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"
DTYPES = {
    np.float16: TensorProto.FLOAT16,
    np.float32: TensorProto.FLOAT,
    np.float64: TensorProto.DOUBLE,
    np.int32: TensorProto.INT32,
    np.int64: TensorProto.INT64,
    np.bool_: TensorProto.BOOL,
}


def session(kind: int = TensorProto.FLOAT, columns: int = 2) -> ort.InferenceSession:
    """Return a model with two outputs: its input, and the transposed input."""
    nodes = [
        helper.make_node("Identity", ["X"], ["Y"]),
        helper.make_node("Transpose", ["X"], ["Z"], perm=[1, 0]),
    ]
    graph = helper.make_graph(
        nodes,
        "twice",
        [helper.make_tensor_value_info("X", kind, ["rows", columns])],
        [
            helper.make_tensor_value_info("Y", kind, ["rows", columns]),
            helper.make_tensor_value_info("Z", kind, [columns, "rows"]),
        ],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return ort.InferenceSession(made.SerializeToString(), providers=[CPU])


SESSIONS = {dtype: session(kind) for dtype, kind in DTYPES.items()}


@given(st.sampled_from(list(DTYPES)), st.integers(0, 9), st.booleans(), st.randoms())
def test_bound_runs_return_the_same_results(dtype, rows, strided, random):
    run = SESSIONS[dtype]
    values = np.array([[random.randrange(2) for _ in range(4)] for _ in range(rows)], dtype)
    values = values.reshape(rows, 4)
    given = values[:, ::2] if strided else np.ascontiguousarray(values[:, :2])
    names = random.choice([["Y"], ["Z"], ["Z", "Y"]])
    expected = run.run(names, {"X": given})
    results = bind(run, "cpu")(names, {"X": given})
    assert [each.dtype for each in results] == [each.dtype for each in expected]
    assert all(np.array_equal(left, right) for left, right in zip(results, expected, strict=True))


def test_a_result_stays_valid_after_later_runs():
    run = bind(session(), "cpu")
    (first,) = run(["Y"], {"X": np.array([[1, 2]], np.float32)})
    run(["Y"], {"X": np.array([[3, 4]], np.float32)})
    assert first.tolist() == [[1, 2]]


def test_invalid_inputs_give_the_same_error_as_without_binding():
    with pytest.raises(ONNX_ERRORS, match="Got: 3 Expected: 2"):
        bind(session(), "cpu")(["Y"], {"X": np.zeros((1, 3), np.float32)})


@pytest.mark.parametrize(
    ("provider", "datatypes", "device"),
    [(CUDA, ["FP32", "INT64"], "cuda"), (CPU, ["FP32"], None), (CUDA, ["FP32", "BYTES"], None)],
)
def test_only_tensors_on_a_device_are_bound(provider, datatypes, device):
    tensors = [TensorSpec(f"x{n}", datatype, (-1,)) for n, datatype in enumerate(datatypes)]
    assert device_of(provider, tensors) == device


def test_a_session_that_cannot_be_bound_runs_without():
    values = np.array([[1, 2]], np.float32)
    assert bind(session(), "cuda")(["Y"], {"X": values})[0].tolist() == [[1, 2]]


@pytest.mark.parametrize("faster", [True, False])
def test_a_model_is_bound_if_that_is_faster(monkeypatch, affine, tmp_path, faster):
    path = tmp_path / "m.onnx"
    path.write_bytes(affine)
    runs = []

    def timed(session, device):
        run = bind(session, device)

        def counted(outputs, feeds):
            runs.append(device)
            return run(outputs, feeds)

        return counted

    # The CPU is the device here; the tensors are in its memory anyway.
    monkeypatch.setattr(binding, "DEVICES", {CPU: "cpu"})
    monkeypatch.setattr(model, "bind", timed)
    seconds = iter([2.0, 1.0 if faster else 3.0])
    warm_up = LoadedModel._warm_up
    monkeypatch.setattr(
        LoadedModel, "_warm_up", lambda self, run: (warm_up(self, run), next(seconds))[1]
    )
    monkeypatch.setattr(model, "SHORT_SECONDS", 3600.0)
    loaded = LoadedModel(Artifact(digest_of(affine), path, None), 1)
    runs.clear()
    (answer,) = loaded.run({"X": np.array([[1, 2]], np.float32)}, ["Y"])
    assert answer.shape[0] == 1
    assert runs == (["cpu"] if faster else [])
    assert loaded.seconds < 3.0
    with pytest.raises(BadRequestError, match="the model rejects these inputs"):
        loaded.run({"X": np.zeros((1, 3), np.float32)}, ["Y"])
