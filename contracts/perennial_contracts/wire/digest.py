"""Content digests, written as OCI writes them: ``sha256:`` and 64 hexadecimal digits."""

import hashlib
import re
from collections.abc import Mapping

DIGEST_PATTERN = r"^sha256:[0-9a-f]{64}$"


def digest_of(data: bytes) -> str:
    """The digest of some bytes.

    >>> digest_of(b"")[:15]
    'sha256:e3b0c442'
    """
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def digest_of_files(digests: Mapping[str, str]) -> str:
    """The digest of a directory: of what ``sha256sum`` prints for its files, in order of path.

    In the directory ``find . -type f | sed s:^./:: | LC_ALL=C sort | xargs -d '\\n' sha256sum |
    sha256sum`` tells the same.

    Args:
        digests: by path relative to the directory the digest of each file.
    """
    lines = (
        f"{digests[path].removeprefix('sha256:')}  {path}\n"
        for path in sorted(digests, key=str.encode)
    )
    return digest_of("".join(lines).encode())


def is_digest(text: str) -> bool:
    """Whether the text is a digest in the one form that is understood here."""
    return re.fullmatch(DIGEST_PATTERN, text) is not None
