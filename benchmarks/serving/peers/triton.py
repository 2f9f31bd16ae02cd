"""NVIDIA's Triton Inference Server, by the binary that ``nvidia-pytriton`` ships.

It is the server itself, in C++ with its own HTTP and gRPC ends and its batcher, but without the
ONNX Runtime backend; the model runs in its Python backend, a process of its own that gets tensors
by shared memory. (The wheel ``tritonserver`` asks for glibc 2.39 and Python 3.12.)
"""

import shutil
import sys
from pathlib import Path

from ..models import CLASSES, FEATURES, IMAGE
from ..works import MODEL_NAME, ModelKind, Protocol
from .base import PROGRAMS, Command, Launch, libpython

BATCH = 64
"""The most rows of a request, and the most that the batcher puts together."""
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
    """One instance of the model; the rest as Triton sets it.

    Small requests are put together by its batcher, which takes a third to a half off their cost;
    the CNN's are not, since a batch of images is no faster than one after the other.
    """

    key = "triton"
    title = "Triton"
    # With numpy 2 this version's Python backend answers with empty tensors.
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
        # The stub was built to lie in the wheel's folder, and finds its libraries from there.
        variables["LD_LIBRARY_PATH"] = f"{libpython()}:{packages / 'nvidia_pytriton.libs'}"
        return Command(arguments, variables)


def _site_packages(python: Path) -> Path:
    (found,) = python.parents[1].glob("lib/python3.*/site-packages")
    return found
