"""A small student learns what the model answers (Hinton, Vinyals and Dean 2015).

The answers are soft: probabilities say more of a row than its label. They can be had for rows that
nobody has labelled, so the student also learns from rows between the given ones. Where the truth is
known, it learns what lies between that and the answer. The same student is taught the truth alone
for comparison, the control: where that one is as good, it is not the model's answers that helped.
"""

from collections.abc import Iterator

import numpy as np

from . import students
from .answers import Answers
from .augment import mixed, most_rows
from .encoding import Encoding
from .graph import parse, serialize
from .method import NotApplicableError, Variant
from .running import Session
from .samples import Samples, count

STUDENTS = (
    students.tree(6),
    students.dense(()),
    students.dense((32,)),
    students.tree(10),
    students.dense((128,)),
)
"""About from small to large."""
LEAST_ROWS = 50
TRUTH_SHARE = 0.5
"""Of the truth in what a student learns of a row where it is known."""
MOST_SHARE = 0.95
"""Of the model's size that a student may have to be worth teaching."""


def make(model: bytes, samples: Samples, seed: int) -> Iterator[Variant]:
    """Students, the smaller first, taught one by one as they are asked for.

    Raises:
        NotApplicableError: where there are no rows to learn from, or the model's outputs are not
            what a student can give.
    """
    rows_given = count(samples.learn)
    if min(rows_given, most_rows(samples.learn)) < LEAST_ROWS:
        large = ", and rows of this size are too large for more" if rows_given >= LEAST_ROWS else ""
        raise NotApplicableError(
            f"a student needs at least {LEAST_ROWS} rows to learn from, got "
            f"{min(rows_given, most_rows(samples.learn))}{large}"
        )
    original, session = parse(model), Session(model)
    learn, truth = samples.some(most_rows(samples.learn))
    answers = Answers.of(original, session.run(learn), truth)
    rows = mixed(learn, seed)
    soft = answers.targets(session.run(rows))
    whole = np.isfinite(soft).all(axis=1)
    encoding = Encoding.learn(learn)
    encoded = encoding.encode(rows)
    own = encoded[: count(learn)]
    own_soft = soft[: count(learn)]
    hard, known = _said(answers, own_soft)
    if truth is not None:
        true, is_known = answers.hard(truth)
        if is_known.sum() >= LEAST_ROWS:
            hard, known = true, is_known
            own_soft[known] += TRUTH_SHARE * (hard[known] - own_soft[known])

    def build(student: students.Student, taken: np.ndarray, targets: np.ndarray) -> bytes:
        taught = student.teach(taken, targets, answers.form != "values", seed)
        parts = [encoding.nodes(), taught, answers.nodes(original)]
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
            lambda student=student: build(student, own[known], hard[known]),  # type: ignore[misc]
        )
    if smallest is not None and smallest > MOST_SHARE * len(model):
        raise NotApplicableError(
            f"the smallest student has {smallest:,} bytes, the model {len(model):,}"
        )


def _said(answers: Answers, own: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the model says in place of the truth, as hard targets, and for which rows."""
    finite = np.isfinite(own).all(axis=1)
    if answers.form == "values":
        return own.copy(), finite
    return np.eye(answers.width, dtype=np.float32)[own.argmax(axis=1)], finite
