"""Files that one training leaves for the next, beside the model in a bundle.

A trainer that continues from the champion needs more than its ONNX model, for example the weights
in the format of its framework. Files in OUTPUT/extra go into the bundle, and the next training
finds them in INPUT/champion/extra.
"""

import re
import shutil
import stat
from pathlib import Path

from perennial_contracts.wire.run_plan import CHAMPION_FOLDER, EXTRA_FOLDER, TrainingFailure

from ..errors import StepError

MOST_FILES = 20
LARGEST = 256 * 2**20
"""Most bytes of all files together: every pod that serves the model fetches them too."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def read(output: Path) -> dict[str, bytes]:
    """Return the extra files of a trainer, by their paths in the bundle.

    Raises:
        StepError: ExtraRefused for too many or too large files, and for anything but plain files:
            a link would publish its target.
    """
    folder = output / EXTRA_FOLDER
    if not folder.is_symlink() and not folder.exists():
        return {}
    if folder.is_symlink() or not folder.is_dir():
        raise _refusal(folder, "expected a folder of files")
    paths = sorted(folder.iterdir())
    if len(paths) > MOST_FILES:
        raise _refusal(folder, f"expected at most {MOST_FILES} files, got {len(paths)}")
    total = 0
    for path in paths:
        if not _NAME.fullmatch(path.name):
            raise _refusal(folder, f"expected names such as model.keras, got {path.name!r}")
        status = path.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise _refusal(path, "expected a plain file, got a folder, a link or the like")
        total += status.st_size
    if total > LARGEST:
        raise _refusal(folder, f"expected at most {LARGEST:,} bytes in all, got {total:,}")
    return {f"{EXTRA_FOLDER}/{path.name}": path.read_bytes() for path in paths}


def copy_champion(fetched: Path, into: Path) -> None:
    """Copy the champion's files into a step's input; without one, clear them there.

    Args:
        fetched: the folder with the champion's files.
        into: the input folder.
    """
    target = into / CHAMPION_FOLDER
    shutil.rmtree(target, ignore_errors=True)
    if fetched.is_dir():
        shutil.copytree(fetched, target)


def _refusal(path: Path, problem: str) -> StepError:
    return StepError(TrainingFailure.EXTRA_REFUSED, problem, field=str(path))
