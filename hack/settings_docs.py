"""Write the tables of settings in docs/, from the tables in the programs.

python hack/settings_docs.py             write them
python hack/settings_docs.py --check     exit 1 if a page differs
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from perennial_contracts.settings import Setting, settings_table
from perennial_operator.settings import SETTINGS
from perennial_runtime.settings import COMMON, SERVE

ROOT = Path(__file__).parents[1]
BEGIN = "<!-- settings: written by hack/settings_docs.py -->\n"
END = "<!-- end of settings -->\n"
PAGES: dict[str, Sequence[Setting]] = {
    "docs/install.md": SETTINGS,
    "docs/runtime.md": COMMON + SERVE,
}


def updated(page: str, settings: Sequence[Setting]) -> str:
    """Return the page with the table of the settings between its two markers."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"expected the lines {BEGIN.strip()} and {END.strip()}")
    return f"{before}{BEGIN}\n{settings_table(settings)}\n{END}{after}"


def main(arguments: list[str] | None = None) -> int:
    """Write or check all pages; return 1 if a checked page differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    options = parser.parse_args(arguments)
    code = 0
    for name, settings in PAGES.items():
        path = ROOT / name
        page = path.read_text()
        new = updated(page, settings)
        if options.check and new != page:
            print(f"{name}: settings differ. Fix: python hack/settings_docs.py", file=sys.stderr)
            code = 1
        elif not options.check:
            path.write_text(new)
    return code


if __name__ == "__main__":
    sys.exit(main())
