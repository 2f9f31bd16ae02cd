"""The page about a model, and the policy under which a browser shows it."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from perennial_contracts.wire.bundle import Bundle
from perennial_contracts.wire.profile import Profile

from ..classes import Classes
from ..regression import PREDICTION, is_regression
from ..samples import median
from ..signature import TensorSpec, is_tabular
from .figures import HEIGHT, Figure, brief, figure
from .form import form

if TYPE_CHECKING:
    from jinja2 import Template

CONTENT_TYPE = "text/html; charset=utf-8"
FOLDER = Path(__file__).parent
STYLE = (FOLDER / "style.css").read_text(encoding="utf-8")
SCRIPT = (FOLDER / "try.js").read_text(encoding="utf-8")
LEAF = "M14 2C6 1 1 5 2 12c1-3 4-6 8-7-3 2-6 5-7 9 7 1 12-3 11-12z"
ICON = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    f"%3Cpath fill='%232f7d4f' d='{LEAF}'/%3E%3C/svg%3E"
)
MAX_LABELS = 40
"""Number of classes that the page names; if there are more, it shows their number."""


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
"""Value of the header. It holds for every model, because script and style are the same."""


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
    # Other parts of the page show these.
    hidden = ("labels", "predict")
    facts: dict[str, Any] = {
        "name": name,
        "version": version,
        "kind": _kind(inputs, outputs, classes),
        "properties": [(k, v) for k, v in (properties or {}).items() if k not in hidden],
        "links": [dict(zip(("title", "path", "about"), link, strict=True)) for link in links],
        "form": form(model, inputs, profile),
        "scores": _scores(bundle, profile),
        "labels": classes.names if classes else (),
        "positive": classes.positive if classes else None,
        "lineage": bundle.lineage if bundle else {},
        "inputs": inputs,
        "outputs": outputs,
        "has_free_sizes": any(-1 in tensor.shape for tensor in (*inputs, *outputs)),
        "profile": profile,
        "figures": list(_figures(profile, classes)) if profile else [],
    }
    return _template().render(facts).encode("utf-8", "replace")


@cache
def _template() -> "Template":
    # Imported with the first page: it takes 6 MB and a tenth of a second.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup, escape

    def escape_carriage_returns(value: object) -> Markup:
        # A browser reads a bare carriage return as a line feed.
        return Markup(str(escape(value)).replace("\r", "&#13;"))

    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        finalize=escape_carriage_returns,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    environment.globals |= {
        "style": Markup(STYLE),
        "script": Markup(SCRIPT),
        "icon": ICON,
        "leaf": LEAF,
        "baseline": HEIGHT,
        "max_labels": MAX_LABELS,
    }
    return environment.get_template("page.html")


def _kind(
    inputs: Sequence[TensorSpec], outputs: Sequence[TensorSpec], classes: Classes | None
) -> str:
    takes = "rows of a table" if is_tabular(inputs) else "tensors"
    if classes:
        return f"Classifier of {takes}, {len(classes.names)} classes"
    if is_regression(outputs, classes):
        return f"Predicts a number for {takes}"
    return f"Takes {takes}"


def _positive(classes: Classes | None) -> str | None:
    return classes.names[classes.positive] if classes and classes.positive is not None else None


def _scores(bundle: Bundle | None, profile: Profile | None) -> list[tuple[str, str, str]]:
    """Return the name, value and deviation of each score on held-out data."""
    if bundle and bundle.metrics:
        return [(name, brief(value), "") for name, value in bundle.metrics.items()]
    quality = profile.quality if profile else None
    return [
        (name, brief(base.value), brief(base.deviation)) for name, base in (quality or {}).items()
    ]


def _figures(profile: Profile, classes: Classes | None) -> Iterator[Figure]:
    """Yield a chart for the label, the score and each feature."""
    if profile.label:
        yield figure(profile.label, "label", "predicted")
    if profile.score and classes:
        positive = _positive(classes)
        about = f"probability of {positive}" if positive else "probability of the likeliest class"
        yield figure(profile.score, "score", about)
    elif profile.score:
        middle = median(profile.score)
        about = "predicted" if middle is None else f"predicted, median {brief(middle)}"
        yield figure(profile.score, PREDICTION, about)
    for feature in profile.features:
        middle = median(feature)
        about = "" if middle is None else f"median {brief(middle)}"
        yield figure(feature, feature.name, about)
