"""The page about a model, and the policy under which a browser shows it."""

import base64
import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from perennial_contracts.wire.names import PREDICTION
from perennial_contracts.wire.profile import Profile

from ..classes import Classes
from ..description import ModelDescription
from ..regression import is_regression
from ..samples import median
from ..signature import is_tabular
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
SHOWN_ELSEWHERE = ("labels", "predict")
"""Properties that other parts of the page show."""


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


def render_page(model: ModelDescription) -> bytes:
    """Render the page about a model, in UTF-8.

    All links are relative, so that the page works behind a proxy that adds a prefix to the path.
    """
    path = f"v2/models/{quote(model.name, safe='')}"
    links = [
        ("OpenAPI", "openapi.json", "all routes, in OpenAPI 3.1"),
        ("Metadata", path, "signature, in the Open Inference Protocol v2"),
        ("Metrics", "metrics", "metrics for Prometheus"),
        ("Counters", f"{path}/counters", "counts of predictions, over the bins of the profile"),
    ]
    if model.profile:
        links.append(("Profile", f"{path}/profile", "drift profile of the bundle"))
    page = _template().render(
        model=model,
        kind=_kind(model),
        properties=[(k, v) for k, v in model.properties.items() if k not in SHOWN_ELSEWHERE],
        links=links,
        form=form(path, model.inputs, model.profile),
        scores=_scores(model),
        figures=list(_figures(model.profile, model.classes)) if model.profile else [],
        has_free_sizes=any(-1 in tensor.shape for tensor in (*model.inputs, *model.outputs)),
    )
    return page.encode("utf-8", "replace")


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


def _kind(model: ModelDescription) -> str:
    accepted = "rows of a table" if is_tabular(model.inputs) else "tensors"
    if model.classes:
        return f"Classifier for {accepted}, {len(model.classes.names)} classes"
    if is_regression(model.outputs, model.classes):
        return f"Regression model for {accepted}"
    return f"Model for {accepted}"


def _scores(model: ModelDescription) -> list[tuple[str, str, str]]:
    """Return the name, value and deviation of each score on held-out data."""
    if model.bundle and model.bundle.metrics:
        return [(name, brief(value), "") for name, value in model.bundle.metrics.items()]
    quality = model.profile.quality if model.profile else None
    return [
        (name, brief(base.value), brief(base.deviation)) for name, base in (quality or {}).items()
    ]


def _figures(profile: Profile, classes: Classes | None) -> Iterator[Figure]:
    """Yield a chart for the label, the score and each feature."""
    if profile.label:
        yield figure(profile.label, "label", "predicted")
    if profile.score and classes:
        positive = "the most likely class"
        if classes.positive is not None:
            positive = classes.names[classes.positive]
        about = f"probability of {positive}"
        yield figure(profile.score, "score", about)
    elif profile.score:
        middle = median(profile.score)
        about = "predicted" if middle is None else f"predicted, median {brief(middle)}"
        yield figure(profile.score, PREDICTION, about)
    for feature in profile.features:
        middle = median(feature)
        about = "" if middle is None else f"median {brief(middle)}"
        yield figure(feature, feature.name, about)
