"""Training and converting the models, each where its framework is."""

import json
import sys
from pathlib import Path
from typing import Any

from support.trainers import python_of, run

from .cases import MORE, Case

PROGRAMS = Path(__file__).parent / "programs"
ROW, ROWS, ANSWERS = "row.json", "rows.npz", "answers.npz"
"""What the measurement leaves of each model: its row of the table, and rows with what the original
answers to them."""


def make(case: Case, folder: Path) -> None:
    """Trains a model into a folder, where the program of another has not done so."""
    if (folder / case.artifact).exists():
        return
    print(f"==> training: {case.program}", flush=True)
    python = _python(case.image, *MORE.get(case.program, ()))
    run(python, PROGRAMS / f"{case.program}.py", folder, CUDA_VISIBLE_DEVICES="-1")


def measure(case: Case, folder: Path) -> dict[str, Any]:
    """The row of a model; it leaves the three files in ``folder/case.measured``."""
    print(f"==> converting: {case.title}", flush=True)
    target = folder / case.measured
    target.mkdir()
    words = [_python(case.image), "-m", "benchmarks.formats.programs.measure"]
    run(*words, folder / case.artifact, target, *(["--trusted"] if case.trusted else []))
    row: dict[str, Any] = json.loads((target / ROW).read_text())
    return {"image": case.image, **row}


def _python(image: str, *more: str) -> Path:
    # This environment has what the smallest image has.
    return Path(sys.executable) if image == "trainer" and not more else python_of(image, *more)
