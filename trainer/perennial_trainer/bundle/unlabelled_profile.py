"""The drift profile of a model whose rows have no truth: inputs and answers, and no scores.

Of a table's rows it holds every feature and the answers; of tensors (images, a matrix) the answers
alone, as a profile has a distribution for one value a row.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from perennial_contracts.wire.names import PROBABILITIES
from perennial_contracts.wire.profile import Profile

from ..data import tables
from ..data.features import Feature, clean
from ..errors import StepError
from ..evaluation.task import REGRESSION, Answers, Task
from ..log import log
from ..model.onnx_model import OnnxModel, SignatureError
from .profile import describe

FIELD = "spec.packaging.sample"


def profile_rows(
    model: bytes, labels: list[str] | None, sample: Path, feeds: Mapping[str, np.ndarray]
) -> Profile | None:
    """The profile on the user's rows; None for a model that is neither classifier nor regressor.

    Args:
        model: the ONNX model.
        labels: its classes, in the order of its probabilities, where they are known.
        sample: a Parquet file.
        feeds: its rows as the model's inputs take them, by name.
    """
    try:
        known = OnnxModel(model, labels, is_table=False)
        task = _task(known, labels)
        frame, features, answers = _answers(model, known, task, sample, feeds)
    except (SignatureError, StepError) as error:
        log(f"without a drift profile: {error}")
        return None
    return describe(frame, features, answers, task)


def _task(model: OnnxModel, labels: list[str] | None) -> Task:
    if model.kind == "Regression":
        return REGRESSION
    if labels is None:
        width = next(each.shape[1] for each in model.outputs if each.name == PROBABILITIES)
        if width < 1:
            raise SignatureError(f"output {PROBABILITIES}: nobody says how many classes there are")
        # So the runtime names them, too.
        labels = [str(number) for number in range(width)]
    return Task(labels, labels[-1] if len(labels) == 2 else None)


def _answers(
    model: bytes,
    known: OnnxModel,
    task: Task,
    sample: Path,
    feeds: Mapping[str, np.ndarray],
) -> tuple[pd.DataFrame, list[Feature], Answers]:
    if all(Feature.of(tensor) for tensor in known.inputs):
        table = OnnxModel(model, task.classes)
        frame = clean(tables.read(sample, FIELD), table.features, FIELD)
        return frame, table.features, table.answer(frame, task.classes)
    if any(not tensor.shape or tensor.shape[0] > 0 for tensor in known.inputs):
        raise SignatureError("the model answers a fixed number of rows, which are not counted")
    answers = known.answer_tensors(feeds, task.classes)
    return pd.DataFrame(index=range(len(answers.labels))), [], answers
