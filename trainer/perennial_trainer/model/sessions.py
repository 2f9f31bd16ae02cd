"""Sessions of ONNX Runtime for the trainer: one CPU thread, few log lines."""

from pathlib import Path
from typing import Any

import onnxruntime

FATAL, ERROR = 4, 3
"""Severities of log lines."""


def open_session(model: bytes | Path, *, log_severity: int = ERROR) -> Any:
    """Open a session for a model.

    Args:
        model: the ONNX file, or its path if its weights are in files beside it.
        log_severity: the least severity that ONNX Runtime logs.

    Raises:
        Exception: one of onnx_model.ERRORS if ONNX Runtime rejects the model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = log_severity
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
