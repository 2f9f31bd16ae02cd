"""Ids of predictions: what is put in comes out, and nothing else is taken for one."""

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
def test_an_id_says_what_was_predicted(version, moment, answers):
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
def test_ids_that_are_made_together_are_those_made_one_by_one(version, cases):
    maker = IdMaker("delays", version)
    times, numbers, class_indices, score_bins_ = zip(*cases, strict=True)
    together = maker.make_many(times, numbers, class_indices, np.array(score_bins_))
    for text, (moment, number, *answer) in zip(together, cases, strict=True):
        maker._next = iter([number]).__next__
        assert maker.make(moment, [tuple(answer)]) == [text]


def test_a_reserved_number_is_given_once():
    maker = IdMaker("delays", VERSION)
    numbers = [number for count in (1, 3, 1) for number in maker.reserve(count)]
    (text,) = maker.make(NOW, [(0, 0)])
    (last,) = maker.make_many([NOW], numbers[-1:], [0], np.array([0]))
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert maker.read(text).key == maker.read(last).key + 1


def test_an_id_without_class_and_score_says_so():
    maker = IdMaker("delays", VERSION)
    (text,) = maker.make(NOW, [(NO_CLASS, NO_BIN)])
    assert (maker.read(text).class_index, maker.read(text).score_bin) == (None, None)


@given(st.integers(0, 24 * 8 - 1))
def test_a_flipped_bit_is_noticed(position):
    maker = IdMaker("delays", VERSION)
    (text,) = maker.make(NOW, [(1, 100)])
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place, bit = divmod(position, 6)
    changed = alphabet[alphabet.index(text[place]) ^ (1 << bit)]
    assert maker.read(text[:place] + changed + text[place + 1 :]) is None


@given(st.text(max_size=40))
def test_other_text_is_no_id(text):
    assert IdMaker("delays", VERSION).read(text) is None


def test_the_id_of_another_model_is_none_of_this_one():
    (text,) = IdMaker("delays", VERSION).make(NOW, [(1, 100)])
    assert IdMaker("shop", VERSION).read(text) is None


def test_no_two_ids_are_alike_in_threads_and_processes():
    makers = [IdMaker("delays", VERSION) for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        made = pool.map(lambda i: makers[i % 4].make(NOW, [(0, 0)] * 500), range(80))
        ids = [text for batch in made for text in batch]
    assert len(set(ids)) == len(ids) == 40_000
    assert len({makers[0].read(text).key for text in ids}) == len(ids)


@given(st.floats(width=32) | st.floats(0, 1, width=32) | st.floats(0, 1))
def test_the_bin_of_one_score_is_that_of_many(score):
    assert score_bin(score) == score_bins(np.array([score]))[0]


@pytest.mark.parametrize("permille", [1, 100, 500])
def test_a_sample_is_as_large_as_it_was_asked_for(permille):
    ids = IdMaker("delays", VERSION).make(NOW, [(1, 100)] * 100_000)
    kept = sum(is_sampled(text, permille) for text in ids)
    expected = 100 * permille
    assert abs(kept - expected) < 5 * expected**0.5
    assert all(is_sampled(text, 1000) for text in ids[:100])


@pytest.mark.parametrize("positive", [None, 0, 1])
@given(st.lists(st.floats(0, 1, width=32) | st.just(float("nan")), min_size=1, max_size=5))
def test_a_row_alone_gets_what_it_gets_among_others(positive, chances):
    known = Classes(("no", "yes"), positive, are_numbered=True)
    maker = IdMaker("delays", VERSION)
    inputs = [TensorSpec("x", "FP32", (-1, 1))]
    model = MonitoredModel("delays", VERSION, "sha256:0", inputs, maker, known)
    monitor = Monitor(model, "i")
    yes = np.array(chances, np.float32)
    results = {"label": (yes > 0.5).astype(int), "probabilities": np.stack([1 - yes, yes], axis=1)}

    def said(rows):
        feeds = {"x": np.zeros((len(yes[rows]), 1), np.float32)}
        some = {name: values[rows] for name, values in results.items()}
        found = [maker.read(text) for text in monitor.record(feeds, some, with_ids=True)]
        return [(each.class_index, each.score_bin) for each in found]

    alone = [said(slice(place, place + 1)) for place in range(len(yes))]
    assert [each for (each,) in alone] == said(slice(None))
