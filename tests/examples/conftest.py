"""The demo's modules, and flights that are quick to train on."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "flights"))

from flights_demo import data
from flights_demo.data import LABEL
from perennial_contracts.api.search import Search
from perennial_trainer.steps.fit import make_bundle


@pytest.fixture(scope="session")
def tables():
    """The real flights and weather."""
    return data.read_tables()


@pytest.fixture(scope="session")
def rows(tables):
    """The whole year."""
    return data.to_rows(data.join(*tables))


@pytest.fixture(scope="session")
def made(rows):
    """A bundle that was trained on the first days of January."""
    return make_bundle(
        rows[:3000].table(),
        label=LABEL,
        positive="1",
        search=Search(candidates=["Logistic"], metric="roc_auc", maxTrials=1),
        lineage={},
    )
