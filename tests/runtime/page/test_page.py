"""The page at GET /: valid HTML, safe with any name of a model, and readable."""

import base64
import hashlib
import json
import re
import shlex
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perennial_contracts.wire.bundle import Bundle, BundleFile
from perennial_contracts.wire.digest import digest_of
from perennial_contracts.wire.profile import Baseline, Distribution, Profile
from perennial_runtime.classes import Classes
from perennial_runtime.description import ModelDescription
from perennial_runtime.page import CONTENT_SECURITY_POLICY, render_page
from perennial_runtime.page.page import STYLE
from perennial_runtime.signature import TensorSpec

HOSTILE = "\"'><script>alert(1)</script></textarea></title><!--&lt;\r\n"


class Page(HTMLParser):
    """The elements and texts of a page, as a browser reads them."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        """Texts by their element."""
        self._open = [""]
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "input"):
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert tag == self._open.pop(), f"{tag} is closed in the wrong order"

    def handle_data(self, data):
        if self._open[-1]:
            self.texts[self._open[-1]][-1] += data

    @property
    def is_closed(self) -> bool:
        return self._open == [""]

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def fields(self) -> dict[str, dict[str, str | None]]:
        """Return the fields of the form by name."""
        return {f["name"]: f for f in self.all("input") + self.all("select")}


def page_of(**facts: Any) -> bytes:
    """Render the page about a model with these facts."""
    return render_page(ModelDescription(**facts))


def column(name: str, datatype: str = "FP32") -> TensorSpec:
    return TensorSpec(name, datatype, (-1, 1))


def classifier(name: str = "late", feature: str = "carrier", label: str = "yes") -> bytes:
    """Render a page with every part that a page can have."""
    category = Distribution(name=feature, categories=[label, "b"], counts=[5, 3, 1, 1])
    amount = Distribution(name="amount", edges=[1.5, 3.0], counts=[2, 5, 3, 0])
    bundle = Bundle(
        files=[BundleFile(path="model.onnx", digest=digest_of(b""), size=0)],
        labels=["no", label],
        metrics={label: 0.75},
        lineage={label: name},
    )
    profile = Profile(
        rows=10,
        features=[category, amount],
        score=Distribution(name="score", edges=[0.5], counts=[5, 5, 0]),
        label=Distribution(name="label", categories=["no", label], counts=[5, 5, 0, 0]),
        quality={"f1": Baseline(value=0.5, deviation=0.1, rows=10)},
    )
    return page_of(
        name=name,
        version="0123456789ab",
        inputs=[column(feature, "BYTES"), column("amount"), column("seats", "INT64")],
        outputs=[TensorSpec("label", "BYTES", (-1,)), TensorSpec("probabilities", "FP32", (-1, 2))],
        classes=Classes(("no", label), 1),
        bundle=bundle,
        profile=profile,
        properties={"digest": digest_of(b""), "labels": "[]", label: name},
    )


def test_a_page_describes_the_model():
    page = Page(classifier())
    shown = " ".join(text for texts in page.texts.values() for text in texts)
    for word in ("late", "0123456789ab", digest_of(b""), "[-1, 1]", "INT64", "0.75", "positive"):
        assert word in shown
    assert [a["href"] for a in page.all("a")] == [
        "openapi.json",
        "v2/models/late",
        "metrics",
        "v2/models/late/counters",
        "v2/models/late/profile",
    ]


@pytest.mark.parametrize("argument", ["name", "feature", "label"])
def test_hostile_names_stay_text(argument):
    page, usual = Page(classifier(**{argument: HOSTILE})), Page(classifier())
    assert page.is_closed
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in usual.elements]
    assert page.texts["script"] == usual.texts["script"]
    assert any(HOSTILE in text for texts in page.texts.values() for text in texts)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), unique=True))
def test_a_field_has_the_name_of_its_feature(names):
    inputs = [column(name) for name in names[:50]]
    page = Page(page_of(name="m", version="0", inputs=inputs, outputs=[]))
    assert page.is_closed
    if inputs:
        assert list(page.fields()) == names[:50]


def test_the_policy_allows_the_pages_script_and_style_and_nothing_else():
    page = Page(classifier())
    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (text,) = page.texts[tag]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in CONTENT_SECURITY_POLICY
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    for _, attributes in page.elements:
        assert not [key for key in attributes if key == "style" or key.startswith("on")]
        assert "src" not in attributes


def test_fields_begin_with_usual_values_of_the_profile():
    fields = Page(classifier(feature="carrier", label="AA")).fields()
    assert {name: field["value"] for name, field in fields.items()} == {
        "carrier": "AA",
        "amount": "1.5",
        "seats": "0",
    }
    assert {name: field["data-kind"] for name, field in fields.items()} == {
        "carrier": "text",
        "amount": "number",
        "seats": "integer",
    }
    assert [name for name, field in fields.items() if "required" in field] == ["seats"]


def test_every_field_has_a_label_and_every_picture_a_text():
    page = Page(classifier())
    labelled = {label["for"] for label in page.all("label")}
    assert labelled == {field["id"] for field in page.fields().values()}
    for svg in page.all("svg"):
        assert svg.get("aria-hidden") == "true" or (svg["role"] == "img" and svg["aria-label"])


def test_a_request_of_tensors_is_written_as_json():
    inputs = [TensorSpec("x", "FP32", (-1, 2)), TensorSpec("on", "BOOL", (3,))]
    page = Page(page_of(name="m", version="0", inputs=inputs, outputs=[]))
    assert json.loads(page.texts["textarea"][0]) == {
        "inputs": [
            {"name": "x", "datatype": "FP32", "shape": [1, 2], "data": [0.0, 0.0]},
            {"name": "on", "datatype": "BOOL", "shape": [3], "data": [False, False, False]},
        ]
    }
    (form,) = page.all("form")
    assert form["data-path"] == "v2/models/m/infer"


def test_a_large_tensor_does_not_make_the_page_large():
    image = TensorSpec("image", "FP32", (-1, 3, 1024, 1024))
    page = page_of(name="m", version="0", inputs=[image], outputs=[])
    assert len(page) < 40_000
    request = json.loads(Page(page).texts["textarea"][0])
    assert request["inputs"] == [{"name": "image", "datatype": "FP32", "shape": [1, 3, 1024, 1024]}]


def test_a_row_of_very_many_features_is_written_as_json():
    inputs = [column(f"c{place}") for place in range(500)]
    page = Page(page_of(name="m", version="0", inputs=inputs, outputs=[]))
    assert not page.fields()
    (row,) = json.loads(page.texts["textarea"][0])["instances"]
    assert row == {f"c{place}": 0.0 for place in range(500)}


@pytest.mark.parametrize("scheme", [0, 1])
def test_text_is_readable_in_the_light_and_in_the_dark_theme(scheme):
    palette = re.findall(r":root \{.*?\}", STYLE, re.DOTALL)[scheme]
    colors = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]+)", palette))
    pairs = [
        (ink, paper)
        for ink in ("ink", "faint", "leaf", "clay")
        for paper in ("paper", "card", "well")
    ]
    for ink, paper in [*pairs, ("on-leaf", "leaf")]:
        assert contrast(colors[ink], colors[paper]) >= 4.5, (ink, paper)
    assert contrast(colors["edge"], colors["card"]) >= 3


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    digits = color[1:] if len(color) == 7 else "".join(c * 2 for c in color[1:])
    channels = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.fixture(scope="module")
def server(start, flights, tmp_path_factory):
    directory = tmp_path_factory.mktemp("flights")
    for name, data in flights(classes=["no", "yes"]).items():
        (directory / name).write_bytes(data)
    return start(directory, "--name", "flights")


def test_the_page_is_served_under_its_policy(server):
    status, text, headers = server.request("GET", "/", accept="text/html")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-content-type-options"] == "nosniff"
    page = Page(text.encode())
    for link in page.all("a"):
        assert server.request("GET", f"/{link['href']}")[0] == 200


def test_the_request_on_the_page_works(server):
    page = Page(server.request("GET", "/", accept="text/html")[1].encode())
    (command,) = (text for text in page.texts["code"] if text.startswith("curl"))
    _, url, option, body = shlex.split(command)
    assert option == "-d"
    path = url.removeprefix("http://localhost:8080")
    status, answer, _ = server.request("POST", path, body)
    assert status == 200
    assert answer["predictions"][0]["label"] in ("no", "yes")
