"""The table of what has arrived, against a plain set of bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_storage.parts import PART_BYTES, DownloadRecord, Parts

SIZES = st.integers(0, 60)


@given(SIZES, st.integers(1, 13), st.data())
def test_missing_and_received_bytes_are_the_whole(size, part_bytes, data):
    parts = Parts(size, part_bytes)
    arrived: set[int] = set()
    while missing := parts.missing():
        assert not arrived & {at for span in missing for at in range(*span)}
        assert arrived | {at for span in missing for at in range(*span)} == set(range(size))
        assert all(span.start // part_bytes == (span.end - 1) // part_bytes for span in missing)
        span = data.draw(st.sampled_from(missing))
        count = data.draw(st.integers(1, span.end - span.start))
        parts.add(span.start, count)
        arrived |= set(range(span.start, span.start + count))
        assert parts.received == len(arrived)
        assert set(range(parts.prefix)) <= arrived
        assert parts.prefix == size or parts.prefix not in arrived
        assert parts.extent == max(arrived) + 1
    assert parts.prefix == parts.received == size


@given(SIZES.filter(bool), st.integers(1, 13), st.data())
def test_bytes_out_of_order_are_rejected(size, part_bytes, data):
    parts = Parts(size, part_bytes)
    span = parts.missing()[-1]
    at = data.draw(st.integers(span.start, span.end - 1))
    too_many = span.end - at + 1
    with pytest.raises(ValueError, match="expected bytes at"):
        parts.add(at, too_many)
    if at > span.start:
        with pytest.raises(ValueError, match="expected bytes at"):
            parts.add(at, 1)
    assert parts.received == 0


def test_a_record_is_read_as_it_was_written():
    parts = Parts(2 * PART_BYTES + 5)
    parts.add(PART_BYTES, 17)
    parts.add(2 * PART_BYTES, 5)
    found = DownloadRecord.from_bytes(
        DownloadRecord("s3://b/x", '"v"', parts).to_bytes(), "s3://b/x"
    )
    assert found is not None
    assert found.version == '"v"'
    assert found.parts.missing() == parts.missing()
    assert found.parts.size == parts.size


def test_a_record_of_another_uri_is_none():
    data = DownloadRecord("s3://b/x", '"v"', Parts(5)).to_bytes()
    assert DownloadRecord.from_bytes(data, "s3://b/y") is None


@pytest.mark.parametrize(
    "change",
    [
        {"size": -1},
        {"size": 10**30},
        {"size": True},
        {"size": "5"},
        {"part_bytes": 1},
        {"done": [6]},
        {"done": [-1]},
        {"done": [0, 0]},
        {"done": []},
        {"done": None},
        {"done": ["0"]},
    ],
    ids=str,
)
def test_an_impossible_record_is_none(change):
    fields = json.loads(DownloadRecord("u", '"v"', Parts(5)).to_bytes())
    assert DownloadRecord.from_bytes(json.dumps(fields).encode(), "u") is not None
    assert DownloadRecord.from_bytes(json.dumps({**fields, **change}).encode(), "u") is None


@given(
    st.binary() | st.recursive(st.none() | st.integers(), st.lists).map(json.dumps).map(str.encode)
)
def test_any_bytes_for_a_record_are_none(data):
    assert DownloadRecord.from_bytes(data, "u") is None
