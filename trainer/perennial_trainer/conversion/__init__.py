"""From what people's frameworks save to ONNX, compared with the original."""

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
    """A model as ONNX, not yet compared: that is ``check(converted, draw(converted, sample))``.

    Args:
        path: of the file, or of the directory where the format is one or the model lies in it.
        format: None to find it by content.
        options: what the user says of it.

    Raises:
        StepError: UnsupportedModel where the content is no model, or more than one, or is of
            another format than was said; UntrustedModel; ConverterNotInstalled; ConversionFailed.
    """
    place, found = find(path, format)
    if found == "MLflow":
        inner, kind = mlflow_directory.inner(place)
        return mlflow_directory.with_example(place, convert(inner, kind, options))
    module = importlib.import_module(f".{_MODULES[found]}", __name__)
    converted: Converted = module.convert(place, options)
    return converted


def find(path: Path, format: Format | None) -> tuple[Path, Format]:  # noqa: A002
    """Where exactly the model lies, and its format.

    Raises:
        StepError: ModelNotFound; UnsupportedModel.
    """
    if not path.exists():
        raise StepError(LoadFailure.MODEL_NOT_FOUND, f"{path}: expected a model, got nothing")
    root = path if path.is_dir() else path.parent
    files = [one for one in sorted(path.rglob("*")) if one.is_file()] if path.is_dir() else [path]
    heads, tails = {}, {}
    for each in files:
        name = each.relative_to(root).as_posix()
        with each.open("rb") as file:
            heads[name] = file.read(contents.HEAD_BYTES)
            if heads[name].startswith(contents.ZIP_MAGIC):
                file.seek(max(each.stat().st_size - contents.TAIL_BYTES, 0))
                tails[name] = file.read()
    found = contents.candidates(heads, tails)
    if format is not None:
        found = [one for one in found if one.format == format] or found
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
