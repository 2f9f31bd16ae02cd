"""What one gets without learning anything."""

import numpy as np

from perennial_contracts.wire.modelcard import Score

from .scores import values
from .task import Answers, Task


def dummy(task: Task, learnt: np.ndarray, truth: np.ndarray) -> list[Score]:
    """Scores of answering the same always: the classes' shares, or the median.

    Args:
        task: the classes, or that numbers are told.
        learnt: the truth of the rows that were learnt from.
        truth: that of the rows that are judged on.
    """
    if task.kind == "Regression":
        said = Answers.of_numbers(np.full(len(truth), float(np.median(learnt))))
    else:
        shares = np.array([(learnt == label).mean() for label in task.classes])
        most = task.classes[int(shares.argmax())]
        said = Answers(
            np.full(len(truth), most, object), np.tile(shares, (len(truth), 1)), task.classes
        )
    return [
        Score(metric=metric, value=value) for metric, value in values(task, truth, said).items()
    ]
