"""How a function, or one of its versions or aliases, is invoked asynchronously: retries, age, destinations."""

from __future__ import annotations

import msgspec

from cumulet.delivery import RetryPolicy
from cumulet.services.lambda_.errors import not_found
from cumulet.services.lambda_.function_names import FunctionKey, function_arn
from cumulet.store import Row, Tx

MOST_RETRIES = 2
WAITS_MS = (60_000, 120_000)
"""Lambda: a minute before the first retry, two before the second."""
MOST_AGE_SECONDS = 21_600

_COLUMNS = "account, region, function_name, qualifier, settings, modified_at"
SELECT_CONFIG = f"""
SELECT {_COLUMNS} FROM lambda_event_invoke_configs
WHERE account = ? AND region = ? AND function_name = ? AND qualifier = ?"""
SELECT_CONFIGS_AFTER = f"""
SELECT {_COLUMNS} FROM lambda_event_invoke_configs
WHERE account = ? AND region = ? AND function_name = ? AND qualifier > ? ORDER BY qualifier LIMIT ?"""
PUT_CONFIG = f"""
INSERT INTO lambda_event_invoke_configs ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT (account, region, function_name, qualifier) DO UPDATE
SET settings = excluded.settings, modified_at = excluded.modified_at"""
DELETE_CONFIG = """
DELETE FROM lambda_event_invoke_configs WHERE account = ? AND region = ? AND function_name = ? AND qualifier = ?"""
DELETE_CONFIGS = "DELETE FROM lambda_event_invoke_configs WHERE account = ? AND region = ? AND function_name = ?"


class Settings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was set; None where Lambda's default holds."""

    most_retries: int | None = None
    most_age_seconds: int | None = None
    on_success: str | None = None
    """The ARN of a destination."""
    on_failure: str | None = None

    @property
    def policy(self) -> RetryPolicy:
        """How an event is tried again."""
        most_retries = MOST_RETRIES if self.most_retries is None else self.most_retries
        return RetryPolicy(most_retries, WAITS_MS, (self.most_age_seconds or MOST_AGE_SECONDS) * 1000)


DEFAULTS = Settings()


class EventInvokeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one qualifier; that of the function itself is `$LATEST`."""

    account: str
    region: str
    function_name: str
    qualifier: str
    settings: Settings
    modified_ms: int

    @property
    def function_arn(self) -> str:
        """The function's ARN with the qualifier."""
        return f"{function_arn(self.account, self.region, self.function_name)}:{self.qualifier}"


def find(tx: Tx, key: FunctionKey, qualifier: str) -> EventInvokeConfig | None:
    """Return the configuration of a qualifier, or None."""
    row = tx.one(SELECT_CONFIG, *key, qualifier)
    return None if row is None else _config(row)


def settings(tx: Tx, key: FunctionKey, qualifier: str) -> Settings:
    """Return what is set for a qualifier, or the defaults."""
    config = find(tx, key, qualifier)
    return DEFAULTS if config is None else config.settings


def load(tx: Tx, key: FunctionKey, qualifier: str) -> EventInvokeConfig:
    """Return the configuration of a qualifier; raises ResourceNotFoundException."""
    config = find(tx, key, qualifier)
    if config is None:
        raise not_found(f"The function {function_arn(*key)}:{qualifier} doesn't have an EventInvokeConfig")
    return config


def after(tx: Tx, key: FunctionKey, qualifier: str, limit: int) -> list[EventInvokeConfig]:
    """Return up to `limit` configurations of a function that sort behind `qualifier`."""
    return [_config(row) for row in tx.all(SELECT_CONFIGS_AFTER, *key, qualifier, limit)]


def put(tx: Tx, config: EventInvokeConfig) -> None:
    """Write a configuration, in the place of the one before."""
    text = msgspec.json.encode(config.settings).decode()
    tx.run(
        PUT_CONFIG,
        config.account,
        config.region,
        config.function_name,
        config.qualifier,
        text,
        config.modified_ms,
    )


def forget(tx: Tx, key: FunctionKey, qualifier: str | None = None) -> None:
    """Delete the configuration of a qualifier, or all of a function; harmless where there is none."""
    if qualifier is None:
        tx.run(DELETE_CONFIGS, *key)
    else:
        tx.run(DELETE_CONFIG, *key, qualifier)


def _config(row: Row) -> EventInvokeConfig:
    account, region, function_name, qualifier, text, modified_ms = row
    return EventInvokeConfig(
        account=account,
        region=region,
        function_name=function_name,
        qualifier=qualifier,
        settings=msgspec.json.decode(text, type=Settings),
        modified_ms=modified_ms,
    )
