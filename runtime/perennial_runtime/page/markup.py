"""HTML without surprises: what comes from a model is escaped where it is put in."""

from collections.abc import Iterable, Sequence
from html import escape

_VOID = {"input", "link", "meta", "rect", "path"}


class Markup(str):
    """HTML that is safe to put into HTML."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A value as HTML; Markup stays as it is."""
    return value if isinstance(value, Markup) else Markup(_escaped(value))


def _escaped(value: object) -> str:
    # A bare carriage return would come out of the browser's reader as a line feed.
    return escape(str(value)).replace("\r", "&#13;")


def join(*parts: object) -> Markup:
    """Parts one after the other."""
    return Markup("".join(map(text, parts)))


def element(tag: str, /, *children: object, **attributes: object) -> Markup:
    """``<tag attribute="...">children</tag>``.

    ``class_`` is written class, ``_`` is a dash; True is an attribute without a value, and those
    that are None or False are left out.
    """
    written = ""
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        written += f" {key.rstrip('_').replace('_', '-')}"
        written += "" if value is True else f'="{_escaped(value)}"'
    if tag in _VOID and not children:
        return Markup(f"<{tag}{written}/>")
    return Markup(f"<{tag}{written}>{join(*children)}</{tag}>")


def facts(pairs: Iterable[tuple[object, object]]) -> Markup:
    """Names and what they stand for."""
    return element("dl", *(join(element("dt", name), element("dd", said)) for name, said in pairs))


def table(caption: str, head: Sequence[object], rows: Iterable[Sequence[object]]) -> Markup:
    """A table; the first cell of each row is its head. It scrolls where the page is too narrow."""
    top = element("tr", *(element("th", cell, scope="col") for cell in head))
    body = (
        element("tr", element("th", row[0], scope="row"), *(element("td", c) for c in row[1:]))
        for row in rows
    )
    inner = (element("caption", caption), element("thead", top), element("tbody", *body))
    return element(
        "div", element("table", *inner), class_="scroll", tabindex=0, role="group",
        aria_label=caption,
    )  # fmt: skip


def number(value: float) -> str:
    """A number for people: about four digits, and no exponent where it can be read without."""
    if 1e4 <= abs(value) < 1e12:
        return f"{value:,.0f}"
    return f"{value:,.4g}"
