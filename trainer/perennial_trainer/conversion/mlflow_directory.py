"""MLflow's model directories: the model of another format that lies in one.

Only its MLmodel file is read, so MLflow itself is not needed.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from perennial_contracts.wire.formats import MLMODEL, Format
from perennial_contracts.wire.run_plan import TrainingFailure

from ..errors import StepError
from .converted import Arrays, Converted

_INNER: dict[str, tuple[Format, tuple[str, ...]]] = {
    "sklearn": ("SkLearn", ("pickled_model", "data")),
    "xgboost": ("XGBoost", ("data",)),
    "lightgbm": ("LightGBM", ("data",)),
    "keras": ("Keras", ("data",)),
    "tensorflow": ("Keras", ("data",)),
    "pytorch": ("PyTorch", ("model_data", "data")),
    "onnx": ("Onnx", ("data",)),
}
_SUFFIXES = (".skops", ".keras", ".onnx", ".ubj", ".json", ".xgb", ".lgb", ".txt", ".pt2", ".pkl")


def inner(source: Path) -> tuple[Path, Format | None]:
    """Where the model lies, and in which format; None for what its content tells.

    Raises:
        StepError: ConversionFailed.
    """
    text = _read(source)
    flavors = text.get("flavors")
    known = [one for one in flavors if one in _INNER] if isinstance(flavors, dict) else []
    if not known:
        have = ", ".join(map(str, flavors)) if isinstance(flavors, dict) else "none"
        raise _failed(f"expected a flavor of {', '.join(_INNER)}, got {have}")
    assert isinstance(flavors, dict)
    flavor = flavors[known[0]] or {}
    format_, fields = _INNER[known[0]]
    name = next((str(flavor[field]) for field in fields if flavor.get(field)), "")
    place = (source / name).resolve()
    if not name or not place.is_relative_to(source.resolve()) or not place.exists():
        raise _failed(f"flavors.{known[0]}: expected a file of the directory, got {name or 'none'}")
    if place.is_dir():
        place = _only(place)
    return place, format_ if format_ in ("XGBoost", "LightGBM", "Onnx", "PyTorch") else None


def with_example(source: Path, converted: Converted) -> Converted:
    """A converted model as one of MLflow's, with the directory's input example as sample rows."""
    rows = _example(source)
    fits = rows is not None and all(one.name in rows for one in converted.inputs)
    example = rows if fits else converted.example
    return dataclasses.replace(converted, format="MLflow", example=example)


def _only(folder: Path) -> Path:
    if (folder / "saved_model.pb").exists():
        return folder
    for suffix in _SUFFIXES:
        found = sorted(folder.rglob(f"*{suffix}"))
        if len(found) == 1:
            return found[0]
    inside = ", ".join(sorted(path.name for path in folder.iterdir())[:10])
    raise _failed(f"{folder.name}: expected one model of {', '.join(_SUFFIXES)}, got {inside}")


def _example(source: Path) -> Arrays | None:
    """The rows that mlflow kept of ``input_example``, by column; None where there are none."""
    info = _read(source).get("saved_input_example_info")
    name = str(info.get("artifact_path", "")) if isinstance(info, dict) else ""
    place = (source / name).resolve()
    if not name or not place.is_relative_to(source.resolve()) or not place.is_file():
        return None
    try:
        table = json.loads(place.read_bytes())
        columns, data = table["columns"], table["data"]
        return {
            str(column): np.array([row[at] for row in data], object)
            for at, column in enumerate(columns)
        }
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _read(source: Path) -> dict[str, Any]:
    try:
        text = yaml.safe_load((source / MLMODEL).read_text())
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise _failed(f"{MLMODEL}: cannot be read: {error}") from error
    return text if isinstance(text, dict) else {}


def _failed(message: str) -> StepError:
    return StepError(TrainingFailure.CONVERSION_FAILED, f"the MLflow directory: {message}")
