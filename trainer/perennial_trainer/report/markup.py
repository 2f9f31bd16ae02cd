"""HTML without surprises: what comes from outside is escaped where it is put in."""

import re
from collections.abc import Iterable, Sequence
from html import escape

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """HTML that is safe to put into HTML."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A value as HTML; Markup stays as it is. What no HTML may hold becomes U+FFFD."""
    return value if isinstance(value, Markup) else Markup(_quoted(value))


def element(name: str, *children: object, **attributes: object) -> Markup:
    """``<name attribute="...">children</name>``; ``class_`` is written class, ``_`` is a dash.

    An attribute that is None or empty is left out.
    """
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_quoted(value)}"'
        for key, value in attributes.items()
        if value not in (None, "")
    )
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[object]) -> Markup:
    """Parts one after the other."""
    return Markup("".join(map(text, parts)))


def table(
    caption: str, head: Sequence[object], rows: Iterable[Sequence[object]], class_: str = ""
) -> Markup:
    """A table; the first cell of each row is its head. It scrolls where the page is too narrow."""
    top = element("tr", *(element("th", cell, scope="col") for cell in head))
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", c) for c in row[1:]))
        for row in rows
    ]
    return scrolling(
        caption, element("thead", top), element("tbody", *body), class_=class_ or "wide"
    )


def scrolling(caption: str, *parts: Markup, class_: str = "") -> Markup:
    """A table of these parts in a box of its own width, which the keyboard can scroll too."""
    inner = element("table", element("caption", caption), *parts, class_=class_)
    return element("div", inner, class_="scroll", tabindex=0, role="group", aria_label=caption)


def facts(pairs: Iterable[tuple[object, object]], class_: str = "") -> Markup:
    """Names and what they stand for; those that stand for nothing are left out."""
    told = [(name, value) for name, value in pairs if value not in ("", None)]
    if not told:
        return Markup("")
    return element(
        "dl",
        *(element("div", element("dt", name), element("dd", value)) for name, value in told),
        class_=class_,
    )


def note(said: object) -> Markup:
    """A line below a picture that says how to read it."""
    return element("p", said, class_="faint")


def _quoted(value: object) -> str:
    return escape(_UNPRINTABLE.sub("\ufffd", str(value)))
