from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from perennial_build.errors import ReportedError
from perennial_images import base, program, rust, store
from perennial_images.archive import write_scratch_image
from perennial_images.program import PROGRAM_IMAGES, project_facts

PYPROJECT = """
[build-system]
requires = ["hatchling"]
[project]
name = "perennial"
version = "1"
dependencies = ["numpy"]
[project.scripts]
run = "a:main"
[tool.ruff]
line-length = 100
"""


def test_a_linters_setting_does_not_rename_an_image() -> None:
    assert project_facts(PYPROJECT) == project_facts(PYPROJECT.replace("100", "80"))


def test_a_dependency_counts_by_the_lock_and_not_by_its_range() -> None:
    assert project_facts(PYPROJECT) == project_facts(PYPROJECT.replace("numpy", "numpy>=2"))


def test_an_entry_point_renames_an_image() -> None:
    assert project_facts(PYPROJECT) != project_facts(PYPROJECT.replace("a:main", "b:main"))


def test_images_of_different_bases_have_different_tags() -> None:
    image = PROGRAM_IMAGES["runtime"]
    assert program.tag(image, docker=True) != program.tag(image, docker=False)


@pytest.mark.parametrize(
    ("image", "packages"),
    [
        ("operator", ["perennial_contracts", "perennial_operator"]),
        ("runtime", ["perennial_contracts", "perennial_storage", "perennial_runtime"]),
        ("trainer", ["perennial_contracts", "perennial_storage", "perennial_trainer"]),
        ("trainer-tf", ["perennial_contracts", "perennial_storage", "perennial_trainer"]),
    ],
)
def test_each_image_contains_only_the_packages_that_it_needs(
    image: str, packages: list[str]
) -> None:
    assert [package.name for package in PROGRAM_IMAGES[image].packages] == packages


def test_another_front_renames_the_runtimes_image_and_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def tags() -> dict[str, str]:
        return {name: program.tag(image, docker=False) for name, image in PROGRAM_IMAGES.items()}

    before = tags()
    monkeypatch.setattr(rust, "sources", lambda: [rust.FRONT / "Cargo.toml"])
    after = tags()
    assert {name for name in before if before[name] != after[name]} == {"runtime"}


def test_the_error_of_a_failed_compiler_has_the_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_CACHE", str(tmp_path / "cache"))
    for program_name, line in (("cargo", "exit 1"), ("rustc", "echo rustc 1.0")):
        file = tmp_path / program_name
        file.write_text(f"#!/bin/sh\n{line}\n")
        file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ReportedError, match=r"Rust 1\.85 or newer is needed"):
        rust.front_wheel()


@pytest.mark.parametrize("name", PROGRAM_IMAGES)
def test_the_dockerfiles_run_as_a_normal_user_on_a_given_base(name: str) -> None:
    lines = PROGRAM_IMAGES[name].dockerfile.read_text().splitlines()
    assert f"ARG BASE={program.DOCKER_BASE}" in lines
    assert "USER 65532:65532" in lines


def test_the_base_keeps_python_and_licences_but_no_shell(tmp_path: Path) -> None:
    for name in (
        *("bin/sh", "usr/bin/python3.11", "usr/bin/perl", "usr/share/doc/x/copyright"),
        *("usr/share/doc/x/README", "usr/share/man/m", "usr/share/ca-certificates/a.crt"),
        *("usr/lib/python3.11/os.py", "etc/os-release"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    base.strip(tmp_path)
    files = {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()}
    assert {"usr/bin/python3.11", "usr/lib/python3.11/os.py", "usr/share/doc/x/copyright"} < files
    assert not files & {"bin/sh", "usr/bin/perl", "usr/share/doc/x/README", "usr/share/man/m"}
    bundle = tmp_path / "etc/ssl/certs/ca-certificates.crt"
    assert bundle.read_text() == "usr/share/ca-certificates/a.crt"


def test_only_the_newest_builds_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PERENNIAL_CACHE", str(tmp_path))
    store.store_root().mkdir()
    names = [f"runtime-{number}.oci.tar" for number in range(store.KEPT_BUILDS + 2)]
    for name in [*names, "operator-1.oci.tar"]:
        (store.store_root() / name).touch()
    store.prune("runtime")
    left = {path.name for path in store.archives()}
    assert len(left) == store.KEPT_BUILDS + 1
    assert "operator-1.oci.tar" in left


def test_the_error_for_an_unknown_image_lists_the_known_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_CACHE", str(tmp_path))
    with pytest.raises(ReportedError, match="perennial-images build"):
        store.find_archive("localhost/none:1")


def test_a_listing_of_the_store_during_pruning_is_consistent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_CACHE", str(tmp_path))
    store.store_root().mkdir()

    def build(number: int) -> None:
        for build in range(20):
            archive = tmp_path / f"runtime-{number}.{build}.oci.tar"
            write_scratch_image(archive, f"localhost/runtime:{number}.{build}", {}, ["/run"])
            archive.rename(store.store_root() / archive.name)
            store.prune("runtime")
            with pytest.raises(ReportedError, match="is neither a file nor an image"):
                store.find_archive("localhost/none:1")

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(build, range(4)))
    assert len(store.archives()) == store.KEPT_BUILDS
