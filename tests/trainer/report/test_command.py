import pytest
from support.modelcards import full_card, full_profile

from perennial_trainer.cli import main
from perennial_trainer.report.page import render


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "modelcard.json"
    path.write_text(full_card().model_dump_json(exclude_none=True))
    return path


def test_the_page_shows_the_card_and_its_profile(card, tmp_path):
    out = tmp_path / "report.html"
    (tmp_path / "profile.json").write_bytes(full_profile().to_bytes())
    assert main(["report", str(card), "--out", str(out)]) == 0
    assert out.read_text() == render(full_card())
    profile = ["--profile", str(tmp_path / "profile.json")]
    assert main(["report", str(card), *profile, "--out", str(out)]) == 0
    assert out.read_text() == render(full_card(), full_profile())


def test_a_card_of_an_earlier_version_shows_its_decision_once(card, tmp_path):
    earlier = full_card().model_copy(update={"headline": "Accepted: on 9 rows ROC AUC .900"})
    card.write_text(earlier.model_dump_json(exclude_none=True))
    assert main(["report", str(card), "--out", str(tmp_path / "report.html")]) == 0
    page = (tmp_path / "report.html").read_text()
    assert '<p class="lead">On 9 rows ROC AUC .900.</p>' in page


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "MODELCARD: {card}: No such file or directory"),
        ("no", "MODELCARD: {card}: expected a file that a run wrote: Invalid JSON"),
        ("{}", "MODELCARD: {card}: expected a file that a run wrote: name: Field required"),
    ],
)
def test_an_invalid_model_card_is_reported(card, tmp_path, content, message, capsys):
    card.unlink() if content is None else card.write_text(content)
    assert main(["report", str(card), "--out", str(tmp_path / "report.html")]) == 1
    assert message.format(card=card) in capsys.readouterr().err
    assert not (tmp_path / "report.html").exists()


def test_a_page_that_cannot_be_written_is_reported(card, tmp_path, capsys):
    assert main(["report", str(card), "--out", str(tmp_path)]) == 1
    assert "--out" in capsys.readouterr().err
