from pathlib import Path

import pytest

from perennial_runtime.settings import name_from_uri, parse

DIGEST = "sha256:" + "a" * 64


def test_a_flag_wins_over_its_variable():
    environment = {"PERENNIAL_HTTP_PORT": "9000", "PERENNIAL_DRAIN_SECONDS": "0.5"}
    settings = parse(["serve", "m.onnx", "--http-port", "9001"], environment)
    assert settings.http_port == 9001
    assert settings.drain_seconds == 0.5


def test_every_flag_can_be_a_variable():
    environment = {
        "PERENNIAL_URI": "s3://models/delays/1/",
        "PERENNIAL_NAME": "delays",
        "PERENNIAL_DIGEST": DIGEST,
        "PERENNIAL_CACHE_DIR": "/cache",
        "PERENNIAL_RETRY_SECONDS": "7",
        "PERENNIAL_THREADS": "3",
        "PERENNIAL_TERMINATION_MESSAGE_PATH": "/log",
        "PERENNIAL_LOG_FORMAT": "json",
        "PERENNIAL_HOST": "::",
        "PERENNIAL_GRACE_SECONDS": "9",
        "PERENNIAL_MAX_BODY_BYTES": "1000",
        "PERENNIAL_CAPTURE": "s3://captured/flights",
        "PERENNIAL_CAPTURE_PERMILLE": "100",
        "PERENNIAL_CAPTURE_FLUSH_SECONDS": "5",
        "PERENNIAL_CAPTURE_QUEUE_ROWS": "9",
        "PERENNIAL_WORKERS": "auto",
    }
    settings = parse(["serve"], environment)
    assert settings.uri == "s3://models/delays/1/"
    assert settings.name == "delays"
    assert settings.digest == DIGEST
    assert settings.cache_dir == Path("/cache")
    assert settings.retry_seconds == 7
    assert settings.threads == 3
    assert settings.termination_message_path == Path("/log")
    assert settings.log_format == "json"
    assert settings.host == "::"
    assert settings.grace_seconds == 9
    assert settings.max_body_bytes == 1000
    assert settings.capture == "s3://captured/flights"
    assert settings.capture_permille == 100
    assert settings.capture_flush_seconds == 5
    assert settings.capture_queue_rows == 9
    assert settings.workers is None


@pytest.mark.parametrize(
    ("arguments", "environment", "message"),
    [
        (["serve"], {}, "URI: expected the location of the model, got none"),
        (["serve", "m", "--http-port", "70000"], {}, "--http-port: expected a port number"),
        (
            ["serve", "m"],
            {"PERENNIAL_HTTP_PORT": "tcp://10.0.0.1:80"},
            "PERENNIAL_HTTP_PORT: expected a port number from 0 to 65535, got 'tcp://10.0.0.1:80'",
        ),
        (["serve", "m", "--digest", "sha256:abc"], {}, "--digest: expected sha256:"),
        (["serve", "m", "--name", "a/b"], {}, "--name: expected letters"),
        (["serve", "m", "--threads", "0"], {}, "--threads: expected a whole number from 1"),
        (
            ["serve", "m", "--workers", "0"],
            {},
            "--workers: expected a number from 1 to 256, or auto",
        ),
        (["serve", "m", "--drain-seconds", "-1"], {}, "--drain-seconds"),
        (["serve", "m", "--capture", "http://x/y"], {}, "--capture: expected s3://BUCKET/PATH"),
        (["serve", "m", "--capture", "s3://"], {}, "--capture: expected s3://BUCKET/PATH"),
        (["serve", "m", "--capture", "abfss://x/y"], {}, "abfss://CONTAINER@ACCOUNT.dfs.core"),
        (["serve", "m", "--capture-permille", "0"], {}, "expected a whole number from 1 to 1000"),
        (["resolve", "m", "--log-format", "xml"], {}, "--log-format: expected auto, json or text"),
    ],
)
def test_an_invalid_setting_is_named_with_the_expected_value(
    capsys, arguments, environment, message
):
    with pytest.raises(SystemExit) as stop:
        parse(arguments, environment)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_help_shows_the_flag_and_the_variable(capsys):
    with pytest.raises(SystemExit):
        parse(["serve", "--help"], {})
    text = capsys.readouterr().out
    assert "--drain-seconds SECONDS" in text
    assert "PERENNIAL_DRAIN_SECONDS" in text


@pytest.mark.parametrize(
    ("uri", "name"),
    [
        ("iris.onnx", "iris"),
        ("/tmp/model.onnx", "tmp"),
        ("s3://models/delays/1/", "delays"),
        ("https://host/a%20b.onnx?x=1", "a-20b"),
        ("s3://bucket/", "model"),
    ],
)
def test_without_a_name_the_model_is_named_after_its_uri(uri, name):
    assert name_from_uri(uri) == name
