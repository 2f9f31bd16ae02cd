"""The drift profile of a model whose rows have no truth: inputs and answers, and no scores."""

from pathlib import Path

import numpy as np

from perennial_contracts.profile import (
    MAX_FEATURES,
    Profile,
    fit_categories,
    fit_numbers,
)
from perennial_contracts.quality import score_of

from .. import tables
from ..errors import StepError
from ..features import clean
from ..onnx_model import OnnxModel, SignatureError
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
    positive = answers.classes[-1] if len(answers.classes) == 2 else None
    place = answers.classes.index(positive) if positive else None
    return Profile(
        rows=len(frame),
        features=[
            fit_categories(feature.name, frame[feature.name].to_numpy(object))
            if feature.is_text
            else fit_numbers(feature.name, frame[feature.name].to_numpy(np.float32))
            for feature in known.features[:MAX_FEATURES]
        ],
        score=fit_numbers("score", score_of(answers.probabilities, place)),
        label=fit_categories("label", answers.labels, keep=answers.classes),
        positive=positive,
        quality={},
    )
