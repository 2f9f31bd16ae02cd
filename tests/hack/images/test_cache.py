from pathlib import Path

import pytest

from perennial_build.cache import cache_root, cached, content_hash


def test_a_hash_depends_on_names_contents_and_facts(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    first = content_hash([tmp_path], "x", root=tmp_path)
    assert content_hash([tmp_path], "x", root=tmp_path) == first
    assert content_hash([tmp_path], "y", root=tmp_path) != first
    (tmp_path / "a").write_text("2")
    second = content_hash([tmp_path], "x", root=tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert len({first, second, content_hash([tmp_path], "x", root=tmp_path)}) == 3


def test_compiled_python_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    before = content_hash([tmp_path], root=tmp_path)
    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__/a.cpython-311.pyc").write_text("x")
    assert content_hash([tmp_path], root=tmp_path) == before


def test_neighbouring_facts_are_separated() -> None:
    assert content_hash([], "ab", "c") != content_hash([], "a", "bc")


def test_an_existing_result_is_not_rebuilt(tmp_path: Path) -> None:
    builds: list[Path] = []

    def build(target: Path) -> None:
        builds.append(target)
        target.write_text("result")

    for _ in range(2):
        assert cached(tmp_path / "thing", build).read_text() == "result"
    assert len(builds) == 1


def test_a_failed_build_leaves_no_result(tmp_path: Path) -> None:
    def build(target: Path) -> None:
        target.write_text("half")
        raise RuntimeError

    with pytest.raises(RuntimeError):
        cached(tmp_path / "thing", build)
    assert [path.name for path in tmp_path.iterdir()] == [".thing.lock"]


def test_the_remains_of_a_killed_build_are_removed(tmp_path: Path) -> None:
    (tmp_path / ".thing.build-dead").mkdir()
    cached(tmp_path / "thing", Path.touch)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".thing.lock", "thing"]


def test_the_environment_moves_the_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("PERENNIAL_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_root() == Path("/xdg/perennial")
    monkeypatch.setenv("PERENNIAL_CACHE", str(tmp_path))
    assert cache_root() == tmp_path
