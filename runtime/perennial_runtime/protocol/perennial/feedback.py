"""True labels of predictions, in JSON.

A request is ``{"feedback": [{"prediction_id": "...", "label": 1}, ...]}``.
"""

from dataclasses import dataclass, field
from typing import Any

import orjson

from ...classes import Classes, label_text
from ...errors import BadRequestError
from ...regression import number_label
from ..shared.messages import brief, listing
from .prediction_id import IdMaker, PredictionId


@dataclass
class Feedback:
    """The entries of one request. A wrong entry does not affect the others."""

    ids: list[str] = field(default_factory=list)
    predictions: list[PredictionId] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    """Labels as text. ``ids`` and ``predictions`` have the same length."""
    rejected: list[dict[str, Any]] = field(default_factory=list)

    def encode(self) -> bytes:
        """Return the body of the response.

        Raises:
            AllRejectedError: if no entry is valid.
        """
        response: dict[str, Any] = {"accepted": len(self.ids), "rejected": self.rejected}
        if not self.ids:
            raise AllRejectedError(response)
        return orjson.dumps(response)


class AllRejectedError(BadRequestError):
    """No label of a request is valid.

    The body has the structure of a successful response, and an error.
    """

    def __init__(self, response: dict[str, Any]) -> None:
        first = response["rejected"][0]["error"]
        super().__init__(f"feedback: no label was accepted; error of the first: {first}")
        self._response = response

    def body(self) -> bytes:
        """Return the body of the response, with the reason for each label."""
        return orjson.dumps({**self._response, "error": str(self)})


class FeedbackCodec:
    """Reads feedback for one model."""

    def __init__(
        self,
        model: str,
        version: str,
        ids: IdMaker,
        classes: Classes | None,
        *,
        is_regression: bool = False,
    ) -> None:
        """Create a codec; ``classes`` limits the labels of a classifier."""
        self._model, self._version = model, version
        self._is_regression = is_regression
        self._ids = ids
        self._classes = classes

    def decode(self, body: bytes) -> Feedback:
        """Read the body of a feedback request.

        Raises:
            BadRequestError: if the body has no list of labels.
        """
        try:
            request = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            raise BadRequestError(f"body: expected JSON, got an error: {error}") from None
        entries = request.get("feedback") if type(request) is dict else None
        if type(entries) is not list or not entries:
            raise BadRequestError(
                'feedback: expected {"feedback": [{"prediction_id": "...", "label": ...}, ...]} '
                "with one label or more, "
                f"got {brief(entries if type(request) is dict else request)}"
            )
        feedback = Feedback()
        for index, entry in enumerate(entries):
            text = entry.get("prediction_id") if type(entry) is dict else None
            try:
                if type(entry) is not dict:
                    raise ValueError(f"expected an object, got {brief(entry)}")
                if type(text) is not str:
                    raise ValueError(
                        "prediction_id: expected the one in the response of "
                        f"/v2/models/{self._model}/predict, got {brief(text)}"
                    )
                prediction = self._prediction(text)
                label = self._label(prediction, entry.get("label"))
            except ValueError as error:
                feedback.rejected.append(
                    {"index": index, "prediction_id": text, "error": str(error)}
                )
                continue
            feedback.ids.append(text)
            feedback.predictions.append(prediction)
            feedback.labels.append(label)
        return feedback

    def _prediction(self, text: str) -> PredictionId:
        prediction = self._ids.read(text)
        if prediction is None:
            raise ValueError(
                f"prediction_id: expected one that the model {self._model!r} has returned, with "
                f"its 32 characters unchanged, got {brief(text)}"
            )
        return prediction

    def _label(self, prediction: PredictionId, label: Any) -> str:
        classes = self._classes
        is_value = type(label) in (str, int, float, bool)
        # Another version may have had other classes.
        is_ours = prediction.version == self._version
        if self._is_regression and is_ours:
            number = number_label(label)
            if number is None:
                raise ValueError(f"label: expected a number, got {brief(label)}")
            return number
        if classes is None or not is_ours:
            if not is_value:
                raise ValueError(f"label: expected a number or a string, got {brief(label)}")
            return label_text(label)
        match = classes.match(label) if is_value else None
        if match is None:
            raise ValueError(f"label: expected one of {listing(classes.names)}, got {brief(label)}")
        return match
