"""Count the words that docs/style.md limits, and reject those that it forbids.

    python hack/words.py                     rates per 1,000 words, for each part of the repository
    python hack/words.py --list operator     every breach in one part, with file and line
    python hack/words.py --check             list all breaches, and exit with 1 if there are any
    python hack/words.py PATH...             rates of the docstrings below other folders

The counting rules are simple, and count too much rather than too little:

- Every occurrence of a limited word counts, noun or verb, and for any actor.
- Texts are the docs, docstrings (those of attributes too), descriptions and validation messages of
  the CRDs, string literals of four words or more, templates of pages, comments in YAML and Rust,
  and names of tests.
- Code does not count: fenced blocks, text in backticks, link targets and URIs are removed first.

The word lists are in words.toml.
"""

import argparse
import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[1]
LISTS = tomllib.loads(Path(__file__).with_name("words.toml").read_text())
PARTS: dict[str, tuple[str, ...]] = {
    "docs": ("README.md", "CONTRIBUTING.md", "docs/*.md", "Makefile"),
    "crds": ("crds/*.yaml",),
    "manifests": ("manifests/**/*.yaml", "kind-config.yaml"),
    "contracts": ("contracts/**/*.py",),
    "storage": ("storage/**/*.py",),
    "operator": ("operator/**/*.py",),
    "runtime": ("runtime/**/*.py", "runtime/**/*.html", "runtime/front/src/*.rs"),
    "trainer": ("trainer/**/*.py", "trainer/**/*.html"),
    "hack": ("hack/**/*.py",),
    "examples": ("examples/**/*.py", "examples/**/*.md", "examples/**/*.yaml"),
    "benchmarks": ("benchmarks/**/*.py",),
    "tests": ("tests/**/*.py",),
}
SKIPPED = ("/.venv/", "_pb2.py", "/target/", "/build/")
LIMITED = {
    name: re.compile(rf"\b({limit['pattern']})\b", re.I) for name, limit in LISTS["limited"].items()
}
RULES = ("forbidden word", "opening", "not imperative", "first line over 80", *LIMITED)
FORBIDDEN = re.compile(rf"\b({'|'.join(LISTS['forbidden'])})\b", re.I)
OPENING = re.compile(rf"({'|'.join(LISTS['openings']['words'].split())})\b")
VERBS = frozenset(LISTS["verbs"]["words"].split())
# A property or a fixture is documented by a noun phrase.
NOUNS = {"property", "cached_property", "fixture"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Text:
    """A text that people read, without its code."""

    file: str
    line: int
    kind: str
    words: str


@dataclass(frozen=True)
class Breach:
    """A rule that a text breaks."""

    file: str
    line: int
    rule: str
    found: str


@dataclass
class Reading:
    """The texts of a part, and the breaches in them."""

    texts: list[Text]
    breaches: list[Breach]

    def add(self, text: Text) -> None:
        """Keep a text, with a breach for each forbidden or limited word."""
        self.texts.append(text)
        for rule, word in {RULES[0]: FORBIDDEN, **LIMITED}.items():
            for match in word.finditer(text.words):
                line = text.line + text.words[: match.start()].count("\n")
                self.breaches.append(Breach(text.file, line, rule, match[0]))


def plain(text: str) -> str:
    """Return the text without fenced blocks, backticks, link targets and URIs."""
    text = re.sub(r"^( *)```.*?^\1```", _blank, text, flags=re.M | re.S)
    text = re.sub(r"(?<!`)(`+)(?!`)((?!\n\n).)+?(?<!`)\1(?!`)", _blank, text, flags=re.S)
    return re.sub(r"\]\([^)]*\)|\b[a-z0-9]+://\S+", " ", text)


def _blank(found: re.Match[str]) -> str:
    return " " + "\n" * found[0].count("\n")


def count_words(text: str) -> int:
    """Return the number of words; a word begins with a letter."""
    return len(re.findall(r"[A-Za-z][\w'’-]*", text))


def read_part(root: Path, part: str) -> Reading:
    """Return all texts and breaches of a part of the repository."""
    files = {file for pattern in PARTS[part] for file in root.glob(pattern)}
    return read_files(root, sorted(files))


def read_files(root: Path, files: list[Path]) -> Reading:
    """Return all texts and breaches of some files."""
    reading = Reading([], [])
    for file in files:
        name = file.relative_to(root).as_posix()
        if any(skip in f"/{name}" for skip in SKIPPED):
            continue
        if file.suffix == ".py":
            _read_python(reading, name, file.read_text())
        elif name.startswith("crds/"):
            for words in _descriptions(yaml.safe_load(file.read_text())):
                reading.add(Text(name, 0, "messages", plain(words)))
        else:
            reading.add(Text(name, 1, *_prose(file)))
    return reading


def _prose(file: Path) -> tuple[str, str]:
    """Return the kind and the words of a file that is neither Python nor a CRD."""
    source = file.read_text()
    if file.suffix == ".md":
        return "docs", plain(source)
    if file.suffix == ".html":
        return "messages", re.sub(r"<[^>]*>|{[{%#].*?[}%#]}", _blank, source, flags=re.S)
    if file.suffix == ".rs":
        return "docstrings", plain(
            "\n".join(line.partition("//")[2] for line in source.split("\n"))
        )
    return "docs", plain(_comments(source))


def _comments(source: str) -> str:
    """Return the comments of YAML or of a Makefile, each on its line."""
    return "\n".join(
        comment[0] if (comment := re.search(r"(^|\s)##? .*", line)) else ""
        for line in source.split("\n")
    )


def _descriptions(value: Any) -> Iterator[str]:
    """Yield the descriptions and validation messages of a CRD."""
    children = value.items() if isinstance(value, dict) else enumerate(value)
    for key, child in children:
        if key in ("description", "message") and isinstance(child, str):
            yield child
        elif isinstance(child, dict | list):
            yield from _descriptions(child)


def _read_python(reading: Reading, name: str, source: str) -> None:
    """Add the docstrings, messages and test names of a module."""
    tree = ast.parse(source)
    seen: set[int] = set()
    for node in ast.walk(tree):
        for value, owner in _docstrings(node):
            seen.add(id(value))
            words = str(value.value)
            reading.add(Text(name, value.lineno, "docstrings", plain(words)))
            first = words.strip().split("\n")[0]
            reading.breaches += [
                Breach(name, value.lineno, rule, first) for rule in broken_by(words, owner)
            ]
        if isinstance(node, Function) and node.name.startswith("test_"):
            reading.add(Text(name, node.lineno, "test names", node.name.replace("_", " ")))
        if isinstance(node, ast.JoinedStr):
            seen.update(id(part) for part in node.values)
    if not name.startswith("tests/"):
        for node in ast.walk(tree):
            words = "" if id(node) in seen else _literal(node)
            if count_words(words) >= 4:
                reading.add(Text(name, getattr(node, "lineno", 0), "messages", plain(words)))


def _docstrings(node: ast.AST) -> Iterator[tuple[ast.Constant, ast.AST | None]]:
    """Yield the docstrings in a body with their owners; an attribute's has none."""
    if not isinstance(node, ast.Module | ast.ClassDef | Function):
        return
    before: ast.stmt | None = None
    for statement in node.body:
        value = statement.value if isinstance(statement, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            if before is None:
                yield value, node
            elif isinstance(before, ast.Assign | ast.AnnAssign):
                yield value, None
        before = statement


def broken_by(docstring: str, owner: ast.AST | None) -> Iterator[str]:
    """Yield the rules that a docstring breaks; that of an attribute has no owner."""
    first = docstring.strip().split("\n")[0]
    opening = first.strip("\"'`*")
    if OPENING.match(opening):
        yield "opening"
    if owner is not None and len(first) > 80:
        yield "first line over 80"
    if isinstance(owner, Function) and not owner.name.startswith("test_"):
        decorators = {
            ast.unparse(name).split("(")[0].split(".")[-1] for name in owner.decorator_list
        }
        verb = re.match(r"[A-Za-z]+", opening)
        if not decorators & NOUNS and (verb is None or verb[0].lower() not in VERBS):
            yield "not imperative"


def _literal(node: ast.AST) -> str:
    """Return the words of a string literal; an f-string counts as one."""
    if isinstance(node, ast.JoinedStr):
        return " ".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def table(readings: dict[str, Reading]) -> str:
    """Format the rates per 1,000 words of each part, and its breaches."""
    rows = [["part", "texts", "words", *LIMITED, *RULES[:4]]]
    for part, reading in readings.items():
        counts = count_breaches(reading)
        for kind in dict.fromkeys(text.kind for text in reading.texts):
            texts = [text.words for text in reading.texts if text.kind == kind]
            words = sum(map(count_words, texts))
            found = [sum(len(word.findall(text)) for text in texts) for word in LIMITED.values()]
            rates = [f"{1000 * count / max(words, 1):.1f}" for count in found]
            breaches = [str(counts.get(rule, 0)) for rule in RULES[:4]] if counts else [""] * 4
            rows.append([part, kind, f"{words:,}", *rates, *breaches])
            counts = {}
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )


def count_breaches(reading: Reading) -> dict[str, int]:
    """Count the breaches of each rule; of a limited word, those beyond its rate."""
    counts = Counter(breach.rule for breach in reading.breaches)
    words = sum(count_words(text.words) for text in reading.texts)
    for rule, limit in LISTS["limited"].items():
        counts[rule] = max(0, counts[rule] - limit["most"] * words // 1000)
    return {rule: counts[rule] for rule in RULES if counts[rule]}


def report(reading: Reading) -> list[str]:
    """Format the breaches; those of a limited word only if it is too frequent."""
    rules = count_breaches(reading)
    return [
        f"{breach.file}:{breach.line}: {breach.rule}: {breach.found}"
        for breach in reading.breaches
        if breach.rule in rules
    ]


def main(arguments: list[str] | None = None) -> int:
    """Print the rates, list breaches or check for them; return 1 if there are any."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path, help="folders of other Python packages")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository to read")
    parser.add_argument("--list", choices=PARTS, dest="part", help="list the breaches of one part")
    parser.add_argument("--check", action="store_true", help="fail if there are breaches")
    options = parser.parse_args(arguments)
    if options.paths:
        found = {path.name: read_files(path, sorted(path.rglob("*.py"))) for path in options.paths}
        print(table(found))
        return 0
    parts = [options.part] if options.part else list(PARTS)
    readings = {part: read_part(options.root, part) for part in parts}
    if not (options.part or options.check):
        print(table(readings))
        return 0
    breaches = [line for reading in readings.values() for line in report(reading)]
    if breaches:
        print("\n".join(breaches))
    if options.check and breaches:
        print(f"{len(breaches)} breaches of docs/style.md", file=sys.stderr)
    return int(bool(options.check and breaches))


if __name__ == "__main__":
    sys.exit(main())
