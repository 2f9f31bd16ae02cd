from typing import Any

from support.worlds import DIGEST, NOW, OTHER_DIGEST

from perennial_contracts.wire.counters import Counters
from perennial_operator.monitoring.targets import Target, Targets
from perennial_operator.monitoring.windows import Observation
from perennial_operator.objects import Key

KEY = Key("default", "delays")


TARGET = Target("delays", "abc", DIGEST, 60.0)


def counters(instance: str = "a", rows: int = 0, digest: str = DIGEST, **more: Any) -> Counters:
    return Counters(
        instance=instance,
        digest=digest,
        rows=rows,
        features={"x": [rows, 0, 0]},
        score=[rows, 0, 0],
        label=[rows, 0, 0, 0],
        **more,
    )


def read(*rounds: list[Counters]) -> Observation:
    seen = Observation.begin(DIGEST, NOW)
    for readings in rounds:
        seen = seen.add(readings)
    return seen


def test_a_target_is_due_at_each_interval_until_it_is_removed() -> None:
    observatory = Targets()
    observatory.watch(KEY, TARGET, now=0.0)
    assert observatory.due(0.0) == [(KEY, TARGET)]
    assert observatory.due(TARGET.interval - 0.1) == []
    assert observatory.due(TARGET.interval) == [(KEY, TARGET)]
    observatory.watch(KEY, None, now=10.0)
    assert observatory.due(100.0) == []
    assert observatory.of(KEY) is None


def test_the_interval_between_readings_follows_the_window_within_limits() -> None:
    pauses = [Target("m", "r", DIGEST, window).interval for window in (2, 60, 3600, 10**6)]
    assert pauses == [1.0, 5.0, 300.0, 300.0]


def test_readings_of_a_replaced_target_are_dropped() -> None:
    observatory = Targets()
    observatory.watch(KEY, TARGET, now=0.0)
    other = Target("delays", "def", OTHER_DIGEST, 60.0)
    observatory.watch(KEY, other, now=0.0)
    assert observatory.record(KEY, TARGET, [counters()], "", NOW) is None
    seen = observatory.record(KEY, other, [counters(digest=OTHER_DIGEST)], "", NOW)
    assert seen is not None
    assert seen.digest == OTHER_DIGEST
