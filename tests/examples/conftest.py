"""The demo's modules, and flights that are quick to train on."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "examples" / "flights"))

from flights_demo import data, training


@pytest.fixture(scope="session")
def tables():
    """The real flights and weather."""
    return data.read_tables()


@pytest.fixture(scope="session")
def rows(tables):
    """January and February."""
    return data.to_rows(data.join(*tables))


@pytest.fixture(scope="session")
def trained(rows):
    """A model of the first days of January."""
    return training.train(rows[:3000])
