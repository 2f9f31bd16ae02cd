from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.api.duration import seconds
from perennial_contracts.api.monitoring import Monitoring
from perennial_contracts.api.retraining import RetrainingPolicy
from perennial_contracts.api.retrainjob import TrainingData


@given(st.integers(1, 99_999), st.sampled_from("smhd"))
def test_a_duration_has_the_seconds_of_its_unit(number: int, unit: str) -> None:
    of_unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    assert seconds(f"{number}{unit}") == number * of_unit


@pytest.mark.parametrize(
    "text",
    ["", "6", "h", "0h", "06h", "-1h", "1.5h", "6 h", "6H", "6w", "1h30m", "6h\n", " 6h", "٣h"],
)
def test_an_invalid_duration_is_rejected_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="such as 6h, got"):
        seconds(text)


def test_no_duration_overflows_a_date() -> None:
    day = datetime(2026, 1, 1, tzinfo=UTC)
    for unit in "smhd":
        longest = timedelta(seconds=seconds(f"99999{unit}"))
        assert day - longest < day < day + longest
        with pytest.raises(ValueError, match="five digits"):
            seconds(f"100000{unit}")


def test_the_defaults_are_durations() -> None:
    assert seconds(Monitoring().window) == 3600
    assert seconds(RetrainingPolicy().cooldown) == 86_400
    assert seconds(TrainingData(label="y").window) == 30 * 86_400
