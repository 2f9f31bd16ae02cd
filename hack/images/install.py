"""Install a program inside the build of its image, from wheels only.

pip runs from its own wheel and is not in the image. Other files that no program needs are removed:
the programs and tests of dependencies, and onnxruntime's tools for large language models. SciPy
imports numpy.f2py, so that this remains in images with SciPy.
"""

import compileall
import os
import py_compile
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

WHEELS = Path("/build/wheels")
TARGET = Path("/opt/perennial")
PROJECT = Path("/opt/project")
LIBRARIES = Path("/opt/lib")
"""The image's /usr/lib."""
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
    "torch/include",
    "torch/share",
    "torch/test",
)
TRAINERS = ("onnxruntime/transformers", "onnxruntime/quantization")
"""Modules that the trainer compresses models with; no other program needs them."""


OPTIONS = ("--no-index", "--no-cache-dir", "--no-deps", "--no-compile")


def pip(*arguments: str) -> None:
    wheel = next(WHEELS.glob("pip-*.whl"))
    sys.argv = ["pip", "install", *OPTIONS, *arguments]
    sys.path.insert(0, str(wheel))
    try:
        runpy.run_module("pip", run_name="__main__")
    except SystemExit as end:
        if end.code:
            raise


def dependencies() -> None:
    """Install the packages of the lock, without files that are never used."""
    pip(
        *("--require-hashes", "--find-links", str(WHEELS), "--target", str(TARGET)),
        *("--requirement", "/build/requirements.txt"),
    )
    unused = () if (TARGET / "scipy").is_dir() else ("numpy/f2py",)
    if PROGRAM != "perennial-trainer":
        unused += TRAINERS
    for pattern in (*SUPERFLUOUS, *unused):
        for folder in list(TARGET.glob(pattern)):  # some contain others
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(TARGET / "bin", ignore_errors=True)


def project() -> None:
    """Install the project's own wheels and the one program."""
    pip("--target", str(PROJECT), *map(str, sorted(Path("/build/project").glob("*.whl"))))
    for program in (PROJECT / "bin").iterdir():
        if program.name != PROGRAM:
            program.unlink()


def bytecode() -> None:
    """Compile all modules. A container cannot store bytecode.

    The files of an image all get the same time, and bytecode that is checked by time would be
    stale. Since nothing changes in an image, it is not checked at all.
    """
    for folder in (TARGET, PROJECT):
        compileall.compile_dir(
            folder,
            quiet=2,
            workers=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def libraries() -> None:
    """Add libraries that packages need and that neither base image has.

    LightGBM needs libgomp.so.1; scikit-learn's wheel contains it under another name.
    """
    LIBRARIES.mkdir()
    (LIBRARIES / "libgomp.so.1").symlink_to(next(TARGET.glob("scikit_learn.libs/libgomp-*")))
    for library in Path("/build").glob("lib/*"):
        shutil.copy(library, LIBRARIES)


CHECK = """
import torch
program = torch.export.export(torch.nn.Linear(2, 1), (torch.zeros(3, 2),))
assert torch.onnx.export(program, dynamo=True, verbose=False).model_proto.graph.node
"""


def check() -> None:
    """Fail the build if PyTorch does not run, because a library is missing."""
    if (TARGET / "torch").is_dir():
        where = {"PYTHONPATH": str(TARGET), "LD_LIBRARY_PATH": str(LIBRARIES)}
        subprocess.run([sys.executable, "-c", CHECK], env={**os.environ, **where}, check=True)


{each.__name__: each for each in (dependencies, project, libraries, check, bytecode)}[sys.argv[2]]()
