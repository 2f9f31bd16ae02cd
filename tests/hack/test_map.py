"""The map of the repository in CONTRIBUTING.md matches its folders."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PATH = re.compile(r"(?<![\w./:-])[\w-]+(?:/[\w.-]+)*(?:/|\.py)(?![\w/])")


def test_paths_in_the_map_exist() -> None:
    bases = [
        ROOT,
        *(folder for depth in ("*", "*/*", "*/*/*") for folder in ROOT.glob(f"[a-z]{depth}")),
    ]
    mentioned = set(PATH.findall((ROOT / "CONTRIBUTING.md").read_text()))
    assert len(mentioned) > 30
    missing = {path for path in mentioned if not any((base / path).exists() for base in bases)}
    assert missing == set()
