"""The state of the server: which model it serves, and whether it is ready."""

from collections.abc import Callable

from ..errors import UnavailableError
from ..frontends import Call
from ..routing import Response

PROGRAM = "perennial-runtime"
EXTENSIONS = ("binary_tensor_data", "classification", "parameters")
"""Extensions of the Open Inference Protocol that the server supports."""


class ServerState:
    """State that changes when the model is loaded and when the server shuts down."""

    def __init__(self, name: str) -> None:
        """Create the state of a server that is loading the model ``name``."""
        self.name = name
        self.versions: tuple[str, ...] = ("1",)
        """Names of the only version: 1, and once it is loaded the first digits of the digest."""
        self.is_loaded = False
        self.is_draining = False
        self.has_ended = False
        self.on_change: Callable[[], None] = lambda: None
        """Called after each change."""

    def admit(self) -> None:
        """Start to be ready: the model is loaded."""
        self.is_loaded = True
        self.on_change()

    def drain(self) -> None:
        """Stop being ready. The server still responds to requests."""
        self.is_draining = True
        self.on_change()

    def end(self) -> None:
        """Accept no new request; only finish those that have started."""
        self.has_ended = True
        self.on_change()

    @property
    def is_ready(self) -> bool:
        """True while the model is loaded and the server is not shutting down."""
        return self.is_loaded and not self.is_draining

    @property
    def version(self) -> str:
        """The most precise name of the version."""
        return self.versions[-1]

    def unavailable(self) -> UnavailableError:
        """Build the error for a request that comes before the model is loaded."""
        return UnavailableError(f"the model {self.name!r} is still loading. Retry in a second")

    def loading(self, call: Call) -> Response:
        """Respond for the paths of the model until it is loaded.

        Raises:
            UnavailableError: always.
        """
        raise self.unavailable()
