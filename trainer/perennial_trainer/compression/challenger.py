"""Compression of the challenger before it is judged, if the run wants it."""

import numpy as np
import pandas as pd

from perennial_contracts.api.compression import Compression, resolve_compression_gate
from perennial_contracts.stats.quality import ERRORS
from perennial_contracts.wire.modelcard import CompressionTrial
from perennial_contracts.wire.names import LABEL
from perennial_contracts.wire.run_plan import TrainingFailure

from ..data.features import tensors
from ..errors import StepError
from ..evaluation.held_out import LEAST_ASIDE, HeldOutRows
from ..evaluation.scores import measure
from ..evaluation.task import Task
from ..log import log
from ..model.onnx_model import OnnxModel
from .samples import Samples

METRIC_FIELD = "compression.gate.metric"


def compress_model(
    model: OnnxModel,
    wanted: Compression,
    task: Task,
    learn: pd.DataFrame,
    learnt: np.ndarray,
    aside: HeldOutRows,
    seed: int,
) -> tuple[OnnxModel, list[CompressionTrial]]:
    """Return the model to judge, and the trials; the same model if none was kept.

    Args:
        model: the challenger as it was trained.
        wanted: methods and gate.
        task: classification with its classes, or regression.
        learn: clean training rows.
        learnt: their truth, texts or float64.
        aside: rows for the gate of the compression, which were not used for training.
        seed: seed of the random numbers.

    Raises:
        StepError: BadPlan if the gate's metric does not fit the task, or is not defined here.
    """
    # The import takes seconds, so runs without compression skip it.
    from .compress import MetricError, compress

    gate = resolve_compression_gate(wanted.gate, task.kind)
    wanted, metric = wanted.model_copy(update={"gate": gate}), gate.metric
    if metric not in task.metrics:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"expected one of {', '.join(task.metrics)}, got {metric}",
            field=METRIC_FIELD,
        )

    def score(outputs: dict[str, np.ndarray]) -> float:
        answers = model.read_outputs(outputs, task.classes)
        return measure(task, aside.truth, answers).value(metric)

    samples = Samples(
        learn=tensors(learn, model.features),
        learn_truth=_as_model_output(model, task, learnt),
        held_out=tensors(aside.frame, model.features),
        score=score,
        metric=metric,
        higher_is_better=metric not in ERRORS,
    )
    try:
        found = compress(model.data, wanted, samples, seed=seed, log=log)
    except MetricError as error:
        raise StepError(TrainingFailure.BAD_PLAN, error.detail, field=METRIC_FIELD) from error
    except ValueError as error:
        raise StepError(TrainingFailure.BAD_PLAN, str(error), field="compression") from error
    if found.method is None:
        return model, list(found.trials)
    return OnnxModel(found.model, model.labels), list(found.trials)


def not_compressed(wanted: Compression, recent: HeldOutRows) -> list[CompressionTrial]:
    """Return the trials of all methods if the held-out rows are too few."""
    why = (
        f"the {len(recent.truth):,} held-out rows are too few: compression sets aside the earlier "
        f"third of them, at least {LEAST_ASIDE} rows, and both parts need more than one label. "
        "Raise data.holdoutPermille"
    )
    log(f"not compressed: {why}")
    return [
        CompressionTrial(method=method.type, status="NotApplicable", why=why)
        for method in wanted.methods
    ]


def _as_model_output(model: OnnxModel, task: Task, truth: np.ndarray) -> np.ndarray:
    """Return the truth as the model's output has it: numbers, texts, or class indices."""
    if task.kind == "Regression":
        return truth
    label = next(output for output in model.outputs if output.name == LABEL)
    if label.datatype == "BYTES":
        return truth
    names = model.labels or task.classes
    numbers = all(name.removeprefix("-").isdecimal() for name in names)
    indices = {name: int(name) if numbers else index for index, name in enumerate(names)}
    return np.array([indices[text] for text in truth], np.int64)
