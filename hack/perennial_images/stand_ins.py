"""Stand-ins for the CUDA libraries that PyPI's PyTorch wants at its start, where there are none.

Its wheel for Linux is linked against 3 GB of CUDA. On a CPU nothing of it is called, but the loader
wants every library that is named, with every function. So for each that the wheel does not bring
there is an empty library of that name, and one for all that has the functions, which only answer
that there is no CUDA: a library that is asked for a certain version of a function must not have it
without one. Names are read from the wheel itself: another version of PyTorch gets other stand-ins.
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
"""cudaErrorUnknown, which PyTorch takes for: there is no GPU."""
# What any Linux has, by PEP 599 (manylinux2014); libgomp comes with the wheel.
_OF_THE_SYSTEM = frozenset(
    {
        *("libgcc_s.so.1", "libstdc++.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libc.so.6"),
        *("libutil.so.1", "libpthread.so.0", "libresolv.so.2", "ld-linux-x86-64.so.2"),
    }
)
_VERSION_OF_THE_SYSTEM = re.compile(r"@@?(?:GLIBC|GLIBCXX|CXXABI|GCC)_")
_OF_PYTHON = re.compile(r"_?Py[A-Z_]")
_ROOT = re.compile(r"_C\.(.*\.)?so|libtorch_global_deps\.so")
"""What ``import torch`` loads; the wheel has libraries that nothing asks for."""
FUNCTIONS = "libcuda-stand-ins.so"
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True)
class Wanted:
    """What the libraries of a wheel want and nobody brings."""

    libraries: tuple[str, ...]
    functions: tuple[str, ...]


@dataclass(frozen=True)
class Library:
    """What a shared library says of itself."""

    name: str
    needs: frozenset[str]
    defined: frozenset[str]
    undefined: frozenset[str]
    """With their versions: ``cudaFree@libcudart.so.13``."""


def of(wheel: Path) -> Path:
    """A folder with the stand-ins for a wheel of PyTorch, compiled where the cache lacks it."""
    tag = content_hash([Path(__file__)], wheel.name, root=Path(__file__).parent)

    def compile_into(folder: Path) -> None:
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            make(_unpack(wheel, Path(scratch)), folder)

    return cached(cache_root() / "stand-ins" / tag, compile_into)


def make(libraries: Iterable[Path], target: Path) -> None:
    """Compile the stand-ins for some libraries into a folder, which may exist.

    Raises:
        ReportedError: there is no compiler, or one of them is no library.
    """
    install_packages(TOOLS)
    wanted = missing(map(read, libraries), _system())
    target.mkdir(parents=True, exist_ok=True)
    if wanted.libraries:
        with tempfile.TemporaryDirectory() as scratch:
            _compile(wanted, Path(scratch), target)


def missing(libraries: Iterable[Library], system: frozenset[str] = frozenset()) -> Wanted:
    """What PyTorch's libraries want that neither they nor the system nor Python has.

    Args:
        libraries: all of the wheel's.
        system: functions of the system's libraries. Most are known by their versions, but some of
            the wheel's libraries were linked without the system's, and ask for none.
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
    """Those that the loader comes to from the roots."""
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
        # Weak ones (v, w) may stay undefined.
        frozenset(words[0] for words in symbols if words[1] == "U"),
    )


def _system() -> frozenset[str]:
    """The functions of the system's libraries."""
    paths = (capture(["cc", f"-print-file-name={name}"]).strip() for name in _OF_THE_SYSTEM)
    # Of a library that there is not the compiler gives the name alone.
    return frozenset[str]().union(*(read(Path(path)).defined for path in paths if "/" in path))


def _unpack(wheel: Path, target: Path) -> list[Path]:
    """The shared libraries of a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if re.search(r"\.so(\.\d+)*$", name)]
        if not any(name.startswith("torch/lib/") for name in names):
            raise ReportedError(f"{wheel.name}: expected a wheel of PyTorch for Linux, got another")
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
