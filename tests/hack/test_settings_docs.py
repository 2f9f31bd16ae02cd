"""The tables of settings in docs/ are those of the programs."""

import pytest

from perennial_contracts.settings import Setting
from settings_docs import BEGIN, END, main, updated

TABLE = (Setting("port", int, 1, "port to listen on"),)


def test_the_pages_have_the_settings_of_the_programs() -> None:
    assert main(["--check"]) == 0, "Fix: python hack/settings_docs.py"


def test_only_the_part_between_the_markers_is_replaced() -> None:
    page = updated(f"before\n{BEGIN}old\n{END}after\n", TABLE)
    assert page.startswith("before\n")
    assert page.endswith("after\n")
    assert "old" not in page
    assert "| `--port` | `PERENNIAL_PORT` | 1 | port to listen on |" in page
    assert updated(page, TABLE) == page


def test_a_page_without_markers_is_an_error() -> None:
    with pytest.raises(ValueError, match="expected the lines"):
        updated("page", TABLE)
