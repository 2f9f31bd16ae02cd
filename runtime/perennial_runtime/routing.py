"""Which path leads where."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from .answer import Answer
from .errors import RequestError
from .frontends import Call
from .handlers import Endpoint

Apart = Callable[[Callable[[], None]], object]
"""Has something done in another thread."""


@dataclass(frozen=True)
class Route:
    """What is done with the requests of a path: they are answered, or the model is asked."""

    protocol: str
    """``v2``, ``v1`` or ``grpc``; ``http`` for what belongs to none of them."""
    name: str
    method: str
    answer: Callable[[Call], Answer | None] | None = None
    """Gives None where it has answered the call by itself."""
    endpoint: Endpoint | None = None
    on_error: Callable[[RequestError], Answer] | None = None
    """What is answered instead of an error, where the protocol tells errors in answers."""
    apart: Apart | None = None
    """Has the answer made in another thread, where that takes waiting."""

    @cached_property
    def labels(self) -> tuple[str, str]:
        return self.protocol, self.name


Routes = dict[str, Route]
"""By path."""

NOWHERE = Route("http", "other", "")
"""For the metrics of requests that lead nowhere."""


def get(
    protocol: str, name: str, answer: Callable[[Call], Answer], apart: Apart | None = None
) -> Route:
    """A route that is asked by GET."""
    return Route(protocol, name, "GET", answer=answer, apart=apart)


def post(
    protocol: str, name: str, answer: Callable[[Call], Answer], apart: Apart | None = None
) -> Route:
    """A route that takes a body and does not ask the model."""
    return Route(protocol, name, "POST", answer=answer, apart=apart)


def ask(protocol: str, name: str, endpoint: Endpoint) -> Route:
    """A route that asks the model."""
    return Route(protocol, name, "POST", endpoint=endpoint)
