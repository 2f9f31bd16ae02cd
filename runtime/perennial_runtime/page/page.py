"""The page as a whole, and the policy under which a browser shows it."""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.profile import Profile

from ..classes import Classes
from ..regression import is_regression
from ..signature import TensorSpec, is_tabular
from .form import form
from .markup import Markup, element, join
from .sections import card, drift, head, signature

CONTENT_TYPE = "text/html; charset=utf-8"
STYLE = Path(__file__).with_name("style.css").read_text(encoding="utf-8")
SCRIPT = Path(__file__).with_name("try.js").read_text(encoding="utf-8")
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath "
    "fill='%232f7d4f' d='M14 2C6 1 1 5 2 12c1-3 4-6 8-7-3 2-6 5-7 9 7 1 12-3 11-12z'/%3E%3C/svg%3E"
)


def _hash(code: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()}'"


CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        f"script-src {_hash(SCRIPT)}",
        f"style-src {_hash(STYLE)}",
        "connect-src 'self'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
"""The value of the header; it holds for every model, as script and style are the same for all."""


def page_of(
    *,
    name: str,
    version: str,
    inputs: Sequence[TensorSpec],
    outputs: Sequence[TensorSpec],
    classes: Classes | None = None,
    bundle: Bundle | None = None,
    profile: Profile | None = None,
    properties: Mapping[str, str] | None = None,
) -> bytes:
    """The page about one model, as UTF-8.

    All links are relative, so that it works behind a proxy that adds a prefix to the path.

    Args:
        name: the model's in URLs.
        version: the first digits of its digest.
        properties: of the model's metadata: the digest, the execution provider and so on.
    """
    model = f"v2/models/{quote(name, safe='')}"
    links = [
        ("OpenAPI", "openapi.json", "every route, as OpenAPI 3.1"),
        ("Metadata", model, "the signature, as the Open Inference Protocol v2 has it"),
        ("Metrics", "metrics", "for Prometheus"),
        ("Counters", f"{model}/counters", "what was predicted so far, over the profile's bins"),
    ]
    if profile:
        links.append(("Profile", f"{model}/profile", "the drift profile of the bundle"))
    # What these say is said elsewhere on the page, and better.
    shown = [(k, v) for k, v in (properties or {}).items() if k not in ("labels", "predict")]
    body = element(
        "main",
        head(name, version, _kind(inputs, outputs, classes), shown, links),
        form(model, inputs, profile),
        card(bundle, profile, classes),
        signature(inputs, outputs),
        drift(profile, classes) if profile else "",
    )
    return join(
        Markup("<!doctype html>\n"),
        element("html", _head(name), element("body", body, _script()), lang="en"),
        Markup("\n"),
    ).encode("utf-8", "replace")


def _head(name: str) -> Markup:
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("title", f"{name} · Perennial"),
        element("link", rel="icon", href=Markup(ICON)),
        element("style", Markup(STYLE)),
    )


def _script() -> Markup:
    return element("script", Markup(SCRIPT))


def _kind(
    inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], classes: Classes | None
) -> str:
    takes = "rows of a table" if is_tabular(inputs) else "tensors"
    if classes:
        return f"Classifier of {takes}, {len(classes.names)} classes"
    if is_regression(outputs, classes):
        return f"Predicts a number for {takes}"
    return f"Takes {takes}"
