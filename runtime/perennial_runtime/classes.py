"""The classes of a classifier: what its outputs ``label`` and ``probabilities`` mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from perennial_contracts.stats.quality import SCORE_BINS, score_of
from perennial_contracts.wire.bundle import MODEL_NAME, Bundle
from perennial_contracts.wire.outcome import LoadFailure

from .errors import LoadError
from .signature import TensorSpec

LABEL, PROBABILITIES = "label", "probabilities"


@dataclass(frozen=True)
class Classes:
    """The classes as text, in the order of the probabilities."""

    names: tuple[str, ...]
    positive: int | None
    """Index of the class that scores are about; None: they are about the likeliest."""
    are_numbered: bool = False
    """Whether the model answers a class's place among the names, rather than the class itself."""

    def own(self, label: np.ndarray) -> list[Any]:
        """The predicted labels of some rows, in the model's own type."""
        values: list[Any] = label.reshape(-1).tolist()
        if not self.are_numbered:
            return values
        count = len(self.names)
        return [self.names[value] if 0 <= value < count else value for value in values]

    def index(self, name: str) -> int | None:
        """The place of a class among the names."""
        return self.names.index(name) if name in self.names else None

    def match(self, label: Any) -> str | None:
        """The class that a client's label means, be it a number or a string; None for none."""
        return next((text for text in (str(label), label_text(label)) if text in self.names), None)

    def scores(self, probabilities: np.ndarray) -> np.ndarray:
        """See :func:`perennial_contracts.stats.quality.score_of`."""
        return score_of(probabilities, self.positive)


def label_text(label: Any) -> str:
    """A label as text. 1.0 is "1": tables of labels turn whole numbers into floats."""
    return str(int(label) if isinstance(label, float) and label.is_integer() else label)


def score_bin(score: float) -> int:
    """What :func:`perennial_contracts.stats.quality.score_bins` gives for one score, and faster."""
    if not score > 0:  # NaN too
        return 0
    return min(int(min(score, 1.0) * SCORE_BINS), SCORE_BINS - 1)


def classes_of(outputs: Sequence[TensorSpec], bundle: Bundle | None) -> Classes | None:
    """The classes of a model; None where it is no classifier, or nobody says how many there are.

    Raises:
        LoadError: ModelCorrupt where ``bundle.json`` does not fit the outputs.
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
            f"bundle.json: labels: expected a name for each of the {width} columns of "
            f"{MODEL_NAME}'s output {PROBABILITIES!r}, each once, got {', '.join(names)}"
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
    return LoadError(LoadFailure.MODEL_CORRUPT, f"{problem}. Make the bundle again")
