import numpy as np
import pandas as pd

from flights_demo import data


def test_a_flight_gets_the_weather_of_its_origin_in_its_scheduled_hour(tables):
    flights, weather = tables
    joined = data.join(flights, weather)
    some = joined[joined["temp"].notna()].iloc[[0, 777, 40_000]]
    for _, flight in some.iterrows():
        same = (weather["origin"] == flight["origin"]) & (
            weather["time_hour"] == flight["time_hour"]
        )
        (reading,) = weather[same].to_dict("records")
        names = ("temp", "wind_speed", "precip", "visib")
        assert [flight[name] for name in names] == [reading[name] for name in names]


def test_every_flight_that_arrived_is_a_row_of_its_month(tables, rows):
    flights, _ = tables
    arrived = flights[flights["arr_delay"].notna()]
    assert len(rows) == len(arrived) == 327_346
    for month in range(1, 13):
        assert len(rows.month(month)) == (arrived["month"] == month).sum()


def test_a_table_has_the_features_and_the_label(rows):
    table = rows.month(2).table()
    assert list(table) == [*data.FEATURES, "late"]
    assert table["late"].tolist() == rows.month(2).late.tolist()


def test_late_means_more_than_fifteen_minutes_after_the_schedule():
    flights = pd.DataFrame(
        {
            "year": 2013,
            "month": 1,
            "day": 2,
            "arr_delay": [15.0, 16.0, -3.0, np.nan],
            "carrier": "UA",
            "origin": "EWR",
            "dest": "IAH",
            "hour": 5,
            "minute": [1, 2, 3, 4],
            "flight": 7,
            "distance": 1400,
            "dep_delay": 0.0,
            "time_hour": "2013-01-02T10:00:00Z",
        }
    )
    no_weather = pd.DataFrame(
        columns=["origin", "time_hour", "temp", "wind_speed", "precip", "visib"]
    )
    rows = data.to_rows(data.join(flights, no_weather.astype({"origin": object})))
    assert rows.late.tolist() == [0, 1, 0]
    assert rows.features["weekday"].tolist() == [2, 2, 2]  # a Wednesday
    assert rows.features["temp"].isna().all()


def test_rows_are_in_order_of_time_and_their_numbers_are_float32(rows):
    assert rows.hours.is_monotonic_increasing
    assert all(rows.features[name].dtype == np.float32 for name in data.NUMBERS)
    assert all(type(value) is str for value in rows.features["dest"][:100])


def test_the_second_load_reads_the_same_rows_from_the_cache(tmp_path, rows):
    cache = tmp_path / "demo" / "flights.csv"
    first, second = data.load(cache), data.load(cache)
    for loaded in (first, second):
        pd.testing.assert_frame_equal(loaded.features, rows.features)
        np.testing.assert_array_equal(loaded.late, rows.late)
