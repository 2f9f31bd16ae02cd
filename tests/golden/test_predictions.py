"""Ids of predictions: labels can have ids of an earlier version."""

import os
from dataclasses import astuple

import numpy as np
import pytest
from golden.record import check

from perennial_runtime.protocol.perennial.prediction_id import NO_BIN, NO_CLASS, IdMaker, is_sampled

MOMENT = 1_767_323_045_678
CASES = ((0, 0), (1, 100), (7, 199), (NO_CLASS, NO_BIN))
MODELS = (("delays", "0123456789ab"), ("flights", "ffffffffffff"))


def test_the_ids_of_predictions_are_those_that_were_recorded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "urandom", lambda size: bytes(range(1, size + 1)))
    found = {}
    for model, version in MODELS:
        ids = IdMaker(model, version).make(MOMENT, CASES)
        maker = IdMaker(model, version)
        classes, bins = zip(*CASES, strict=True)
        numbers = maker.reserve(len(CASES))
        many = maker.make_many([MOMENT] * len(CASES), numbers, classes, np.array(bins))
        assert many == ids
        reader = IdMaker(model, "000000000000")
        found[model] = {text: list(astuple(reader.read(text))) for text in ids}
        kept = [permille for permille in range(0, 1001, 20) if is_sampled(ids[0], permille)]
        found[f"{model}, first kept at"] = kept[0]
    check("prediction_ids", found)
