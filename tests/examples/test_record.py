import csv

from flights_demo.news import Event
from flights_demo.record import Month, as_text, write_csv

APRIL = Month(
    4,
    flights=27_564,
    requests=431,
    frozen_auc=0.88612,
    living_auc=0.8931,
    versions=["aaa", "bbb"],
    events=[
        Event("drift", "InputAndPredictionDrift"),
        Event("started", "delays-1 by Drift"),
        Event("accepted", "delays-1: better"),
        Event("promoted", "revision bbb"),
        Event("drift", "InputAndPredictionDrift"),
    ],
)


def test_the_story_of_a_month_names_each_event_once():
    assert APRIL.story == "drift, retrained by Drift, promoted"
    assert Month(5).story == ""


def test_the_table_has_a_line_for_each_month(tmp_path):
    file = tmp_path / "demo" / "year.csv"
    write_csv([APRIL, Month(5)], file)
    with file.open() as source:
        first, second = csv.DictReader(source)
    assert first == {
        "month": "4",
        "requests": "431",
        "frozen_auc": "0.8861",
        "living_auc": "0.8931",
        "revision": "aaa bbb",
        "events": "drift, retrained by Drift, promoted",
    }
    assert second["frozen_auc"] == "nan"


def test_the_text_shows_the_gain_of_retraining():
    _, line = as_text([APRIL]).splitlines()
    assert line.split()[:5] == ["April", "27,564", "0.886", "0.893", "+0.007"]


def test_a_gain_of_nothing_has_no_minus() -> None:
    _, line = as_text([Month(2, frozen_auc=0.8932, living_auc=0.8931)]).splitlines()
    assert line.split()[4] == "+0.000"
