"""How the server stands: what it serves, and whether it is ready."""

from collections.abc import Callable

from ..answer import Answer
from ..errors import UnavailableError
from ..frontends import Call

PROGRAM = "perennial-runtime"
EXTENSIONS = ("binary_tensor_data", "classification", "parameters")
"""Of the Open Inference Protocol."""


class Standing:
    """Changes as the model is loaded and as the server ends; whoever answers looks at it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.versions: tuple[str, ...] = ("1",)
        """Names of the one version there is: 1, and once it is loaded the digest's first digits."""
        self.is_loaded = False
        self.is_draining = False
        self.has_ended = False
        self.changed: Callable[[], None] = lambda: None
        """Called after each change."""

    def admit(self) -> None:
        """From now on it is ready."""
        self.is_loaded = True
        self.changed()

    def drain(self) -> None:
        """From now on it is not ready any more, though it answers."""
        self.is_draining = True
        self.changed()

    def end(self) -> None:
        """From now on it only finishes what was started."""
        self.has_ended = True
        self.changed()

    @property
    def is_ready(self) -> bool:
        return self.is_loaded and not self.is_draining

    @property
    def version(self) -> str:
        return self.versions[-1]

    def unavailable(self) -> UnavailableError:
        """Why the model cannot be asked yet."""
        return UnavailableError(
            f"the model {self.name!r} is still being loaded. Try again in a second"
        )

    def loading(self, call: Call) -> Answer:
        """What the model's paths answer until it is there."""
        raise self.unavailable()
