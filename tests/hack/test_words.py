"""The rules of hack/words.py, on small texts."""

import ast
from pathlib import Path

import pytest

from words import (
    PARTS,
    ROOT,
    RULES,
    broken_by,
    count_breaches,
    main,
    plain,
    read_files,
    read_part,
)


def test_code_in_a_text_does_not_count() -> None:
    text = "Set `told` in [a file](anew.md):\n\n```\nborne\n```\n\nor at s3://told/anew, ``said``."
    assert not any(word in plain(text) for word in ("told", "anew", "borne", "said"))
    assert plain(text).count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("docstring", "broken"),
    [
        ("Return the labels.", []),
        ("Whether the labels fit.", ["opening", "not imperative"]),
        ("The labels.", ["not imperative"]),
        ("Returns the labels.", ["not imperative"]),
        ("Return " + "x" * 80, ["first line over 80"]),
    ],
)
def test_a_docstring_of_a_function_is_imperative_and_short(
    docstring: str, broken: list[str]
) -> None:
    (function,) = ast.parse("def f(): ...").body
    assert list(broken_by(docstring, function)) == broken


def test_a_property_is_documented_by_a_noun_phrase() -> None:
    (function,) = ast.parse("@functools.cached_property\ndef f(self): ...").body
    assert not list(broken_by("Labels by name.", function))


def test_docstrings_messages_and_test_names_are_read(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        '"""A module."""\n\n'
        "SIZE = 1\n"
        '"""Told once."""\n\n'
        "def test_it_is_tried_anew():\n"
        '    raise ValueError(f"expected a size, got {SIZE}: try it anew")\n'
    )
    reading = read_files(tmp_path, [module])
    assert {text.kind for text in reading.texts} == {"docstrings", "test names", "messages"}
    found = [(breach.line, breach.found) for breach in reading.breaches if breach.rule == RULES[0]]
    assert found == [
        (4, "Told"),
        (6, "anew"),
        (7, "anew"),
    ]


def test_descriptions_of_a_crd_are_read(tmp_path: Path) -> None:
    (tmp_path / "crds").mkdir()
    crd = tmp_path / "crds" / "kinds.yaml"
    crd.write_text("spec: {versions: [{description: What lies there.}], message: Say it}")
    reading = read_files(tmp_path, [crd])
    assert [text.words for text in reading.texts] == ["What lies there.", "Say it"]
    assert count_breaches(reading) == {"forbidden word": 1, "what": 1, "tell/say/ask": 1}


def test_limited_words_are_breaches_only_beyond_their_rate(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("what " * 7 + "word " * 993)
    assert count_breaches(read_part(tmp_path, "docs")) == {"what": 2}


def test_the_check_lists_breaches_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--check", "--root", str(tmp_path)]) == 0
    (tmp_path / "README.md").write_text("A page.\n\nMade anew.\n")
    assert main(["--check", "--root", str(tmp_path)]) == 1
    assert capsys.readouterr().out == "README.md:3: forbidden word: anew\n"


def test_every_part_names_files_that_exist() -> None:
    empty = [part for part, patterns in PARTS.items() if not any(map(has_files, patterns))]
    assert empty == []


def has_files(pattern: str) -> bool:
    return next(ROOT.glob(pattern), None) is not None
