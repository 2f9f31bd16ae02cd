"""The base image without Docker: Debian's Python and little else.

Packages are unpacked, not installed, and the image has no shell, package manager or compiler. With
Docker the base is python:3.11-slim-bookworm, which has the same Python and C library.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from perennial_build.cache import cache_root, cached, content_hash
from perennial_build.progress import run_step

SUITE = "bookworm"
PACKAGES = ("python3", "libstdc++6", "libc-bin", "base-files", "ca-certificates")

_KEPT_PROGRAMS = ("python3", "python3.11")
_SUPERFLUOUS = (
    *("bin", "sbin", "boot", "home", "media", "mnt", "opt", "srv", "usr/sbin", "usr/games"),
    *("usr/lib/python3", "usr/lib/*/perl*", "usr/lib/*/audit", "usr/lib/*/libdb-*"),
    *("usr/lib/*/gconv", "usr/share/[!dc]*", "usr/share/debconf", "usr/share/debianutils"),
    *("usr/share/common-licenses", "usr/lib/python3.11/pydoc_data", "var/cache/*", "var/lib/*"),
)
_ACCOUNTS = {
    "etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\n"
    "nonroot:x:65532:65532:nonroot:/nonexistent:/sbin/nologin\n",
    "etc/group": "root:x:0:\nnonroot:x:65532:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}


def tree_archive() -> Path:
    """Return the base's file tree as a tar, after making it if it is missing."""
    recipe = content_hash([Path(__file__)], root=Path(__file__).parent)
    return cached(cache_root() / "bases" / f"{SUITE}-{recipe}.tar", _make)


def _make(target: Path) -> None:
    logs = cache_root() / "logs"
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        root = Path(scratch) / "root"
        run_step(
            f"unpacking Debian {SUITE}'s Python (the base image)",
            [
                *("mmdebstrap", "--mode=root", "--variant=extract"),
                *(f"--include={','.join(PACKAGES)}", SUITE, root),
            ],
            logs / "base.log",
        )
        strip(root)
        run_step(
            "packing the base image",
            [
                *("tar", "--create", "--file", target, "--directory", root, "--sort=name"),
                *("--owner=0", "--group=0", "--numeric-owner", "--mtime=@0", "."),
            ],
            logs / "base.log",
        )


def strip(root: Path) -> None:
    """Remove files that no program in a container reads, but keep the licences."""
    bundle_authorities(root)
    for program in (root / "usr/bin").iterdir():
        if program.name not in _KEPT_PROGRAMS:
            program.unlink()
    for document in (root / "usr/share/doc").rglob("*"):
        if not document.is_dir() and document.name != "copyright":
            document.unlink()
    for pattern in _SUPERFLUOUS:
        for path in root.glob(pattern):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
    for name, text in _ACCOUNTS.items():
        (root / name).write_text(text)


def bundle_authorities(root: Path) -> None:
    """Write the file of authorities that TLS clients read.

    The script of the package did not run. This machine's file is not used, because it can contain
    authorities of a private network.
    """
    certificates = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text("".join(path.read_text() for path in certificates))
