"""Runs inside the image's build: installs from the wheelhouse, without any registry.

pip is run from its own wheel and so never gets into the image, nor do the programs of the
dependencies, their tests, and what onnxruntime brings for converting large language models.
SciPy does import numpy.f2py, so that stays where SciPy is.
"""

import runpy
import shutil
import sys
from pathlib import Path

WHEELS = Path("/build/wheels")
TARGET = Path("/opt/perennial")
PROGRAM = sys.argv[1]

SUPERFLUOUS = (
    "numpy/**/tests",
    "numpy/_core/include",
    "onnxruntime/transformers/models",
    "onnxruntime/tools",
    "onnxruntime/datasets",
    "onnx/backend/test",
    "pandas/tests",
    "scipy/**/tests",
    "sklearn/**/tests",
)
TRAINERS = ("onnxruntime/transformers", "onnxruntime/quantization")
"""What the trainer compresses models with, and nobody else needs."""


def pip(*arguments: str) -> None:
    wheel = next(WHEELS.glob("pip-*.whl"))
    sys.argv = ["pip", "install", "--no-index", "--no-cache-dir", "--no-deps", *arguments]
    sys.path.insert(0, str(wheel))
    try:
        runpy.run_module("pip", run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise


stage = sys.argv[2]
if stage == "dependencies":
    pip(
        *("--require-hashes", "--find-links", str(WHEELS), "--target", str(TARGET)),
        *("--requirement", "/build/requirements.txt"),
    )
    unused = () if (TARGET / "scipy").is_dir() else ("numpy/f2py",)
    if PROGRAM != "perennial-trainer":
        unused += TRAINERS
    for pattern in (*SUPERFLUOUS, *unused):
        for folder in list(TARGET.glob(pattern)):  # some lie in others
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(TARGET / "bin", ignore_errors=True)
else:
    pip("--target", "/opt/project", *map(str, sorted(Path("/build/project").glob("*.whl"))))
    for program in Path("/opt/project/bin").iterdir():
        if program.name != PROGRAM:
            program.unlink()
