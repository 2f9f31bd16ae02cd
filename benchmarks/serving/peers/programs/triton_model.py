"""Triton's Python backend: run the requests of the batcher as one batch."""

# ruff: noqa: E402
import os
import sys

# The backend's embedded Python ignores the variable.
sys.path[:0] = os.environ["PYTHONPATH"].split(":")

import numpy as np
import triton_python_backend_utils as pb_utils
from onnx_session import OnnxSession


class TritonPythonModel:
    def initialize(self, args):
        self._session = OnnxSession()

    def execute(self, requests):
        name = self._session.input
        batches = [
            pb_utils.get_input_tensor_by_name(request, name).as_numpy() for request in requests
        ]
        if len(batches) == 1:
            return [self._response(self._session.run(batches[0]))]
        answers = self._session.run(np.concatenate(batches))
        ends = np.cumsum([len(batch) for batch in batches])[:-1]
        parts = zip(*(np.split(array, ends) for array in answers.values()), strict=True)
        return [self._response(dict(zip(answers, part, strict=True))) for part in parts]

    @staticmethod
    def _response(answer):
        return pb_utils.InferenceResponse(
            [pb_utils.Tensor(name, array) for name, array in answer.items()]
        )
