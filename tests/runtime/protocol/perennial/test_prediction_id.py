"""Prediction ids: they contain the prediction, and other texts are rejected."""

import re
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.stats.quality import SCORE_BINS, score_bins
from perennial_runtime.classes import Classes, score_bin
from perennial_runtime.monitoring.monitor import Monitor
from perennial_runtime.monitoring.monitored_model import MonitoredModel
from perennial_runtime.protocol.perennial.prediction_id import NO_BIN, NO_CLASS, IdMaker, is_sampled
from perennial_runtime.signature import TensorSpec

NOW = 1_790_000_000_000
VERSION = "0123456789ab"
hexadecimal = st.text("0123456789abcdef", min_size=12, max_size=12)
classes = st.integers(0, NO_CLASS - 1)
bins = st.integers(0, SCORE_BINS - 1)


@given(hexadecimal, st.integers(0, 2**48 - 1), st.lists(st.tuples(classes, bins), max_size=9))
def test_an_id_contains_the_prediction(version, moment, answers):
    ids = IdMaker("delays", version).make(moment, answers)
    # Another process, which serves another version of the model.
    reader = IdMaker("delays", VERSION)
    found = [reader.read(text) for text in ids]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{32}", text) for text in ids)
    assert [(it.version, it.time, it.class_index, it.score_bin) for it in found] == [
        (version, moment, class_index, score) for class_index, score in answers
    ]


@given(
    hexadecimal,
    st.lists(
        st.tuples(
            st.integers(0, 2**48 - 1),
            st.integers(0, 2**42),
            st.integers(0, NO_CLASS),
            st.integers(0, NO_BIN),
        ),
        min_size=1,
        max_size=9,
    ),
)
def test_ids_made_together_equal_ids_made_one_by_one(version, cases):
    maker = IdMaker("delays", version)
    times, numbers, class_indices, score_bins_ = zip(*cases, strict=True)
    together = maker.make_many(times, numbers, class_indices, np.array(score_bins_))
    for text, (moment, number, *answer) in zip(together, cases, strict=True):
        maker._next = iter([number]).__next__
        assert maker.make(moment, [tuple(answer)]) == [text]


def test_a_reserved_number_is_used_once():
    maker = IdMaker("delays", VERSION)
    numbers = [number for count in (1, 3, 1) for number in maker.reserve(count)]
    (text,) = maker.make(NOW, [(0, 0)])
    (last,) = maker.make_many([NOW], numbers[-1:], [0], np.array([0]))
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert maker.read(text).key == maker.read(last).key + 1


def test_an_id_may_have_no_class_and_no_score():
    maker = IdMaker("delays", VERSION)
    (text,) = maker.make(NOW, [(NO_CLASS, NO_BIN)])
    assert (maker.read(text).class_index, maker.read(text).score_bin) == (None, None)


@given(st.integers(0, 24 * 8 - 1))
def test_a_flipped_bit_is_detected(position):
    maker = IdMaker("delays", VERSION)
    (text,) = maker.make(NOW, [(1, 100)])
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    index, bit = divmod(position, 6)
    changed = alphabet[alphabet.index(text[index]) ^ (1 << bit)]
    assert maker.read(text[:index] + changed + text[index + 1 :]) is None


@given(st.text(max_size=40))
def test_other_text_is_not_an_id(text):
    assert IdMaker("delays", VERSION).read(text) is None


def test_the_id_of_another_model_is_rejected():
    (text,) = IdMaker("delays", VERSION).make(NOW, [(1, 100)])
    assert IdMaker("shop", VERSION).read(text) is None


def test_ids_are_unique_across_threads_and_processes():
    makers = [IdMaker("delays", VERSION) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda i: makers[i % 4].make(NOW, [(0, 0)] * 500), range(80))
        ids = [text for batch in made for text in batch]
    assert len(set(ids)) == len(ids) == 40_000
    assert len({makers[0].read(text).key for text in ids}) == len(ids)


@given(st.floats(width=32) | st.floats(0, 1, width=32) | st.floats(0, 1))
def test_the_bin_of_one_score_equals_that_of_an_array(score):
    assert score_bin(score) == score_bins(np.array([score]))[0]


@pytest.mark.parametrize("permille", [1, 100, 500])
def test_a_sample_has_the_requested_size(permille):
    ids = IdMaker("delays", VERSION).make(NOW, [(1, 100)] * 100_000)
    kept = sum(is_sampled(text, permille) for text in ids)
    expected = 100 * permille
    assert abs(kept - expected) < 5 * expected**0.5
    assert all(is_sampled(text, 1000) for text in ids[:100])


@pytest.mark.parametrize("positive", [None, 0, 1])
@given(st.lists(st.floats(0, 1, width=32) | st.just(float("nan")), min_size=1, max_size=5))
def test_a_single_row_has_the_same_class_and_bin_as_in_a_batch(positive, chances):
    classes = Classes(("no", "yes"), positive, are_numbered=True)
    maker = IdMaker("delays", VERSION)
    inputs = [TensorSpec("x", "FP32", (-1, 1))]
    model = MonitoredModel("delays", VERSION, "sha256:0", inputs, maker, classes)
    monitor = Monitor(model, "i")
    yes = np.array(chances, np.float32)
    results = {"label": (yes > 0.5).astype(int), "probabilities": np.stack([1 - yes, yes], axis=1)}

    def contents(rows):
        feeds = {"x": np.zeros((len(yes[rows]), 1), np.float32)}
        some = {name: values[rows] for name, values in results.items()}
        found = [maker.read(text) for text in monitor.record(feeds, some, with_ids=True)]
        return [(each.class_index, each.score_bin) for each in found]

    alone = [contents(slice(index, index + 1)) for index in range(len(yes))]
    assert [each for (each,) in alone] == contents(slice(None))
