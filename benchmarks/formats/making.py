"""Train and convert the models, each in an environment with its framework."""

import json
import sys
from pathlib import Path
from typing import Any

from support.trainers import python_of, run

from .cases import MORE, Case

PROGRAMS = Path(__file__).parent / "programs"
ROW, ROWS, ANSWERS = "row.json", "rows.npz", "answers.npz"
"""Results of each model: its row of the table, and rows with the answers of the original."""


def make(case: Case, folder: Path) -> None:
    """Train a model into a folder, unless another model's program did so."""
    if (folder / case.artifact).exists():
        return
    print(f"==> training: {case.program}", flush=True)
    python = _python(case.image, *MORE.get(case.program, ()))
    run(python, PROGRAMS / f"{case.program}.py", folder, CUDA_VISIBLE_DEVICES="-1")


def measure(case: Case, folder: Path) -> dict[str, Any]:
    """Convert and measure a model; write three files to ``folder/case.measured``."""
    print(f"==> converting: {case.title}", flush=True)
    target = folder / case.measured
    target.mkdir()
    words = [_python(case.image), "-m", "benchmarks.formats.programs.measure"]
    run(*words, folder / case.artifact, target, *(["--trusted"] if case.trusted else []))
    row: dict[str, Any] = json.loads((target / ROW).read_text())
    return {"image": case.image, **row}


def _python(image: str, *more: str) -> Path:
    # This environment has the packages of the smallest image.
    return Path(sys.executable) if image == "trainer" and not more else python_of(image, *more)
