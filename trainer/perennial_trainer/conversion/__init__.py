"""Conversion of models to ONNX, and comparison with the original.

``convert`` finds the format by content and calls the module of that format, ``draw`` makes rows,
and ``check`` compares both models on them. Nothing is published without that comparison.
"""

import importlib
from pathlib import Path

from perennial_contracts.wire import formats as contents
from perennial_contracts.wire.formats import Format
from perennial_contracts.wire.outcome import LoadFailure

from ..errors import StepError
from . import mlflow_directory
from .agreement import check
from .converted import FORMAT_OPTION, Converted, ConvertOptions, Input
from .samples import draw

__all__ = ["ConvertOptions", "Converted", "Input", "check", "convert", "draw", "find"]

_MODULES: dict[Format, str] = {
    "Onnx": "onnx_file",
    "SkLearn": "scikit_learn",
    "XGBoost": "xgboost_file",
    "LightGBM": "lightgbm_file",
    "Keras": "keras_file",
    "SavedModel": "saved_model",
    "TFLite": "tflite",
    "PyTorch": "torch_program",
}


def convert(path: Path, format: Format | None, options: ConvertOptions) -> Converted:  # noqa: A002
    """Convert a model to ONNX, without a comparison.

    The comparison is ``check(converted, draw(converted, sample))``.

    Args:
        path: the file, or the directory that is or contains the model.
        format: the expected format; None to find it by content.
        options: facts that the user states about the model.

    Raises:
        StepError: UnsupportedModel if the content is not exactly one model, or has another format
            than expected; UntrustedModel; ConverterNotInstalled; ConversionFailed.
    """
    model_path, found = find(path, format)
    if found == "MLflow":
        inner, kind = mlflow_directory.find_model(model_path)
        return mlflow_directory.with_example(model_path, convert(inner, kind, options))
    module = importlib.import_module(f".{_MODULES[found]}", __name__)
    converted: Converted = module.convert(model_path, options)
    return converted


def find(path: Path, format: Format | None) -> tuple[Path, Format]:  # noqa: A002
    """Return the path of the model inside ``path``, and its format.

    Raises:
        StepError: ModelNotFound; UnsupportedModel.
    """
    if not path.exists():
        raise StepError(LoadFailure.MODEL_NOT_FOUND, f"{path}: expected a model, got nothing")
    root = path if path.is_dir() else path.parent
    inside = sorted(path.rglob("*")) if path.is_dir() else [path]
    heads, tails = {}, {}
    for each in filter(Path.is_file, inside):
        name = each.relative_to(root).as_posix()
        with each.open("rb") as file:
            heads[name] = file.read(contents.HEAD_BYTES)
            if heads[name].startswith(contents.ZIP_MAGIC):
                file.seek(max(each.stat().st_size - contents.TAIL_BYTES, 0))
                tails[name] = file.read()
    found = contents.candidates(heads, tails)
    if format is not None:
        found = [candidate for candidate in found if candidate.format == format] or found
    if len(found) != 1:
        raise StepError(LoadFailure.UNSUPPORTED_MODEL, contents.explain(heads, tails))
    (model,) = found
    if format is not None and model.format != format:
        raise StepError(
            LoadFailure.UNSUPPORTED_MODEL,
            f"expected {format}, got {model.format}: {model.path} {model.why}",
            field=FORMAT_OPTION,
            hint=f"Set {model.format}, or Auto",
        )
    return (root / model.path if model.path != "." else root), model.format
