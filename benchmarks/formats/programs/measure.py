"""Convert and measure a model: ``measure MODEL FOLDER [--trusted]``."""

import argparse
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from perennial_trainer import conversion as formats
from perennial_trainer.errors import StepError

CALLS = 500
KEPT = 32
"""Number of rows to store with the original's answers."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("model", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trusted", action="store_true")
    options = parser.parse_args()
    try:
        row = measure(options.model, options.folder, options.trusted)
    except StepError as error:
        row = {"converts": False, "message": f"{error.reason}: {error.message}"}
    (options.folder / "row.json").write_text(json.dumps(row))


def measure(model: Path, folder: Path, trusted: bool) -> dict[str, Any]:
    """Return the row of a model in the table; microseconds for one row, one thread.

    Raises:
        StepError: the conversion fails, or its answers differ from the original's.
    """
    began = time.monotonic()
    converted = formats.convert(model, None, formats.ConvertOptions(trusted=trusted))
    samples = formats.draw(converted)
    facts = formats.check(converted, samples)
    seconds = time.monotonic() - began
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(converted.model, options)
    rows = {name: values[:KEPT] for name, values in samples[0].items()}
    names = [output.name for output in session.get_outputs()]
    found = dict(zip(names, session.run(names, rows), strict=True))
    answers = converted.reference(rows) if converted.reference else found
    np.savez(folder / "rows.npz", **rows)
    np.savez(folder / "answers.npz", **{name: _plain(each) for name, each in answers.items()})
    return {
        "converts": True,
        "format": facts.format,
        "converter": facts.converter,
        "seconds": round(seconds, 2),
        "rows": facts.rows,
        "agreement": _agreement(found, answers) if facts.agreement is None else facts.agreement,
        "ties": facts.ties,
        "maxDifference": facts.max_difference if converted.reference else None,
        "artifactBytes": sum(
            one.stat().st_size for one in [model, *model.rglob("*")] if one.is_file()
        ),
        "bytes": len(converted.model),
        "p95Microseconds": _p95(session, {name: values[:1] for name, values in rows.items()}),
    }


def _agreement(found: Mapping[str, np.ndarray], answers: Mapping[str, np.ndarray]) -> float | None:
    """Return the share of rows with the same largest value, for a single wide output."""
    (name, *more) = answers
    if more or answers[name].ndim != 2 or answers[name].shape[1] < 2:
        return None
    return float((found[name].argmax(1) == answers[name].argmax(1)).mean())


def _p95(session: onnxruntime.InferenceSession, row: Mapping[str, np.ndarray]) -> float:
    took = []
    for _ in range(CALLS):
        began = time.perf_counter()
        session.run(None, dict(row))
        took.append(time.perf_counter() - began)
    return round(float(np.percentile(took, 95)) * 1e6, 1)


def _plain(values: np.ndarray) -> np.ndarray:
    """Convert texts to a type of NumPy that needs no pickle."""
    values = np.asarray(values)
    return values.astype(str) if values.dtype.kind == "O" else values


if __name__ == "__main__":
    main()
