"""A scikit-learn pipeline, fitted on the earlier flights and judged on the later ones."""

from dataclasses import asdict, dataclass

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import accuracy_score, f1_score, recall_score, roc_auc_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder

from .data import CATEGORIES, NUMBERS, Rows

SEED = 2013
HELD_OUT_SHARE = 0.2
LABELS = ("on time", "late")
"""What the classes 0 and 1 mean."""


@dataclass(frozen=True)
class Scores:
    """How good predictions are; recall and F1 are about the late flights."""

    accuracy: float
    recall: float
    f1: float
    roc_auc: float

    def by_name(self) -> dict[str, float]:
        """The scores under scikit-learn's names, to four digits."""
        return {name: round(value, 4) for name, value in asdict(self).items()}


@dataclass(frozen=True)
class Trained:
    """A fitted pipeline and what it was judged on."""

    pipeline: Pipeline
    trained_on: Rows
    held_out: Rows
    scores: Scores
    """On the held-out rows."""


def train(rows: Rows) -> Trained:
    """Fits on the earlier four fifths of the rows and judges on the rest.

    Rows are not shuffled: the flights of one stormy day are alike, and to know some of them helps
    with the others in a way that no model can be helped with tomorrow.
    """
    cut = round(len(rows) * (1 - HELD_OUT_SHARE))
    earlier, later = rows[:cut], rows[cut:]
    pipeline = make_pipeline()
    pipeline.fit(earlier.features, earlier.late)
    return Trained(pipeline, earlier, later, judge(pipeline, later))


def make_pipeline() -> Pipeline:
    """Boosted trees over one-hot categories; missing weather is left to the trees."""
    categories = OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype=np.float32)
    return Pipeline(
        [
            (
                "columns",
                ColumnTransformer(
                    [
                        ("categories", categories, list(CATEGORIES)),
                        ("numbers", "passthrough", list(NUMBERS)),
                    ]
                ),
            ),
            (
                "trees",
                HistGradientBoostingClassifier(
                    max_iter=200, learning_rate=0.05, max_leaf_nodes=15, random_state=SEED
                ),
            ),
        ]
    )


def judge(pipeline: Pipeline, rows: Rows) -> Scores:
    """The scores of a pipeline on some rows."""
    return score(rows.late, pipeline.predict_proba(rows.features)[:, 1])


def score(late: np.ndarray, probability: np.ndarray) -> Scores:
    """The scores of some predictions.

    Args:
        late: shape (rows,), 0 or 1.
        probability: shape (rows,), that the flight is late.
    """
    said = (probability > 0.5).astype(np.int64)
    return Scores(
        accuracy=float(accuracy_score(late, said)),
        recall=float(recall_score(late, said)),
        f1=float(f1_score(late, said)),
        roc_auc=float(roc_auc_score(late, probability)),
    )
