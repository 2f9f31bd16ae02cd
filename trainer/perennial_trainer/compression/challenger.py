"""Makes the challenger smaller or faster before it is judged, where the run asks for it."""

import numpy as np
import pandas as pd

from perennial_contracts.api.compression import Compression, resolve_compression_gate
from perennial_contracts.stats.quality import ERRORS
from perennial_contracts.wire.modelcard import CompressionTrial
from perennial_contracts.wire.names import LABEL
from perennial_contracts.wire.run_plan import TrainingFailure

from ..data.features import tensors
from ..errors import StepError
from ..evaluation.held_out import LEAST_ASIDE, Rows
from ..evaluation.scores import measure
from ..evaluation.task import Task
from ..log import log
from ..model.onnx_model import OnnxModel


def compress_model(
    model: OnnxModel,
    wanted: Compression,
    task: Task,
    learn: pd.DataFrame,
    learnt: np.ndarray,
    aside: Rows,
    seed: int,
) -> tuple[OnnxModel, list[CompressionTrial]]:
    """The model that is judged, and what was tried; the same model where nothing was kept.

    Args:
        model: the challenger as it was trained.
        wanted: methods, and what they may lose.
        task: the classes, or that numbers are told.
        learn: clean rows that it has learnt from.
        learnt: their truth, texts or float64.
        aside: rows that it has not learnt from, which the gate of the compression is asked on.
        seed: of what is drawn.

    Raises:
        StepError: BadPlan where the gate's metric is none of this task, or is not defined here.
    """
    # What is not wanted is not loaded: it takes seconds.
    from . import Samples, compress

    gate = resolve_compression_gate(wanted.gate, task.kind)
    wanted, metric = wanted.model_copy(update={"gate": gate}), gate.metric
    if metric not in task.metrics:
        raise StepError(
            TrainingFailure.BAD_PLAN,
            f"compression.gate.metric: expected one of {', '.join(task.metrics)}, got {metric}",
        )

    def score(outputs: dict[str, np.ndarray]) -> float:
        answers = model.read(outputs, task.classes)
        return measure(task, aside.truth, answers).value(metric)

    samples = Samples(
        learn=tensors(learn, model.features),
        learn_truth=_as_answered(model, task, learnt),
        held_out=tensors(aside.frame, model.features),
        score=score,
        metric=metric,
        higher_is_better=metric not in ERRORS,
    )
    try:
        found = compress(model.data, wanted, samples, seed=seed, tell=log)
    except ValueError as error:
        raise StepError(TrainingFailure.BAD_PLAN, f"compression.{error}") from error
    if found.method is None:
        return model, list(found.trials)
    return OnnxModel(found.model, model.labels), list(found.trials)


def not_compressed(wanted: Compression, recent: Rows) -> list[CompressionTrial]:
    """What is told of the methods where the held-out rows are too few to choose by."""
    why = (
        f"the {len(recent.truth):,} held-out rows are too few: a third of them, the earlier ones, "
        f"would be set aside to choose by, at least {LEAST_ASIDE}, and both parts need more than "
        "one label. Raise data.holdoutPermille"
    )
    log(f"not compressed: {why}")
    return [
        CompressionTrial(method=method.type, status="NotApplicable", why=why)
        for method in wanted.methods
    ]


def _as_answered(model: OnnxModel, task: Task, truth: np.ndarray) -> np.ndarray:
    """The truth in the form of the model's own answers: numbers, texts, or places of classes."""
    if task.kind == "Regression":
        return truth
    label = next(output for output in model.outputs if output.name == LABEL)
    if label.datatype == "BYTES":
        return truth
    names = model.labels or task.classes
    numbers = all(name.removeprefix("-").isdecimal() for name in names)
    place = {name: int(name) if numbers else index for index, name in enumerate(names)}
    return np.array([place[text] for text in truth], np.int64)
