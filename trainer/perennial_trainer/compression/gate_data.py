"""Compression of a model without training rows: half of the gate's data trains."""

from pathlib import Path

from perennial_contracts.api.compression import Compression
from perennial_contracts.wire.modelcard import CompressionTrial
from perennial_contracts.wire.outcome import LoadFailure
from perennial_contracts.wire.profile import Profile
from perennial_contracts.wire.run_plan import TrainingFailure

from ..bundle import profile
from ..data import tables
from ..data.features import clean
from ..data.labels import as_text, clean_truth
from ..errors import StepError
from ..evaluation.held_out import HeldOutRows, PredictedRows
from ..evaluation.task import REGRESSION, make_task
from ..model.onnx_model import OnnxModel, SignatureError
from .challenger import compress_model

FIELD = "spec.compression.gate"
DATA_FIELD = f"{FIELD}.data"
FEWEST = 20
SEED = 0


def compress_rows(
    model: bytes, labels: list[str] | None, wanted: Compression, data: Path
) -> tuple[bytes, Profile, list[CompressionTrial]]:
    """Return the model to serve, its profile, and the trials.

    The first half of the rows is for calibration, fine-tuning and students, the second half for
    the gate and the profile.

    Args:
        model: an ONNX model of rows.
        labels: its classes in the order of its probabilities; None if they are unknown.
        wanted: methods and gate.
        data: the gate's rows, a Parquet file.

    Raises:
        StepError: UnsupportedModel if the model is not one of rows; DataUnreadable; BadPlan.
    """
    table = tables.read(data, DATA_FIELD)
    name = wanted.gate.label
    if name not in table.columns or len(table) < FEWEST:
        raise StepError(
            TrainingFailure.DATA_UNREADABLE,
            f"expected at least {FEWEST} rows with the column {name} of {FIELD}.label, got "
            f"{len(table)} rows with {', '.join(map(str, table.columns[:20]))}",
            field=DATA_FIELD,
        )
    try:
        original = OnnxModel(model, labels)
        frame = clean(table, original.features, DATA_FIELD)
        truth = clean_truth(table[name], name, DATA_FIELD, original.kind)
        if original.kind == "Classification":
            truth = as_text(truth)
            task = make_task(sorted({*(labels or ()), *truth}), None)
        else:
            task = REGRESSION
        half = len(frame) // 2
        held_out = frame.iloc[half:].reset_index(drop=True)
        rows = HeldOutRows("Recent", held_out, truth[half:])
        small, trials = compress_model(
            original, wanted, task, frame.iloc[:half], truth[:half], rows, SEED
        )
        answers = small.predict(held_out, task.classes)
    except SignatureError as error:
        raise StepError(
            LoadFailure.UNSUPPORTED_MODEL,
            f"the model cannot be measured on these rows: {error}",
            field=DATA_FIELD,
        ) from error
    except ValueError as error:
        raise StepError(TrainingFailure.DATA_UNREADABLE, str(error), field=DATA_FIELD) from error
    predicted = PredictedRows(task, small.features, held_out, truth[half:], answers)
    return small.data, profile.fit(predicted, SEED), trials
