"""What one training leaves to the next: files beside the model, published and found again.

A trainer that goes on from the model that serves needs more of it than its ONNX form: the weights
in its framework's own format, say. What it leaves in OUTPUT/extra goes into the bundle, and lies in
INPUT/champion/extra when the next one runs.
"""

import re
import shutil
import stat
from pathlib import Path

from perennial_contracts.wire.run_plan import CHAMPION_FOLDER, EXTRA_FOLDER, TrainingFailure

from ..errors import StepError

MOST_FILES = 20
LARGEST = 256 * 2**20
"""Bytes of all together: every pod that serves the model fetches them, too."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def read(output: Path) -> dict[str, bytes]:
    """The files that a trainer left beside its model, by their paths in the bundle.

    Raises:
        StepError: ExtraRefused for too many or too large ones, and for all but plain files: a link
            would publish what it points to.
    """
    folder = output / EXTRA_FOLDER
    if not folder.is_symlink() and not folder.exists():
        return {}
    if folder.is_symlink() or not folder.is_dir():
        raise _refusal(f"{folder}: expected a folder of files")
    paths = sorted(folder.iterdir())
    if len(paths) > MOST_FILES:
        raise _refusal(f"{folder}: expected at most {MOST_FILES} files, got {len(paths)}")
    total = 0
    for path in paths:
        if not _NAME.fullmatch(path.name):
            raise _refusal(f"{folder}: expected names such as model.keras, got {path.name!r}")
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise _refusal(f"{path}: expected a plain file, got a folder, a link or the like")
        total += status.st_size
    if total > LARGEST:
        raise _refusal(f"{folder}: expected at most {LARGEST:,} bytes in all, got {total:,}")
    return {f"{EXTRA_FOLDER}/{path.name}": path.read_bytes() for path in paths}


def leave_champion(fetched: Path, into: Path) -> None:
    """Leaves the files of the model that serves in a step's input; nothing where there is none.

    Args:
        fetched: the folder that the champion was fetched into.
        into: the input folder.
    """
    target = into / CHAMPION_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    if fetched.is_dir():
        shutil.copytree(fetched, target)


def _refusal(message: str) -> StepError:
    return StepError(TrainingFailure.EXTRA_REFUSED, message)
