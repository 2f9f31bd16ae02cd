"""MLflow's model directories, which contain a model of another format.

The code reads the MLmodel file itself, so the MLflow package is not needed.
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


def find_model(source: Path) -> tuple[Path, Format | None]:
    """Return the path of the model, and its format if the content does not show it.

    Raises:
        StepError: ConversionFailed.
    """
    text = _read(source)
    flavors = text.get("flavors")
    usable = [name for name in flavors if name in _INNER] if isinstance(flavors, dict) else []
    if not usable:
        have = ", ".join(map(str, flavors)) if isinstance(flavors, dict) else "none"
        raise _failed(f"expected a flavor of {', '.join(_INNER)}, got {have}")
    assert isinstance(flavors, dict)
    flavor = flavors[usable[0]] or {}
    format_, fields = _INNER[usable[0]]
    name = next((str(flavor[field]) for field in fields if flavor.get(field)), "")
    path = (source / name).resolve()
    if not name or not path.is_relative_to(source.resolve()) or not path.exists():
        raise _failed(
            f"flavors.{usable[0]}: expected a file of the directory, got {name or 'none'}"
        )
    if path.is_dir():
        path = _find_only_model(path)
    return path, format_ if format_ in ("XGBoost", "LightGBM", "Onnx", "PyTorch") else None


def with_example(source: Path, converted: Converted) -> Converted:
    """Return a converted model with MLflow's format and the directory's input example."""
    rows = _example(source)
    fits = rows is not None and all(tensor.name in rows for tensor in converted.inputs)
    example = rows if fits else converted.example
    return dataclasses.replace(converted, format="MLflow", example=example)


def _find_only_model(folder: Path) -> Path:
    if (folder / "saved_model.pb").exists():
        return folder
    for suffix in _SUFFIXES:
        found = sorted(folder.rglob(f"*{suffix}"))
        if len(found) == 1:
            return found[0]
    inside = ", ".join(sorted(path.name for path in folder.iterdir())[:10])
    raise _failed(f"{folder.name}: expected one model of {', '.join(_SUFFIXES)}, got {inside}")


def _example(source: Path) -> Arrays | None:
    """Return the rows of MLflow's ``input_example`` by column; None without them."""
    info = _read(source).get("saved_input_example_info")
    name = str(info.get("artifact_path", "")) if isinstance(info, dict) else ""
    path = (source / name).resolve()
    if not name or not path.is_relative_to(source.resolve()) or not path.is_file():
        return None
    try:
        table = json.loads(path.read_bytes())
        columns, data = table["columns"], table["data"]
        return {
            str(column): np.array([row[index] for row in data], object)
            for index, column in enumerate(columns)
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
