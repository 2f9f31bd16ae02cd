import re
from html import unescape
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.modelcards import HOSTILE, full_card, full_profile

from perennial_contracts.wire.modelcard import CandidateTrial, Curve, Evaluation, ModelCard, Score
from perennial_contracts.wire.profile import fit_numbers
from perennial_trainer.report.page import render

VOID = {"meta", "br", "img", "hr", "input", "link"}
SECTIONS = {
    "metrics", "comparison", "answers", "curves", "errors", "slices", "candidates", "compression",
    "conversion", "profile", "data", "lineage",
}  # fmt: skip


class Page(HTMLParser):
    """The elements of a page. Fails if an element is not closed in its parent."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.cells: dict[str, list[list[str]]] = {}
        self._cell: list[str] | None = None
        self._caption = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"{tag}: an attribute twice"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "caption":
            self._caption = ""
        if tag == "tr" and "tbody" in self.open:
            self.cells.setdefault(self._caption, []).append([])
        if tag == "td":
            self.cells[self._caption][-1].append("")

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "caption" in self.open:
            self._caption += data
        elif "td" in self.open:
            self.cells[self._caption][-1][-1] += f"{data} "

    def ids(self) -> set[str]:
        return {attributes["id"] for _, attributes in self.elements if "id" in attributes}


def test_a_full_card_makes_a_well_formed_page_with_a_link_to_each_section():
    page = Page(render(full_card(), full_profile(), full_profile()))
    assert page.ids() >= SECTIONS
    links = [a["href"] for name, a in page.elements if name == "a"]
    assert {link.removeprefix("#") for link in links} == SECTIONS


def test_a_bare_card_has_no_sections():
    assert Page(render(ModelCard(name="bare"))).ids() & SECTIONS == set()


@pytest.mark.parametrize(
    ("lacking", "section"),
    [
        ({"comparisons": []}, {"comparison"}),
        ({"trials": []}, {"candidates"}),
        ({"compression": []}, {"compression"}),
        ({"conversion": None}, {"conversion"}),
        ({"lineage": {}, "environment": {}}, {"lineage"}),
        ({"evaluation": None}, {"metrics", "answers", "curves", "errors", "slices"}),
    ],
)
def test_a_section_without_facts_is_left_out(lacking, section):
    card = full_card().model_copy(update=lacking)
    assert Page(render(card, full_profile())).ids() & SECTIONS == SECTIONS - section


def test_every_text_of_the_card_is_escaped():
    page = render(full_card(HOSTILE), full_profile(HOSTILE), full_profile(HOSTILE))
    names = {name for name, _ in Page(page).elements}
    assert "script" not in names
    assert "<script" not in page
    assert page.count("&lt;script&gt;") > 30
    page.encode()


def test_the_page_loads_no_other_file():
    page = Page(render(full_card(), full_profile()))
    for name, attributes in page.elements:
        assert name not in {"script", "link", "img", "iframe", "object"}
        assert not {"src", "style", "onclick", "onload"} & attributes.keys()
        assert attributes.get("href", "#").startswith("#")
    assert "url(" not in render(full_card())
    assert "://" not in render(full_card())


def test_pictures_have_titles_and_tables_have_captions():
    page = Page(render(full_card(), full_profile(), full_profile()))
    names = [name for name, _ in page.elements]
    assert names.count("table") == names.count("caption") > 5
    for index, (name, attributes) in enumerate(page.elements):
        if name == "svg" and "aria-hidden" not in attributes:
            assert attributes["role"] == "img"
            assert names[index + 1] == "title"


@given(st.integers(2, 20).flatmap(
    lambda size: st.lists(
        st.lists(st.integers(0, 5000), min_size=size, max_size=size), min_size=size, max_size=size
    )
))  # fmt: skip
@settings(max_examples=25, deadline=None)
def test_the_heat_map_shows_each_count_and_its_share_of_the_rows_of_its_truth(matrix):
    classes = [f"class {index}" for index in range(len(matrix))]
    found = Evaluation(task="Classification", rows=1, classes=classes, matrix=matrix)
    page = Page(render(ModelCard(name="m", evaluation=found)))
    shown = page.cells["The model: rows by truth (down) and answer (across)"]
    for truth, cells in enumerate(shown):
        total = sum(row[truth] for row in matrix)
        assert len(cells) == len(classes)
        for answer, cell in enumerate(cells):
            count = matrix[answer][truth]
            shown_count, *shown_share = cell.split(maxsplit=1)
            assert int(shown_count.replace(",", "")) == count
            if count:
                read = float(re.sub("[<>%]", "", shown_share[0]))
                assert read == pytest.approx(100 * count / total, rel=0.06, abs=0.1)


def test_with_too_many_classes_for_a_heat_map_the_most_frequent_mistakes_are_listed():
    page = Page(render(full_card(classes=30)))
    assert len(page.cells["Challenger: the most frequent mistakes"]) == 8


def test_a_card_of_fifty_features_and_twenty_classes_stays_small():
    wide = Curve(x=[i / 5000 for i in range(5001)], y=[i / 5000 for i in range(5001)], name="c")
    card = full_card(classes=20)
    assert card.evaluation is not None
    card.evaluation.roc = card.evaluation.precision_recall = [wide] * 20
    card.evaluation.residuals = wide
    card.data.columns = [{"name": f"feature {i}", "type": "number", "mean": 0.5} for i in range(50)]
    many = full_profile(features=50)
    assert len(render(card, many, many).encode()) < 300_000


def test_the_same_facts_make_the_same_page():
    pages = {render(full_card(), full_profile(), full_profile()) for _ in range(2)}
    assert len(pages) == 1


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=6))
@settings(max_examples=60, deadline=None)
def test_the_page_is_well_formed_for_numbers_that_are_infinite_or_almost_equal(values):
    first = values[0] if values else None
    found = Evaluation(
        task="Regression",
        rows=1,
        scores=[Score(metric="mae", value=value, low=first, high=first) for value in values],
        residuals=Curve(x=values, y=values[::-1]),
        roc=[Curve(x=values, y=values)],
    )
    trials = [CandidateTrial(kind="A", mean=value, p95_microseconds=first) for value in values]
    page = render(ModelCard(name="m", evaluation=found, trials=trials, metric="mae"))
    Page(page)
    drawn = re.findall(r'(?:points|d|cx|cy|x1|x2)="([^"]*)"', page)
    assert not any("nan" in text or "inf" in text for text in drawn)


def test_a_spike_of_almost_no_width_leaves_the_other_bars_visible():
    values = np.concatenate([np.full(50, 1.0), np.full(20, 1 - 1e-9), np.arange(30) / 30])
    profile = full_profile().model_copy(update={"score": fit_numbers("score", values)})
    page = render(ModelCard(name="m"), profile)
    path = re.search(r'<title>Score: .*?class="bar open"', page)
    assert path is not None
    heights = [60 - float(top) for top in re.findall(r"V([\d.]+)H", path.group())]
    assert sum(height > 0.5 for height in heights) >= 2


def test_a_candidate_that_continued_from_the_champion_is_marked():
    trials = [CandidateTrial(kind="XGBoost", params={"max_depth": 4}, goes_on=True, mean=0.9)]
    page = unescape(render(ModelCard(name="bare", trials=trials)))
    assert "max_depth=4, continued from the champion's trees" in page


def test_the_decision_is_a_badge_and_the_headline_follows_as_a_sentence():
    page = render(ModelCard(name="m", decision="Rejected", headline="on 9 rows ROC AUC .5"))
    assert '<span class="badge Rejected">Rejected</span>' in page
    assert '<p class="lead">On 9 rows ROC AUC .5.</p>' in page
