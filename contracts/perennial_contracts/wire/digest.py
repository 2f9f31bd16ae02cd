"""Content digests in the form of OCI: ``sha256:`` and 64 hexadecimal digits."""

import hashlib
import re
from collections.abc import Mapping

DIGEST_PATTERN = r"^sha256:[0-9a-f]{64}$"


def digest_of(data: bytes) -> str:
    """Return the digest of some bytes.

    >>> digest_of(b"")[:15]
    'sha256:e3b0c442'
    """
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_of_files(digests: Mapping[str, str]) -> str:
    """Return the digest of a directory, from the digests of its files.

    It is the digest of the output of ``sha256sum`` for the files in order of path.

    In the directory, ``find . -type f | sed s:^./:: | LC_ALL=C sort | xargs -d '\\n' sha256sum |
    sha256sum`` prints the same.

    Args:
        digests: digest of each file by its path relative to the directory.
    """
    lines = (
        f"{digests[path].removeprefix('sha256:')}  {path}\n"
        for path in sorted(digests, key=str.encode)
    )
    return digest_of("".join(lines).encode())


def is_digest(text: str) -> bool:
    """Return whether the text is a digest in this form."""
    return re.fullmatch(DIGEST_PATTERN, text) is not None
