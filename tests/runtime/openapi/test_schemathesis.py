"""The server conforms to its OpenAPI document: Schemathesis sends requests."""

import subprocess
import sys

import pytest

EXAMPLES = 8
"""Random requests per operation, besides those that cover the schema's edges."""
CONFIG = """
# That data has as many elements as its shape says, and that inputs have the same number of rows,
# is beyond JSON Schema.
[[operations]]
include-path-regex = "/infer$|:(predict|classify|regress)$"
checks.positive_data_acceptance.enabled = false

# So is that an id was given by this model; and of several labels, a wrong one stops no other.
[[operations]]
include-path-regex = "/feedback$"
checks.positive_data_acceptance.enabled = false
checks.negative_data_rejection.enabled = false
"""


@pytest.fixture(scope="module")
def served(start, flights, affine, tmp_path_factory):
    """Servers of a classifier of rows and of a model of tensors, by their input."""
    bundle = tmp_path_factory.mktemp("flights")
    for name, data in flights().items():
        (bundle / name).write_bytes(data)
    bare = tmp_path_factory.mktemp("affine") / "double.onnx"
    bare.write_bytes(affine)
    return {
        "rows": start(bundle, "--name", "flights"),
        "tensors": start(bare, "--name", "double"),
    }


@pytest.mark.parametrize("kind", ["rows", "tensors"])
def test_the_server_conforms_to_the_document(served, kind, tmp_path):
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    url = f"http://127.0.0.1:{served[kind].port}"
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config)),
            *("run", f"{url}/openapi.json", "--max-examples", str(EXAMPLES), "--seed", "1"),
            # The same work as without a version.
            *("--exclude-path-regex", "/versions/.*/(infer|predict|feedback)$"),
            *("--generation-database", "none", "--no-color", "--continue-on-failure"),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert run.returncode == 0, run.stdout + run.stderr
