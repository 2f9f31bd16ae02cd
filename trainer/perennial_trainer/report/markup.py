"""HTML without surprises: what comes from outside is escaped where it is put in."""

from collections.abc import Iterable, Sequence
from html import escape


class Markup(str):
    """HTML that is safe to put into HTML."""

    __slots__ = ()


def text(value: object) -> Markup:
    """A value as HTML; Markup stays as it is."""
    return value if isinstance(value, Markup) else Markup(escape(str(value)))


def element(name: str, *children: object, **attributes: object) -> Markup:
    """``<name attribute="...">children</name>``; ``class_`` is written class, ``_`` is a dash."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
    )
    return Markup(f"<{name}{written}>{join(children)}</{name}>")


def join(parts: Iterable[object]) -> Markup:
    """Parts one after the other."""
    return Markup("".join(map(text, parts)))


def table(head: Sequence[object], rows: Iterable[Sequence[object]], **attributes: object) -> Markup:
    """A table; the first cell of each row is its head. It scrolls where the page is too narrow."""
    top = element("tr", *(element("th", cell, scope="col") for cell in head))
    body = [
        element("tr", element("th", row[0], scope="row"), *(element("td", c) for c in row[1:]))
        for row in rows
    ]
    inner = element("table", element("thead", top), element("tbody", *body), **attributes)
    return element("div", inner, class_="scroll")


def facts(pairs: Iterable[tuple[object, object]]) -> Markup:
    """Names and what they stand for; those that stand for nothing are left out."""
    return element(
        "dl",
        *(
            join([element("dt", name), element("dd", value)])
            for name, value in pairs
            if value not in ("", None)
        ),
    )
