"""Runs inside the image's build: installs from the wheelhouse, without any registry.

pip is run from its own wheel and so never gets into the image, nor do the programs of the
dependencies, their tests, and what onnxruntime brings for converting large language models.
SciPy does import numpy.f2py, so that stays where SciPy is.
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
"""Becomes /usr/lib."""
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
"""What the trainer compresses models with, and nobody else needs."""


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
    """What the lock names, without what is never used."""
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


def project() -> None:
    """The project's own wheels, with the one program."""
    pip("--target", str(PROJECT), *map(str, sorted(Path("/build/project").glob("*.whl"))))
    for program in (PROJECT / "bin").iterdir():
        if program.name != PROGRAM:
            program.unlink()


def bytecode() -> None:
    """What Python would else compile whenever a container starts, which can write nothing.

    By hash: an image's files all get the same time, and bytecode by time would count as stale.
    Unchecked: nothing changes in an image.
    """
    for folder in (TARGET, PROJECT):
        compileall.compile_dir(
            folder,
            quiet=2,
            workers=0,
            invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
        )


def libraries() -> None:
    """Libraries that packages look for in the system, and which neither base has.

    LightGBM wants libgomp.so.1; scikit-learn brings it under another name.
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
    """Fails where PyTorch, linked against libraries that are not here, does not run."""
    if (TARGET / "torch").is_dir():
        where = {"PYTHONPATH": str(TARGET), "LD_LIBRARY_PATH": str(LIBRARIES)}
        subprocess.run([sys.executable, "-c", CHECK], env={**os.environ, **where}, check=True)


{each.__name__: each for each in (dependencies, project, libraries, check, bytecode)}[sys.argv[2]]()
