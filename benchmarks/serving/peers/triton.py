"""NVIDIA's Triton Inference Server, from the binary in ``nvidia-pytriton``.

It is the real server, in C++ with its own HTTP and gRPC endpoints and batcher, but without the ONNX
Runtime backend. The model runs in its Python backend, another process that receives tensors by
shared memory. (The wheel ``tritonserver`` requires glibc 2.39 and Python 3.12.)
"""

import shutil
import sys
from pathlib import Path

from ..models import CLASSES, FEATURES, IMAGE
from ..works import MODEL_NAME, ModelKind, Protocol
from .base import PROGRAMS, Command, Launch, libpython

BATCH = 64
"""Largest number of rows in a request, and in a batch."""
CONFIG: dict[ModelKind, str] = {
    "tabular": f"""
input [{{name: "x", data_type: TYPE_FP32, dims: [{FEATURES}]}}]
output [
  {{name: "label", data_type: TYPE_INT64, dims: [1], reshape: {{shape: []}}}},
  {{name: "probabilities", data_type: TYPE_FP32, dims: [2]}}
]
dynamic_batching {{}}""",
    "image": f"""
input [{{name: "image", data_type: TYPE_FP32, dims: [{", ".join(map(str, IMAGE))}]}}]
output [{{name: "scores", data_type: TYPE_FP32, dims: [{CLASSES}]}}]""",
}


class Triton:
    """Triton with one instance of the model and default settings.

    Its batcher joins small requests, which reduces their cost by a third to a half. Requests of the
    CNN are not batched, because a batch of images is no faster than one after the other.
    """

    key = "triton"
    title = "Triton"
    # With numpy 2 this version's Python backend returns empty tensors.
    requirements = ("nvidia-pytriton==0.7.0", "numpy==1.26.4")

    def protocols(self) -> tuple[Protocol, ...]:
        return ("json", "binary", "grpc")

    def command(self, launch: Launch) -> Command:
        packages = _site_packages(launch.python)
        shipped = packages / "pytriton" / "tritonserver"
        backends = launch.folder / "backends"
        shutil.copytree(shipped / "backends", backends)
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        shutil.copy2(
            shipped / "python_backend_stubs" / version / "triton_python_backend_stub",
            backends / "python",
        )
        model = launch.folder / "models" / MODEL_NAME
        (model / "1").mkdir(parents=True)
        shutil.copy2(PROGRAMS / "triton_model.py", model / "1" / "model.py")
        (model / "config.pbtxt").write_text(
            f'backend: "python"\nmax_batch_size: {BATCH}\n{CONFIG[launch.kind].strip()}\n'
            "instance_group [{kind: KIND_CPU, count: 1}]\n"
        )
        arguments = [str(shipped / "bin" / "tritonserver")]
        for flag, value in {
            "model-repository": model.parent,
            "backend-directory": backends,
            "http-address": "127.0.0.1",
            "http-port": launch.http_port,
            "grpc-address": "127.0.0.1",
            "grpc-port": launch.grpc_port,
            "metrics-port": launch.other_port,
            "allow-gpu-metrics": "false",
        }.items():
            arguments += [f"--{flag}", str(value)]
        variables = launch.variables()
        variables["PYTHONPATH"] += f":{packages}"
        # The stub finds its libraries relative to the wheel's folder.
        variables["LD_LIBRARY_PATH"] = f"{libpython()}:{packages / 'nvidia_pytriton.libs'}"
        return Command(arguments, variables)


def _site_packages(python: Path) -> Path:
    (found,) = python.parents[1].glob("lib/python3.*/site-packages")
    return found
