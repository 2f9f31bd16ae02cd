"""Small models in each format: do they convert, agree, how big and how fast are they then.

    .venv/bin/python -m benchmarks.formats
    .venv/bin/python -m benchmarks.formats --cluster perennial

trains a model for each format in an environment that can (made once, 3 GB with TensorFlow and
PyTorch), converts it there, compares it with the original, and measures one row on one thread. With
a cluster, which is made where there is none, each file is then put into its S3 server as it is, and
a ModelDeployment that says nothing of its format is asked the same rows: seconds from apply to the
first answer, and how far it is from the original's. Prints the table and keeps it in
build/benchmarks/formats.json, where models that are left out keep their rows.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from benchmarks.formats import making, serving, table  # noqa: E402
from benchmarks.formats.cases import CASES  # noqa: E402

RESULT = ROOT / "build" / "benchmarks" / "formats.json"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    titles = [case.title for case in CASES]
    parser.add_argument("--cluster", help="serve each on it too")
    parser.add_argument("--only", nargs="+", choices=titles, default=titles, metavar="MODEL")
    options = parser.parse_args()
    cases = [case for case in CASES if case.title in options.only]
    with tempfile.TemporaryDirectory() as scratch:
        for case in cases:
            making.make(case, Path(scratch))
            keep(case.title, making.measure(case, Path(scratch)))
        if options.cluster:
            for title, told in serving.serve(options.cluster, cases, Path(scratch)):
                keep(title, kept()[title] | told)
    print(table.render(kept()))


def kept() -> dict[str, dict[str, Any]]:
    """The rows that there are, in the order of the cases."""
    found = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    return {case.title: found[case.title] for case in CASES if case.title in found}


def keep(title: str, row: Mapping[str, Any]) -> None:
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({**kept(), title: row}, indent=1) + "\n")


if __name__ == "__main__":
    main()
