"""Common parts of the conversion of TensorFlow's formats."""

import os
from pathlib import Path
from typing import Any

import onnx

from .graph import OPSET
from .packages import require


def tensorflow(format_name: str) -> Any:
    """Import TensorFlow without its log output and without GPUs.

    Raises:
        StepError: ConverterNotInstalled.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    require("tf2onnx", "tf2onnx", "tf", format_name)
    return require("tensorflow", "tensorflow-cpu", "tf", format_name)


def from_command(*arguments: str, target: Path) -> onnx.ModelProto:
    """Convert with the command of tf2onnx, because its tests cover the command.

    Raises:
        RuntimeError: with the last lines of its output.
    """
    import subprocess
    import sys

    command = [sys.executable, "-m", "tf2onnx.convert", *arguments]
    command += ["--opset", str(OPSET), "--output", str(target)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or not target.exists():
        lines = [line for line in done.stderr.splitlines() if line.strip()]
        raise RuntimeError("tf2onnx: " + " ".join(lines[-2:]))
    return onnx.load(target)
