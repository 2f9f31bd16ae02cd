"""Empty stand-ins for the CUDA libraries that PyPI's PyTorch needs at its start.

PyTorch's wheel for Linux is linked against 3 GB of CUDA. Without a GPU it calls none of that, but
the loader requires every library, with every function. For each library that the wheel does not
contain, there is an empty one of that name. One more library has all the functions, which return
that there is no CUDA; they must not be in libraries with versioned functions. All names are read
from the wheel, so that each version of PyTorch gets its own stand-ins.
"""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from perennial_build.cache import cache_root, cached, content_hash
from perennial_build.debian import Package, install_packages
from perennial_build.errors import ReportedError
from perennial_build.progress import capture

TOOLS = (Package("gcc", "cc"), Package("binutils", "readelf"), Package("binutils", "nm"))
NO_CUDA = 999
"""cudaErrorUnknown, which means to PyTorch that there is no GPU."""
# On every Linux by PEP 599 (manylinux2014); libgomp is in the wheel.
_OF_THE_SYSTEM = frozenset(
    {
        *("libgcc_s.so.1", "libstdc++.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libc.so.6"),
        *("libutil.so.1", "libpthread.so.0", "libresolv.so.2", "ld-linux-x86-64.so.2"),
    }
)
_VERSION_OF_THE_SYSTEM = re.compile(r"@@?(?:GLIBC|GLIBCXX|CXXABI|GCC)_")
_OF_PYTHON = re.compile(r"_?Py[A-Z_]")
_ROOT = re.compile(r"_C\.(.*\.)?so|libtorch_global_deps\.so")
"""Libraries that ``import torch`` loads; the wheel also has unused ones."""
FUNCTIONS = "libcuda-stand-ins.so"
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Wanted:
    """Libraries and functions that a wheel needs and does not contain."""

    libraries: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Library:
    """The name and the symbols of a shared library."""

    name: str
    needs: frozenset[str]
    defined: frozenset[str]
    undefined: frozenset[str]
    """Functions with their versions: ``cudaFree@libcudart.so.13``."""


def of(wheel: Path) -> Path:
    """Return the stand-ins for a wheel of PyTorch, after compiling the missing."""
    tag = content_hash([Path(__file__)], wheel.name, root=Path(__file__).parent)

    def compile_into(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            make(_unpack(wheel, Path(scratch)), folder)

    return cached(cache_root() / "stand-ins" / tag, compile_into)


def make(libraries: Iterable[Path], target: Path) -> None:
    """Compile the stand-ins for some libraries into a folder, which can exist.

    Raises:
        ReportedError: there is no compiler, or a file is not a library.
    """
    install_packages(TOOLS)
    wanted = missing(map(read, libraries), _system())
    target.mkdir(parents=True, exist_ok=True)
    if wanted.libraries:
        with tempfile.TemporaryDirectory() as scratch:
            _compile(wanted, Path(scratch), target)


def missing(libraries: Iterable[Library], system: frozenset[str] = frozenset()) -> Wanted:
    """Return the needs that PyTorch's libraries, the system and Python do not meet.

    Args:
        libraries: all libraries of the wheel.
        system: functions of the system's libraries. Most are recognized by their versions, but some
            libraries of the wheel were linked without the system's and need no version.
    """
    found = _loaded({library.name: library for library in libraries})
    here = {library.name for library in found}
    defined = system.union(*(library.defined for library in found))
    needed = frozenset[str]().union(*(library.needs for library in found))
    undefined = frozenset[str]().union(*(library.undefined for library in found))
    functions = {
        symbol.partition("@")[0]
        for symbol in undefined
        if not _VERSION_OF_THE_SYSTEM.search(symbol) and not _OF_PYTHON.match(symbol)
    }
    return Wanted(
        tuple(sorted(needed - here - _OF_THE_SYSTEM)),
        tuple(sorted(name for name in functions - defined if _NAME.fullmatch(name))),
    )


def _loaded(libraries: Mapping[str, Library]) -> list[Library]:
    """Return the libraries that the loader loads, starting from the roots."""
    names = [name for name in libraries if _ROOT.fullmatch(name)]
    for name in names:
        more = libraries[name].needs & libraries.keys()
        names += sorted(more.difference(names))
    return [libraries[name] for name in names]


def read(path: Path) -> Library:
    """Read the dynamic section and the symbols of a shared library."""
    dynamic = capture(["readelf", "-dW", path])
    names = re.findall(r"\(SONAME\).*\[(.+)\]", dynamic)
    symbols = [line.split() for line in capture(["nm", "-D", "-P", path]).splitlines()]
    return Library(
        names[0] if names else path.name,
        frozenset(re.findall(r"\(NEEDED\).*\[(.+)\]", dynamic)),
        frozenset(words[0].partition("@")[0] for words in symbols if words[1] not in "Uvw"),
        # Weak symbols (v, w) can remain undefined.
        frozenset(words[0] for words in symbols if words[1] == "U"),
    )


def _system() -> frozenset[str]:
    """Return the functions of the system's libraries."""
    paths = (capture(["cc", f"-print-file-name={name}"]).strip() for name in _OF_THE_SYSTEM)
    # For a missing library, the compiler prints the name without a path.
    return frozenset[str]().union(*(read(Path(path)).defined for path in paths if "/" in path))


def _unpack(wheel: Path, target: Path) -> list[Path]:
    """Extract and return the shared libraries of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if re.search(r"\.so(\.\d+)*$", name)]
        if not any(name.startswith("torch/lib/") for name in names):
            raise ReportedError(f"{wheel.name}: expected a wheel of PyTorch for Linux")
        return [Path(archive.extract(name, target)) for name in names]


def _compile(wanted: Wanted, scratch: Path, target: Path) -> None:
    source = scratch / "stand_ins.c"
    source.write_text(
        "".join(f"int {name}(void) {{ return {NO_CUDA}; }}\n" for name in wanted.functions)
    )
    shared = ["cc", "-shared", "-nostdlib", "-s", "-fPIC", "-w", "-fno-builtin", f"-L{target}"]
    capture([*shared, f"-Wl,-soname,{FUNCTIONS}", "-o", target / FUNCTIONS, source])
    for name in wanted.libraries:
        options = [f"-Wl,-soname,{name}", "-Wl,--no-as-needed", "-Wl,-rpath,$ORIGIN"]
        capture([*shared, *options, "-o", target / name, f"-l:{FUNCTIONS}"])
