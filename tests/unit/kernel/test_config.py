"""Where settings come from, and which are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cumulet.kernel.config import Config, ConfigError, is_loopback, load_config


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in an empty folder."""
    monkeypatch.chdir(tmp_path)


def test_defaults_are_safe() -> None:
    config = load_config({}, {})

    assert (config.host, config.port, config.auth, config.clock) == ("127.0.0.1", 4566, "open", "real")
    assert (config.durability, config.data, dict(config.quotas)) == ("full", Path("cumulet-data"), {})


def test_a_flag_beats_the_environment_which_beats_the_file() -> None:
    Path("cumulet.toml").write_text('port = 1\ndata = "file"\nclock = "virtual"\n')

    config = load_config({"port": "3", "data": None}, {"CUMULET_PORT": "2", "CUMULET_DATA": "environment"})

    assert (config.port, config.data, config.clock) == (3, Path("environment"), "virtual")


def test_the_environment_names_another_file() -> None:
    Path("cumulet.toml").write_text("port = 1\n")
    Path("other.toml").write_text('let-anyone-on-the-network-in = true\nhost = "0.0.0.0"\nseed = 7\n')

    config = load_config({}, {"CUMULET_CONFIG": "other.toml"})

    assert (config.port, config.host, config.seed, config.let_anyone_on_the_network_in) == (4566, "0.0.0.0", 7, True)


def test_quotas_are_numbers_by_name() -> None:
    Path("cumulet.toml").write_text('[quotas]\n"sqs:SendMessage" = 5\n"sqs:messages-in-flight" = 10.5\n')

    assert load_config({}, {}).quotas == {"sqs:SendMessage": 5.0, "sqs:messages-in-flight": 10.5}


@pytest.mark.parametrize(
    ("text", "value"), [("true", True), ("1", True), ("TRUE", True), ("false", False), ("0", False)]
)
def test_truth_in_the_environment(text: str, value: bool) -> None:
    environment = {"CUMULET_LET_ANYONE_ON_THE_NETWORK_IN": text}

    assert load_config({}, environment).let_anyone_on_the_network_in is value


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"port": "x"}, "port must be a whole number, not 'x'"),
        ({"port": 1.5}, "port must be a whole number, not 1.5"),
        ({"port": True}, "port must be a whole number, not True"),
        ({"port": -1}, "port must be between 0 and 65535, not -1"),
        ({"host": 5}, "host must be a word, not 5"),
        ({"auth": "none"}, "auth must be one of open, enforce, not 'none'"),
        ({"log": "loud"}, "log must be one of auto, pretty, json, off, not 'loud'"),
        ({"let_anyone_on_the_network_in": "yes"}, "let_anyone_on_the_network_in must be true or false, not 'yes'"),
        ({"let_anyone_on_the_network_in": 1}, "let_anyone_on_the_network_in must be true or false, not 1"),
        ({"request_deadline_seconds": "soon"}, "request_deadline_seconds must be a number, not 'soon'"),
        ({"request_deadline_seconds": "nan"}, "request_deadline_seconds must be more than 0, not nan"),
        ({"smtp": "mail:x"}, "smtp must be host:port or smtps://name:password@host:port"),
        ({"smtp": 25}, "smtp must be a word, not 25"),
        ({"smtp_sender": "nobody"}, "smtp_sender must be a mail address, not 'nobody'"),
        ({"quotas": 5}, "quotas must be a table of numbers, not 5"),
        ({"quotas": {"sqs:SendMessage": -1}}, "the quota sqs:SendMessage must be a number from 0 on, not -1.0"),
    ],
)
def test_a_value_that_can_not_be_is_named_with_what_could_be(flags: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_config(flags, {})

    assert str(refused.value) == message


def test_an_unknown_name_in_the_file_is_refused() -> None:
    Path("cumulet.toml").write_text("prot = 1\n")

    with pytest.raises(ConfigError, match="prot"):
        load_config({}, {})


@pytest.mark.parametrize("text", ["port = ", "\xff"])
def test_a_file_that_is_no_toml_is_refused(text: str) -> None:
    Path("cumulet.toml").write_bytes(text.encode("latin-1"))

    with pytest.raises(ConfigError, match=r"cumulet\.toml"):
        load_config({}, {})


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_loopback_needs_no_leave(host: str) -> None:
    assert is_loopback(host)
    assert Config(host=host).host == host


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "", "192.0.2.1", "localhost.example.com"])
def test_open_mode_beyond_loopback_needs_leave(host: str) -> None:
    with pytest.raises(ConfigError, match="--let-anyone-on-the-network-in"):
        Config(host=host)

    assert Config(host=host, let_anyone_on_the_network_in=True).host == host
    assert Config(host=host, auth="enforce").host == host
