"""Modules of the demo, and flights that are quick to train on."""

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
    """Real flights and weather."""
    return data.read_tables()


@pytest.fixture(scope="session")
def rows(tables):
    """Rows of the whole year."""
    return data.to_rows(data.join(*tables))


@pytest.fixture(scope="session")
def made(rows):
    """Bundle trained on the first days of January."""
    return make_bundle(
        rows[:3000].table(),
        label=LABEL,
        positive="1",
        search=Search(candidates=["Logistic"], metric="roc_auc", maxTrials=1),
        lineage={},
    )
