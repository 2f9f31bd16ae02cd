"""Opening ONNX models as everything here runs them: one thread of the CPU, and no chatter."""

from pathlib import Path
from typing import Any

import onnxruntime

FATAL, ERROR = 4, 3
"""What is logged, and what lies above it."""


def open_session(model: bytes | Path, *, log_severity: int = ERROR) -> Any:
    """A session for a model.

    Args:
        model: the ONNX file, or where it lies with the weights beside it.
        log_severity: the least severity that ONNX Runtime writes to the log.

    Raises:
        Exception: one of onnx_model.ERRORS, where ONNX Runtime refuses the model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = log_severity
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
