"""Function URLs as they are on disk."""

from __future__ import annotations

from typing import Literal

import msgspec

from cumulet.kernel.errors import AwsError
from cumulet.services.lambda_.errors import ResourceConflictException, not_found
from cumulet.services.lambda_.function_names import FunctionKey, function_arn
from cumulet.store import Row, Tx

_COLUMNS = "url_id, account, region, function_name, qualifier, auth_type, invoke_mode, cors, created_at, modified_at"
INSERT = f"INSERT INTO lambda_function_urls ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
UPDATE = "UPDATE lambda_function_urls SET auth_type = ?, invoke_mode = ?, cors = ?, modified_at = ? WHERE url_id = ?"
DELETE = "DELETE FROM lambda_function_urls WHERE url_id = ?"
SELECT_BY_ID = f"SELECT {_COLUMNS} FROM lambda_function_urls WHERE url_id = ?"
SELECT_OF_FUNCTION = (
    f"SELECT {_COLUMNS} FROM lambda_function_urls WHERE account = ? AND region = ? AND function_name = ?"
)
SELECT_ONE = f"{SELECT_OF_FUNCTION} AND qualifier = ?"
SELECT_AFTER = f"{SELECT_OF_FUNCTION} AND qualifier > ? ORDER BY qualifier LIMIT ?"

AuthType = Literal["NONE", "AWS_IAM"]
InvokeMode = Literal["BUFFERED", "RESPONSE_STREAM"]


class Cors(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How browsers may use a URL from pages of other origins."""

    AllowCredentials: bool | None = None
    AllowHeaders: tuple[str, ...] = ()
    AllowMethods: tuple[str, ...] = ()
    AllowOrigins: tuple[str, ...] = ()
    ExposeHeaders: tuple[str, ...] = ()
    MaxAge: int | None = None


class FunctionUrl(msgspec.Struct, frozen=True, kw_only=True):
    """An address at which everybody, or whoever signs requests, invokes a function."""

    url_id: str
    account: str
    region: str
    function_name: str
    qualifier: str
    """An alias; empty for $LATEST."""
    auth_type: AuthType
    invoke_mode: InvokeMode
    cors: Cors | None
    created_ms: int
    modified_ms: int

    @property
    def key(self) -> FunctionKey:
        """Which function it invokes."""
        return FunctionKey(self.account, self.region, self.function_name)

    @property
    def function_arn(self) -> str:
        """The ARN of the function, or of its alias."""
        return function_arn(*self.key) + (f":{self.qualifier}" if self.qualifier else "")


def put(tx: Tx, url: FunctionUrl) -> None:
    """Write a new URL; raises ResourceConflictException where the function or alias has one."""
    if tx.one(SELECT_ONE, *url.key, url.qualifier) is not None:
        raise _exists(url)
    tx.run(
        INSERT,
        url.url_id,
        *url.key,
        url.qualifier,
        url.auth_type,
        url.invoke_mode,
        _json(url.cors),
        url.created_ms,
        url.modified_ms,
    )


def change(tx: Tx, url: FunctionUrl) -> None:
    """Write what has changed of a URL."""
    tx.run(UPDATE, url.auth_type, url.invoke_mode, _json(url.cors), url.modified_ms, url.url_id)


def load(tx: Tx, key: FunctionKey, qualifier: str) -> FunctionUrl:
    """Return the URL of a function or alias; raises ResourceNotFoundException where there is none."""
    row = tx.one(SELECT_ONE, *key, qualifier)
    if row is None:
        raise not_found("The resource you requested does not exist.")
    return _from_row(row)


def find(tx: Tx, url_id: str) -> FunctionUrl | None:
    """Return the URL with an id, or None."""
    row = tx.one(SELECT_BY_ID, url_id)
    return None if row is None else _from_row(row)


def after(tx: Tx, key: FunctionKey, qualifier: str, limit: int) -> list[FunctionUrl]:
    """Return up to `limit` URLs of a function whose qualifiers sort behind `qualifier`, or not before an empty one."""
    if not qualifier:
        own = [_from_row(row) for row in tx.all(SELECT_ONE, *key, "")]
        return own + after(tx, key, "\0", limit - len(own))
    return [_from_row(row) for row in tx.all(SELECT_AFTER, *key, qualifier, limit)]


def delete(tx: Tx, key: FunctionKey, qualifier: str) -> FunctionUrl:
    """Delete the URL of a function or alias and return what it was; raises ResourceNotFoundException."""
    url = load(tx, key, qualifier)
    tx.run(DELETE, url.url_id)
    return url


def forget(tx: Tx, key: FunctionKey, qualifier: str | None) -> list[str]:
    """Delete the URL of an alias, or all of a function (None), if there are any, and return their ids."""
    rows = tx.all(SELECT_OF_FUNCTION, *key) if qualifier is None else tx.all(SELECT_ONE, *key, qualifier)
    for row in rows:
        tx.run(DELETE, row[0])
    return [row[0] for row in rows]


def _exists(url: FunctionUrl) -> AwsError:
    return ResourceConflictException(
        f"Failed to create function url config for [functionArn = {url.function_arn}]. "
        "Error message:  FunctionUrlConfig exists for this Lambda function",
        Type="User",
    )


def _json(cors: Cors | None) -> str | None:
    return None if cors is None else msgspec.json.encode(cors).decode()


def _from_row(row: Row) -> FunctionUrl:
    url_id, account, region, name, qualifier, auth_type, invoke_mode, cors, created_ms, modified_ms = row
    return FunctionUrl(
        url_id=url_id,
        account=account,
        region=region,
        function_name=name,
        qualifier=qualifier,
        auth_type=auth_type,
        invoke_mode=invoke_mode,
        cors=None if cors is None else msgspec.json.decode(cors, type=Cors),
        created_ms=created_ms,
        modified_ms=modified_ms,
    )
