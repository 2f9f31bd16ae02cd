import matplotlib.image
import numpy as np

from flights_demo import picture
from flights_demo.training import Scores


def test_the_picture_is_drawn_also_where_a_class_has_no_rows(tmp_path):
    file = tmp_path / "demo" / "confusion.png"
    counts = np.array([[17_403, 790], [0, 0]])
    picture.draw(counts, ("on time", "late"), Scores(0.9, 0, 0, 0.5), "Title", "Caption", file)
    assert matplotlib.image.imread(file).shape[:2] == (1440, 1600)
