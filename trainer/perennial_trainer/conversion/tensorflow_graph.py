"""What TensorFlow's formats have in common."""

import os
from pathlib import Path
from typing import Any

import onnx

from .graph import OPSET
from .packages import require


def tensorflow(what: str) -> Any:
    """TensorFlow, quiet.

    Raises:
        StepError: ConverterNotInstalled.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    require("tf2onnx", "tf2onnx", "tf", what)
    return require("tensorflow", "tensorflow-cpu", "tf", what)


def from_command(*arguments: str, target: Path) -> onnx.ModelProto:
    """What tf2onnx's command makes; the command is what its makers test, not the functions in it.

    Raises:
        RuntimeError: with the last lines of what it said.
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
