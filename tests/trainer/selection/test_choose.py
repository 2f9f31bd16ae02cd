"""The one-standard-error rule."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.api.search import CANDIDATES
from perennial_trainer.selection.choose import choose

FOLD_VALUES = st.lists(st.integers(0, 50).map(lambda n: n / 50), min_size=3, max_size=3)


@pytest.mark.parametrize(
    ("measured", "taken"),
    [
        # The gap of the first to the best varies more than its mean.
        ([("Logistic", [0.80, 0.84, 0.82]), ("MLP", [0.84, 0.83, 0.83])], 0),
        # The gap is small, but the same in each fold.
        ([("Logistic", [0.80, 0.81, 0.82]), ("MLP", [0.81, 0.82, 0.83])], 1),
        # The best settings of the simplest kind.
        (
            [
                ("MLP", [0.8, 0.8, 0.83]),
                ("Logistic", [0.8, 0.8, 0.8]),
                ("Logistic", [0.8, 0.81, 0.8]),
            ],
            2,
        ),
        ([("MLP", [0.8, 0.8, 0.8])], 0),
    ],
)
def test_the_simplest_kind_within_one_standard_error_of_the_best_is_chosen(measured, taken):
    assert choose([(kind, np.array(values)) for kind, values in measured], "f1")[0] == taken


@given(st.lists(st.tuples(st.sampled_from(CANDIDATES), FOLD_VALUES), min_size=1, max_size=12))
def test_the_choice_is_the_best_or_simpler_and_as_good_within_its_error(trials):
    measured = [(kind, np.array(values)) for kind, values in trials]
    taken, why = choose(measured, "f1")
    best = max(range(len(measured)), key=lambda place: measured[place][1].mean())
    kind, values = measured[taken]
    gap = measured[best][1] - values
    assert CANDIDATES.index(kind) <= CANDIDATES.index(measured[best][0])
    assert gap.mean() <= gap.std(ddof=1) / math.sqrt(3) + 1e-12
    assert why
    # The smallest error is the best.
    assert choose([(kind, -values) for kind, values in measured], "rmse")[0] == taken
