"""Distillation: a small student learns the outputs of the model.

The outputs are soft targets (Hinton, Vinyals and Dean 2015): probabilities carry more information
about a row than its label. They exist for rows without a label too, so the student also learns
from generated rows between the given ones. For rows with a known truth, the target is between the
truth and the output. The control is the same student, trained on the truth alone: if it is as good,
the outputs of the model did not help.
"""

from collections.abc import Iterator

import numpy as np

from . import students
from .augment import mixed, most_rows
from .encoding import Encoding
from .graph import parse, serialize
from .method import NotApplicableError, Variant
from .outputs import OutputLayout
from .running import Session
from .samples import Samples, count

STUDENTS = (
    students.tree(6),
    students.dense(()),
    students.dense((32,)),
    students.tree(10),
    students.dense((128,)),
)
"""The students, approximately from small to large."""
LEAST_ROWS = 50
TRUTH_SHARE = 0.5
"""Share of the truth in the target of a row, if it is known."""
MOST_SHARE = 0.95
"""Largest size of a useful student, as a share of the model's size."""


def make(model: bytes, samples: Samples, seed: int) -> Iterator[Variant]:
    """Yield students, the smaller first. Each is trained when it is requested.

    Raises:
        NotApplicableError: if there are too few rows to train on, or no student can have the
            model's outputs.
    """
    rows_given = count(samples.learn)
    if min(rows_given, most_rows(samples.learn)) < LEAST_ROWS:
        large = ", and rows of this size are too large for more" if rows_given >= LEAST_ROWS else ""
        raise NotApplicableError(
            f"a student needs at least {LEAST_ROWS} rows to train on, got "
            f"{min(rows_given, most_rows(samples.learn))}{large}"
        )
    original, session = parse(model), Session(model)
    learn, truth = samples.some(most_rows(samples.learn))
    layout = OutputLayout.of(original, session.run(learn), truth)
    rows = mixed(learn, seed)
    soft = layout.targets(session.run(rows))
    whole = np.isfinite(soft).all(axis=1)
    encoding = Encoding.learn(learn)
    encoded = encoding.encode(rows)
    own = encoded[: count(learn)]
    own_soft = soft[: count(learn)]
    hard, labelled = _hard_targets(layout, own_soft)
    if truth is not None:
        true, has_truth = layout.hard(truth)
        if has_truth.sum() >= LEAST_ROWS:
            hard, labelled = true, has_truth
            own_soft[labelled] += TRUTH_SHARE * (hard[labelled] - own_soft[labelled])

    def build(student: students.Student, inputs: np.ndarray, targets: np.ndarray) -> bytes:
        trained = student.train(inputs, targets, layout.form != "values", seed)
        parts = [encoding.nodes(), trained, layout.nodes(original)]
        return serialize(students.assemble(original, parts))

    smallest = None
    for student in STUDENTS:
        made = build(student, encoded[whole], soft[whole])
        smallest = min(len(made), smallest or len(made))
        if len(made) > MOST_SHARE * len(model):
            continue
        yield Variant(
            made,
            student.name,
            lambda student=student: build(student, own[labelled], hard[labelled]),  # type: ignore[misc]
        )
    if smallest is not None and smallest > MOST_SHARE * len(model):
        raise NotApplicableError(
            f"the smallest student has {smallest:,} bytes, the model {len(model):,}"
        )


def _hard_targets(layout: OutputLayout, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return hard targets from the outputs of the model, and a mask of usable rows."""
    finite = np.isfinite(own).all(axis=1)
    if layout.form == "values":
        return own.copy(), finite
    return np.eye(layout.width, dtype=np.float32)[own.argmax(axis=1)], finite
