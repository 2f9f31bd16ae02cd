"""Session of the model, for every program here."""

import os

import numpy as np
import onnxruntime

NAME = os.environ["BENCHMARK_NAME"]
HTTP_PORT = int(os.environ["BENCHMARK_HTTP_PORT"])
GRPC_PORT = int(os.environ["BENCHMARK_GRPC_PORT"])


class OnnxSession:
    """Session with the threads that the benchmark requests."""

    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("BENCHMARK_THREADS", "0"))
        self._session = onnxruntime.InferenceSession(
            os.environ["BENCHMARK_MODEL"], options, providers=["CPUExecutionProvider"]
        )
        self.input = self._session.get_inputs()[0].name
        self.outputs = [output.name for output in self._session.get_outputs()]

    def run(self, batch: np.ndarray) -> "dict[str, np.ndarray]":
        return dict(
            zip(self.outputs, self._session.run(self.outputs, {self.input: batch}), strict=True)
        )


def tensor(name: str, array: np.ndarray) -> "dict[str, object]":
    """Return an output in the JSON of the Open Inference Protocol."""
    datatype = {"float32": "FP32", "int64": "INT64"}[array.dtype.name]
    return {
        "name": name,
        "datatype": datatype,
        "shape": list(array.shape),
        "data": array.ravel().tolist(),
    }
