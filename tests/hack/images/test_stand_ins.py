import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from perennial_build.errors import ReportedError
from perennial_images import stand_ins
from perennial_images.stand_ins import NO_CUDA, Library, missing


def library(name: str, needs: str = "", has: str = "", wants: str = "") -> Library:
    return Library(name, *(frozenset(words.split()) for words in (needs, has, wants)))


def test_a_function_in_another_library_of_the_wheel_is_not_replaced() -> None:
    front = library("_C.so", needs="libback.so libgpu.so.13", wants="back gpu")
    back = library("libback.so", has="back")
    wanted = missing([front, back])
    assert wanted.libraries == ("libgpu.so.13",)
    assert wanted.functions == ("gpu",)


def test_an_unused_library_is_not_replaced() -> None:
    idle = library("libidle.so", needs="libz.so.1", wants="deflate")
    far = library("libfar.so", needs="libgpu.so.13", wants="gpu")
    near = library("libnear.so", needs="libfar.so")
    wanted = missing([idle, far, near, library("_C.so", needs="libnear.so")])
    assert wanted.libraries == ("libgpu.so.13",)
    assert wanted.functions == ("gpu",)


def test_functions_of_the_system_and_python_are_not_replaced() -> None:
    wants = "free _ZSt4cout@GLIBCXX_3.4 PyErr_SetString _Py_None gpu@libgpu.so.13"
    wanted = missing([library("_C.so", needs="libc.so.6", wants=wants)], frozenset({"free"}))
    assert wanted.libraries == ()
    assert wanted.functions == ("gpu",)


def compiled(folder: Path, name: str, code: str, *options: str) -> Path:
    (folder / "code.c").write_text(code)
    words = ["cc", "-shared", "-fPIC", f"-Wl,-soname,{name}", "-o", name, "code.c", *options]
    subprocess.run(words, cwd=folder, check=True)
    return folder / name


def test_a_library_loads_if_a_missing_one_is_replaced(tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    versions.write_text("libgpu.so.13 { global: devices; };")
    code = "int devices(void) { return 1; }"
    gone = compiled(tmp_path, "libgpu.so.13", code, f"-Wl,--version-script={versions}")
    # A pointer to it is looked up as the library is loaded, not as it is called.
    code = "int devices(void); int (*found)(void) = devices; int count(void) { return found(); }"
    user = compiled(tmp_path, "_C.so", code, "-L.", "-l:libgpu.so.13")
    gone.unlink()
    stand_ins.make([user], tmp_path / "made")
    said = subprocess.run(
        [sys.executable, "-c", f"import ctypes; print(ctypes.CDLL({str(user)!r}).count())"],
        env={**os.environ, "LD_LIBRARY_PATH": str(tmp_path / "made")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(said.stdout) == NO_CUDA


def test_a_wheel_of_another_project_is_rejected_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PERENNIAL_CACHE", str(tmp_path / "cache"))
    wheel = tmp_path / "torch-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("torch/__init__.py", "")
    with pytest.raises(ReportedError, match=r"torch-1-py3-none-any\.whl: expected a wheel"):
        stand_ins.of(wheel)
