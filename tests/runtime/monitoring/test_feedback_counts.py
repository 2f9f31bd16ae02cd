"""Labels are counted by the prediction that they belong to."""

from perennial_runtime.classes import Classes
from perennial_runtime.monitoring.feedback_counts import FeedbackCounts
from perennial_runtime.protocol.perennial.prediction_id import PredictionId

CLASSES = Classes(("0", "1"), 1)


def prediction(key=0, predicted=1, score=150):
    return PredictionId("0" * 12, 0, key, predicted, score)


def test_labels_are_counted_by_their_prediction():
    counts = FeedbackCounts(CLASSES)
    for key, (predicted, score, truth) in enumerate([(1, 150, "1"), (1, 150, "0"), (0, 10, "1")]):
        counts.add(prediction(key, predicted, score), truth)
    labels, matrix, scores = counts.read()
    assert labels == 3
    assert matrix == [[0, 1], [1, 1]]
    assert [sum(row) for row in scores] == [1, 2]
    assert (scores[0][150], scores[1][150], scores[1][10]) == (1, 1, 1)


def test_a_repeated_label_is_counted_once(monkeypatch):
    monkeypatch.setattr("perennial_runtime.monitoring.feedback_counts.REMEMBERED_IDS", 2)
    counts = FeedbackCounts(CLASSES)
    for key in (1, 1, 2, 1):
        counts.add(prediction(key), "1")
    assert counts.read()[0] == 2
    for key in (3, 1):  # 1 is forgotten meanwhile: memory is bounded
        counts.add(prediction(key), "1")
    assert counts.read()[0] == 4


def test_scores_need_a_positive_class_and_a_matrix_needs_classes():
    for classes, size in ((Classes(("0", "1"), None), 2), (None, 0)):
        counts = FeedbackCounts(classes)
        counts.add(prediction(), "1")
        labels, matrix, scores = counts.read()
        assert (labels, len(matrix), scores) == (1, size, [])
