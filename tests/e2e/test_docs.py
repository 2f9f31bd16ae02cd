"""The API server accepts every resource in the documentation and the examples."""

import re
from pathlib import Path

import pytest
from support.cluster import Namespace

pytestmark = pytest.mark.cluster

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SHOWN = [
    pytest.param(block, id=f"{page.name}-{number}")
    for page in PAGES
    for number, block in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL))
]
EXAMPLES = [
    pytest.param(file.read_text(), id=f"{file.parent.name}-{file.name}")
    for file in sorted((ROOT / "examples" / "trainers").glob("*/*.yaml"))
]


@pytest.mark.parametrize("block", SHOWN + EXAMPLES)
def test_a_resource_in_the_documentation_is_accepted(namespace: Namespace, block: str) -> None:
    namespace.cluster.kubectl(
        "apply",
        "--dry-run=server",
        "-f",
        "-",
        stdin=re.sub(r"namespace: \w+", f"namespace: {namespace.name}", block),
    )
