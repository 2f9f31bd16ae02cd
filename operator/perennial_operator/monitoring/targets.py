"""Which models are watched, and what is known of each: in memory, and written to by few.

A reconciliation says what is to be watched; the readings come in beside it; the next
reconciliation judges what has come together, and closes the windows that it has judged.
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
"""Seconds between readings; a twelfth of the window within these."""
READINGS_A_WINDOW = 12


@dataclass(frozen=True)
class Target:
    """What is to be watched for one ModelDeployment."""

    name: str
    """The model's name in URLs."""
    revision: str
    digest: str
    window: float
    """Seconds."""

    @property
    def pause(self) -> float:
        """Seconds between readings."""
        return min(max(self.window / READINGS_A_WINDOW, SHORTEST), LONGEST)


class Observatory:
    """Targets and observations by key. Belongs to one event loop."""

    def __init__(self) -> None:
        self._targets: dict[Key, Target] = {}
        self._observations: dict[Key, Observation] = {}
        self._due: list[tuple[float, int, Key, Target]] = []
        self._order = itertools.count()

    def watch(self, key: Key, target: Target | None, now: float) -> None:
        """From now on watches this, or nothing. ``now`` is of the event loop's clock."""
        if target == self._targets.get(key):
            return
        if target is None:
            self._targets.pop(key, None)
            self._observations.pop(key, None)
            return
        self._targets[key] = target
        self._schedule(now, key, target)

    def due(self, now: float) -> list[tuple[Key, Target]]:
        """The targets whose time has come; each is due again after its pause."""
        found = []
        while self._due and self._due[0][0] <= now:
            _, _, key, target = heapq.heappop(self._due)
            if self._targets.get(key) == target:
                found.append((key, target))
                self._schedule(now + target.pause, key, target)
        return found

    def next_due(self) -> float | None:
        """When the next target is due, by the event loop's clock."""
        return self._due[0][0] if self._due else None

    def of(self, key: Key) -> Observation | None:
        return self._observations.get(key)

    def record(
        self,
        key: Key,
        target: Target,
        readings: Iterable[Counters],
        problem: str,
        now: datetime,
    ) -> Observation | None:
        """Takes readings in; None where the target has changed meanwhile."""
        if self._targets.get(key) != target:
            return None
        before = self._observations.get(key)
        if before is None or before.digest != target.digest:
            before = Observation.begin(target.digest, now)
        after = replace(before.add(readings), problem=problem)
        self._observations[key] = after
        return after

    def know_profile(self, key: Key, digest: str, profile: Profile | None) -> None:
        """What a pod has answered when it was asked for its model's profile."""
        known = self._observations.get(key)
        if known and known.digest == digest:
            self._observations[key] = replace(
                known, profile=profile, has_profile=profile is not None
            )

    def close(self, key: Key, now: datetime, judged: JudgedWindows) -> None:
        """Start new windows in place of the judged ones."""
        if known := self._observations.get(key):
            self._observations[key] = known.close(now, judged)

    def _schedule(self, when: float, key: Key, target: Target) -> None:
        heapq.heappush(self._due, (when, next(self._order), key, target))
