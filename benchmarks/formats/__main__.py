"""Convert small models of each format; measure agreement, size, time and serving.

    .venv/bin/python -m benchmarks.formats
    .venv/bin/python -m benchmarks.formats --cluster perennial

trains a model for each format in an environment with its framework (created once, 3 GB with
TensorFlow and PyTorch), converts it there, compares it with the original, and measures one row on
one thread. With a cluster, which is created if it does not exist, each file is then uploaded to its
S3 server, and a ModelDeployment without a format predicts the same rows: seconds from apply to the
first response, and its difference from the original. Prints the table and stores it in
build/benchmarks/formats.json, which keeps the rows of models that are left out.
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
    parser.add_argument("--cluster", help="cluster to serve the models on")
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
    """Return the stored rows, in the order of the cases."""
    found = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    return {case.title: found[case.title] for case in CASES if case.title in found}


def keep(title: str, row: Mapping[str, Any]) -> None:
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps({**kept(), title: row}, indent=1) + "\n")


if __name__ == "__main__":
    main()
