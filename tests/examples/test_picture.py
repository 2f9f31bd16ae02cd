import matplotlib.image
import pytest

from flights_demo import picture
from flights_demo.news import Event
from flights_demo.record import Month


@pytest.mark.parametrize("count", [1, 11])
def test_the_picture_is_drawn_for_any_number_of_months(tmp_path, count):
    months = [
        Month(2 + number, flights=25_000, frozen_auc=0.89, living_auc=0.89 + number / 1000)
        for number in range(count)
    ]
    months[0].events.append(Event("promoted", "revision abc"))
    file = tmp_path / "demo" / "year.png"
    picture.draw(months, file)
    assert matplotlib.image.imread(file).shape[:2] == (1100, 2000)
