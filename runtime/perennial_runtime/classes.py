"""The classes of a classifier, behind its outputs ``label`` and ``probabilities``."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perennial_contracts.stats.quality import SCORE_BINS, score_of
from perennial_contracts.wire.bundle import MODEL_NAME, Bundle
from perennial_contracts.wire.names import LABEL, PROBABILITIES
from perennial_contracts.wire.outcome import LoadFailure

from .errors import LoadError
from .signature import TensorSpec


@dataclass(frozen=True)
class Classes:
    """Names of the classes, in the order of the probabilities."""

    names: tuple[str, ...]
    positive: int | None
    """Index of the class whose probability is the score. None: the score is the highest one."""
    are_numbered: bool = False
    """True if the model's labels are indices into ``names`` instead of class names."""

    def own(self, label: np.ndarray) -> list[Any]:
        """Return the predicted labels of some rows, in the type that the classes have."""
        values: list[Any] = label.reshape(-1).tolist()
        if not self.are_numbered:
            return values
        count = len(self.names)
        return [self.names[value] if 0 <= value < count else value for value in values]

    def index(self, name: str) -> int | None:
        """Return the index of a class, or None for an unknown name."""
        return self.names.index(name) if name in self.names else None

    def match(self, label: Any) -> str | None:
        """Return the class that a client's label means, number or string, or None."""
        return next((text for text in (str(label), label_text(label)) if text in self.names), None)

    def scores(self, probabilities: np.ndarray) -> np.ndarray:
        """Return the scores; see :func:`perennial_contracts.stats.quality.score_of`."""
        return score_of(probabilities, self.positive)


def label_text(label: Any) -> str:
    """Return a label as text, and 1.0 as "1".

    Tables of labels turn whole numbers into floats.
    """
    return str(int(label) if isinstance(label, float) and label.is_integer() else label)


def score_bin(score: float) -> int:
    """Return the bin of one score.

    Faster than :func:`perennial_contracts.stats.quality.score_bins`, which takes an array.
    """
    if not score > 0:  # NaN too
        return 0
    return min(int(min(score, 1.0) * SCORE_BINS), SCORE_BINS - 1)


def classes_of(outputs: Sequence[TensorSpec], bundle: Bundle | None) -> Classes | None:
    """Return the classes of a model.

    None for a model that is no classifier, and if neither the bundle nor the shape gives their
    number.

    Raises:
        LoadError: ModelCorrupt if ``bundle.json`` does not fit the outputs.
    """
    found = {tensor.name: tensor for tensor in outputs}
    label, probabilities = found.get(LABEL), found.get(PROBABILITIES)
    if (
        label is None
        or probabilities is None
        or not label.is_column
        or label.datatype.startswith("FP")
        or len(probabilities.shape) != 2
        or probabilities.shape[0] != -1
        or not probabilities.datatype.startswith("FP")
    ):
        return None
    width = probabilities.shape[1]
    stated = bundle.labels if bundle else None
    if stated is None and width < 0:
        return None
    names = tuple(stated if stated is not None else map(str, range(width)))
    if width not in (-1, len(names)) or len(set(names)) != len(names):
        raise _corrupt(
            f"bundle.json: labels: expected a unique name for each of the {width} columns of "
            f"{MODEL_NAME}'s output {PROBABILITIES!r}, got {', '.join(names)}"
        )
    positive = bundle.positive if bundle else None
    if positive is not None and positive not in names:
        raise _corrupt(
            f"bundle.json: positive: expected one of {', '.join(names)}, got {positive!r}"
        )
    return Classes(
        names,
        names.index(positive) if positive is not None else None,
        are_numbered="INT" in label.datatype and not all(map(_is_whole_number, names)),
    )


def _is_whole_number(name: str) -> bool:
    return name.removeprefix("-").isdecimal()


def _corrupt(problem: str) -> LoadError:
    return LoadError(LoadFailure.MODEL_CORRUPT, f"{problem}. Fix: build the bundle again")
