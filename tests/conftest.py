"""What holds for all tests."""

import hypothesis
import pytest

from perennial_trainer.threads import settle_openmp

settle_openmp()

# How long an example of a property takes says nothing on a busy machine.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy")


# Before xdist looks for the mark.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of clusters run one after the other, in one process, beside all others."""
    for item in items:
        if any(map(item.get_closest_marker, ("cluster", "cluster_lifecycle"))):
            item.add_marker(pytest.mark.xdist_group("clusters"))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes are not told in a test's name: a protobuf map's differ from process to process."""
    return argname if isinstance(val, bytes) else None
