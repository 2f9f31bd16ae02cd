"""Files split from their folders, and secrets removed from URIs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_storage.uris import is_web, split, without_secrets

_NAMES = st.text("abcäß %?#=.-", min_size=1).filter(lambda name: name.strip("."))


@given(st.lists(_NAMES, min_size=1), _NAMES)
def test_a_file_of_a_bucket_is_split_from_its_folder(folders: list[str], name: str) -> None:
    folder = "gs://bucket/" + "/".join(folders)
    assert split(f"{folder}/{name}") == (folder, name)


@pytest.mark.parametrize(
    ("uri", "folder", "name"),
    [
        ("/model.skops", "/", "model.skops"),
        ("model.skops", ".", "model.skops"),
        ("https://host/model.skops", "https://host", "model.skops"),
    ],
)
def test_a_file_is_split_from_its_folder(uri: str, folder: str, name: str) -> None:
    assert split(uri) == (folder, name)


def test_a_key_with_a_question_mark_is_no_secret() -> None:
    assert without_secrets("s3://bucket/a?b") == "s3://bucket/a?b"


def test_a_malformed_url_has_no_secrets_either() -> None:
    assert without_secrets("https://me:pass@[host/x?sig=abc") == "https://[host/x"


def test_the_scheme_of_a_web_server_may_be_in_capitals() -> None:
    assert is_web("HTTPS://host/x")
    assert not is_web("https")
