"""The drift profile of a model whose rows have no truth: inputs and answers, and no scores."""

from pathlib import Path

from perennial_contracts.profile import Profile

from .. import tables
from ..bundle.profile import describe
from ..errors import StepError
from ..evaluate.task import Task
from ..model.features import clean
from ..model.onnx_model import OnnxModel, SignatureError
from ..progress import tell


def profile_rows(model: bytes, labels: list[str] | None, sample: Path) -> Profile | None:
    """The profile on the user's rows; None for a model that is no classifier of their columns.

    Args:
        model: the ONNX model.
        labels: its classes, in the order of its probabilities.
        sample: a Parquet file.
    """
    if labels is None:
        return None
    try:
        known = OnnxModel(model, labels)
        frame = clean(tables.read(sample), known.features, "spec.packaging.sample")
        answers = known.answer(frame, labels)
    except (SignatureError, StepError) as error:
        tell(f"without a drift profile: {error}")
        return None
    positive = labels[-1] if len(labels) == 2 else None
    return describe(frame, known.features, answers, Task(labels, positive))
