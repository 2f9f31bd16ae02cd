"""Keep the models whose pods are read, and the counters that were read, in memory.

A reconciliation sets the target of its model. The scraper adds readings. The next reconciliation
judges the windows, and closes those that it has judged.
"""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from perennial_contracts.wire.counters import Counters
from perennial_contracts.wire.profile import Profile

from ..objects import Key
from .windows import JudgedWindows, Observation

SHORTEST, LONGEST = 1.0, 300.0
"""Limits of the seconds between readings, which are a twelfth of the window."""
READINGS_PER_WINDOW = 12


@dataclass(frozen=True)
class Target:
    """The pods to read for one ModelDeployment."""

    name: str
    """Name of the model in URLs."""
    revision: str
    digest: str
    window: float
    """Seconds."""

    @property
    def interval(self) -> float:
        """Seconds between readings."""
        return min(max(self.window / READINGS_PER_WINDOW, SHORTEST), LONGEST)


class Targets:
    """Targets and observations by key. An instance belongs to one event loop."""

    def __init__(self) -> None:
        self._targets: dict[Key, Target] = {}
        self._observations: dict[Key, Observation] = {}
        self._due: list[tuple[float, int, Key, Target]] = []
        self._order = itertools.count()

    def watch(self, key: Key, target: Target | None, now: float) -> None:
        """Set or remove the target of a key. ``now`` is a time of the event loop."""
        if target == self._targets.get(key):
            return
        if target is None:
            self._targets.pop(key, None)
            self._observations.pop(key, None)
            return
        self._targets[key] = target
        self._schedule(now, key, target)

    def due(self, now: float) -> list[tuple[Key, Target]]:
        """Return the targets that are due. Each of them is due again after its interval."""
        found = []
        while self._due and self._due[0][0] <= now:
            _, _, key, target = heapq.heappop(self._due)
            if self._targets.get(key) == target:
                found.append((key, target))
                self._schedule(now + target.interval, key, target)
        return found

    def next_due(self) -> float | None:
        """Return the time of the event loop at which the next target is due."""
        return self._due[0][0] if self._due else None

    def of(self, key: Key) -> Observation | None:
        """Return the observation of a key."""
        return self._observations.get(key)

    def record(
        self,
        key: Key,
        target: Target,
        readings: Iterable[Counters],
        problem: str,
        now: datetime,
    ) -> Observation | None:
        """Add readings and return the observation; None if the target has changed."""
        if self._targets.get(key) != target:
            return None
        before = self._observations.get(key)
        if before is None or before.digest != target.digest:
            before = Observation.begin(target.digest, now)
        after = replace(before.add(readings), problem=problem)
        self._observations[key] = after
        return after

    def set_profile(self, key: Key, digest: str, profile: Profile | None) -> None:
        """Store the profile that a pod returned for its model; None if there is none."""
        seen = self._observations.get(key)
        if seen and seen.digest == digest:
            self._observations[key] = replace(
                seen, profile=profile, has_profile=profile is not None
            )

    def close(self, key: Key, now: datetime, judged: JudgedWindows) -> None:
        """Start new windows in place of the judged ones."""
        if seen := self._observations.get(key):
            self._observations[key] = seen.close(now, judged)

    def _schedule(self, when: float, key: Key, target: Target) -> None:
        heapq.heappush(self._due, (when, next(self._order), key, target))
