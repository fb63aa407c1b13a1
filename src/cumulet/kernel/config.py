"""Configuration: a flag beats `CUMULET_*` in the environment, which beats the file, which beats the default.

The file is TOML with the flags' names (`port = 4566`); it is `cumulet.toml` in the working folder, or what
`CUMULET_CONFIG` names. A table `[quotas]` holds limits by name, see `cumulet.kernel.quotas`.
"""

from __future__ import annotations

import ipaddress
import math
import os
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from cumulet.kernel.mail_servers import mail_server

AuthMode = Literal["open", "enforce"]
ClockName = Literal["real", "virtual"]
Durability = Literal["full", "relaxed"]
FunctionNetwork = Literal["own", "machine"]
LogStyle = Literal["auto", "pretty", "json", "off"]

CHOICES = {
    "auth": ("open", "enforce"),
    "clock": ("real", "virtual"),
    "durability": ("full", "relaxed"),
    "function_network": ("own", "machine"),
    "log": ("auto", "pretty", "json", "off"),
}
MAIL_ADDRESS = re.compile(r"[A-Za-z0-9._+-]+@[A-Za-z0-9.-]+")
TRUTHS = {"true": True, "1": True, "false": False, "0": False}


class ConfigError(Exception):
    """A setting that can't be used. One line: which, what is wrong with it, what it may be."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """The settings of one platform."""

    host: str = "127.0.0.1"
    port: int = 4566
    data: Path = Path("cumulet-data")
    auth: AuthMode = "open"
    clock: ClockName = "real"
    durability: Durability = "full"
    log: LogStyle = "auto"
    smtp: str | None = None
    """Where mail is handed in: `host:port`, or `smtps://name:password@host`. Without it mail stays in the outbox."""
    smtp_sender: str = "no-reply@cumulet.localhost"
    """The address that mail is from."""
    function_network: FunctionNetwork = "own"
    """Each environment has a loopback interface of its own, and TCP and DNS to other machines; or shares all with the
    machine.
    """
    let_anyone_on_the_network_in: bool = False
    """Listen on another address than loopback although no signature is checked."""
    request_deadline_seconds: float = 30.0
    """How long a request may take to arrive, head and body."""
    seed: int | None = None
    """Makes ids and random choices repeatable, for tests."""
    quotas: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, choices in CHOICES.items():
            if getattr(self, name) not in choices:
                raise ConfigError(f"{name} must be one of {', '.join(choices)}, not {getattr(self, name)!r}")
        if not 0 <= self.port <= 65535:
            raise ConfigError(f"port must be between 0 and 65535, not {self.port}")
        if self.smtp is not None:
            try:
                mail_server(self.smtp)
            except ValueError:
                raise ConfigError("smtp must be host:port or smtps://name:password@host:port") from None
        if not MAIL_ADDRESS.fullmatch(self.smtp_sender):
            raise ConfigError(f"smtp_sender must be a mail address, not {self.smtp_sender!r}")
        if not 0 < self.request_deadline_seconds < math.inf:
            raise ConfigError(f"request_deadline_seconds must be more than 0, not {self.request_deadline_seconds}")
        for name, limit in self.quotas.items():
            if not 0 <= limit < math.inf:
                raise ConfigError(f"the quota {name} must be a number from 0 on, not {limit}")
        if self.auth == "open" and not is_loopback(self.host) and not self.let_anyone_on_the_network_in:
            raise ConfigError(
                f"with auth=open anyone who reaches {self.host or 'this machine'} may do anything: use --auth enforce, "
                "or say --let-anyone-on-the-network-in"
            )


def is_loopback(host: str) -> bool:
    """Can only this machine reach what listens on `host`?"""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load_config(flags: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Config:
    """Return the settings; `flags` holds those given on the command line, None where one was not given.

    Raises `ConfigError` for an unknown name, a value of a wrong type or a file that can't be read.
    """
    types = {f.name: str(f.type) for f in fields(Config)}
    settings: dict[str, Any] = _from_file(environment)
    unknown = settings.keys() - types.keys()
    if unknown:
        raise ConfigError(f"the configuration file has an unknown setting: {', '.join(sorted(unknown))}")
    for name in types.keys() - {"quotas"}:
        if (text := environment.get(f"CUMULET_{name.upper()}")) is not None:
            settings[name] = text
    settings.update({name: value for name, value in flags.items() if value is not None})
    return Config(**{name: _convert(name, types[name], value) for name, value in settings.items()})


def _from_file(environment: Mapping[str, str]) -> dict[str, Any]:
    named = environment.get("CUMULET_CONFIG")
    path = Path(named or "cumulet.toml")
    if named is None and not path.is_file():
        return {}
    try:
        return {name.replace("-", "_"): value for name, value in tomllib.loads(path.read_text("utf-8")).items()}
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise ConfigError(f"can't read the configuration file {path}: {why}") from error


def _convert(name: str, type_name: str, value: Any) -> Any:
    wanted, convert = _CONVERSIONS.get(name if name == "quotas" else type_name.partition(" |")[0], _WORD)
    try:
        return convert(value)
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError):
        raise ConfigError(f"{name} must be {wanted}, not {value!r}") from None


def _whole(value: Any) -> int:
    if isinstance(value, str) or type(value) is int:
        return int(value)
    raise TypeError


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError


_WORD: tuple[str, Callable[[Any], Any]] = ("a word", _text)
_CONVERSIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "quotas": ("a table of numbers", lambda value: {quota: float(limit) for quota, limit in value.items()}),
    "Path": ("a path", Path),
    "int": ("a whole number", _whole),
    "float": ("a number", float),
    "bool": ("true or false", lambda value: value if isinstance(value, bool) else TRUTHS[value.lower()]),
}
