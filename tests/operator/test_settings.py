import pytest

from perennial_operator.settings import parse

IMAGES = ["--runtime-image", "rt:1", "--trainer-image", "tr:1"]


def test_variables_set_the_images_and_a_flag_wins() -> None:
    environment = {"PERENNIAL_RUNTIME_IMAGE": "rt:1", "PERENNIAL_TRAINER_IMAGE": "tr:1"}
    settings = parse(["--trainer-image", "tr:2"], environment)
    assert (settings.runtime_image, settings.trainer_image) == ("rt:1", "tr:2")


def test_an_operator_without_a_trainer_image_only_serves() -> None:
    environment = {"PERENNIAL_RUNTIME_IMAGE": "rt:1", "PERENNIAL_TRAINER_IMAGE": ""}
    assert parse([], environment).trainer_image == ""


def test_namespaces_are_separated_by_commas_and_none_means_all() -> None:
    assert parse(IMAGES, {"PERENNIAL_NAMESPACES": "a, b,"}).namespaces == ("a", "b")
    assert parse(IMAGES, {"PERENNIAL_NAMESPACES": ""}).namespaces == ()


def test_a_number_may_come_from_a_file_with_a_line_break() -> None:
    environment = {"PERENNIAL_WORKERS": "4\n", "PERENNIAL_METRICS_PORT": "0\n"}
    settings = parse(IMAGES, environment)
    assert (settings.workers, settings.metrics_port) == (4, 0)


@pytest.mark.parametrize("workers", ["0", "-1", "many", "1.5", ""])
def test_an_invalid_number_of_workers_ends_the_program(
    capsys: pytest.CaptureFixture[str], workers: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        parse([*IMAGES, "--workers", workers], {})
    assert stop.value.code == 2
    assert "--workers: expected a whole number" in capsys.readouterr().err
