"""Generated rows with a known truth, and servers of stores."""

from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd
import pytest
from support.stores import (  # noqa: F401
    azure_server,
    folder_uri,
    gcs_xml_server,
    hub,
    s3_server,
    variables,
    web,
)
from threadpoolctl import threadpool_limits


def make_rows(count: int, seed: int = 0, *, drift: float = 0.0) -> pd.DataFrame:
    """Return rows of three numbers and a text; the label ``late`` is 0 or 1.

    The first number has gaps. ``drift`` moves the cause of ``late`` from the text to that number.
    """
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "gap": random.normal(size=count).astype(np.float32),
            "wind": random.normal(size=count).astype(np.float32),
            "carrier": random.choice(["AA", "UA", "DL", "rare"], count, p=[0.4, 0.4, 0.19, 0.01]),
            "hour": random.integers(0, 24, count),
        }
    )
    push = (1 - drift) * (frame["carrier"] == "AA") + drift * 2 * frame["gap"].fillna(0)
    noise = random.normal(size=count) * 0.7
    late = frame["wind"] + 2 * push + (frame["hour"] > 18) + noise > 1.2
    frame.loc[random.random(count) < 0.1, "gap"] = np.nan
    return frame.assign(late=late.astype(int))


@pytest.fixture(scope="session")
def rows() -> Callable[..., pd.DataFrame]:
    return make_rows


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads of linear algebra wait for each other on a busy machine."""
    with threadpool_limits(1):
        yield
