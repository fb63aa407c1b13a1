"""Endpoints of platform applications as records: one app on one device."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cumulet.kernel.errors import AwsError
from cumulet.services.sns import arns
from cumulet.services.sns.errors import NotFoundException, invalid
from cumulet.services.sns.platform_applications import Application, ApplicationKey
from cumulet.store import Row, Tx

NAMES = frozenset({"Enabled", "Token", "CustomUserData"})
MOST_USER_DATA_BYTES = 2048
DELETED_AT_ONCE = 200

_COLUMNS = "id, application_id, arn, token, attributes"
SELECT_ENDPOINT = f"SELECT {_COLUMNS} FROM sns_platform_endpoints WHERE arn = ?"
SELECT_BY_TOKEN = f"SELECT {_COLUMNS} FROM sns_platform_endpoints WHERE application_id = ? AND token = ?"
SELECT_OF_APPLICATION = (
    f"SELECT {_COLUMNS} FROM sns_platform_endpoints WHERE application_id = ? AND id > ? ORDER BY id LIMIT ?"
)
INSERT_ENDPOINT = f"INSERT INTO sns_platform_endpoints ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)"
UPDATE_ENDPOINT = "UPDATE sns_platform_endpoints SET token = ?, attributes = ? WHERE id = ?"
DELETE_ENDPOINT = "DELETE FROM sns_platform_endpoints WHERE id = ?"


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One endpoint as it is on disk."""

    id: int
    application_id: int
    arn: str
    token: str
    attributes: dict[str, str]
    """`Enabled`, and `CustomUserData` where it was given."""

    @property
    def is_enabled(self) -> bool:
        """Whether messages go to it."""
        return self.attributes["Enabled"] == "true"

    @property
    def shown(self) -> dict[str, str]:
        """What SNS says of it."""
        return {**self.attributes, "Token": self.token}


def key_of(text: str, parameter: str = "EndpointArn") -> ApplicationKey:
    """Return which application the endpoint of an ARN belongs to; raises InvalidParameterException."""
    arn, path = arns.checked_path(text, parameter, "endpoint", 4)
    return ApplicationKey(arn.account, arn.region, path[1], path[2])


def checked(attributes: Mapping[str, str]) -> dict[str, str]:
    """Return attributes as they are kept; raises InvalidParameterException."""
    for name, value in attributes.items():
        if name not in NAMES:
            raise invalid(f"Attributes Reason: Invalid attribute name: {name}")
        if name == "CustomUserData" and len(value.encode()) > MOST_USER_DATA_BYTES:
            raise invalid(
                "Attributes Reason: Invalid value for attribute: CustomUserData: "
                "must be at most 2048 bytes long in UTF-8 encoding"
            )
        if name == "Enabled" and value.lower() not in ("true", "false"):
            raise invalid("Attributes Reason: Invalid value for attribute: Enabled: must be true or false")
        if name == "Token" and not value:
            raise invalid("Token Reason: cannot be empty")
    return {name: value.lower() if name == "Enabled" else value for name, value in attributes.items()}


def find(tx: Tx, arn: str) -> Endpoint | None:
    """Return the endpoint of that ARN, or None."""
    row = tx.one(SELECT_ENDPOINT, arn)
    return _from_row(row) if row else None


def load(tx: Tx, arn: str) -> Endpoint:
    """Return the endpoint of that ARN; raises NotFoundException."""
    endpoint = find(tx, arn)
    if endpoint is None:
        raise NotFoundException("Endpoint does not exist")
    return endpoint


def create(tx: Tx, application: Application, attributes: dict[str, str], new_id: str) -> Endpoint:
    """Make an endpoint, or return the one that has the token and the same attributes; raises
    InvalidParameterException where they are others. `attributes` has the token; `new_id` is a UUID.
    """
    token = attributes.pop("Token")
    attributes = {"Enabled": "true", **attributes}
    row = tx.one(SELECT_BY_TOKEN, application.id, token)
    if row is not None:
        found = _from_row(row)
        if found.attributes != attributes:
            raise _token_is_taken(found)
        return found
    arn = f"{application.key.arn.replace(':app/', ':endpoint/', 1)}/{new_id}"
    endpoint = Endpoint(id=tx.next_id(), application_id=application.id, arn=arn, token=token, attributes=attributes)
    tx.run(INSERT_ENDPOINT, endpoint.id, application.id, arn, token, msgspec.json.encode(attributes).decode())
    return endpoint


def change(tx: Tx, arn: str, changes: Mapping[str, str]) -> None:
    """Set some of an endpoint's attributes; raises NotFoundException, and InvalidParameterException for the token of
    another one of the application.
    """
    endpoint = load(tx, arn)
    attributes = {**endpoint.attributes, **changes}
    token = attributes.pop("Token", endpoint.token)
    row = tx.one(SELECT_BY_TOKEN, endpoint.application_id, token)
    if row is not None and row[0] != endpoint.id:
        raise _token_is_taken(_from_row(row))
    tx.run(UPDATE_ENDPOINT, token, msgspec.json.encode(attributes).decode(), endpoint.id)


def delete(tx: Tx, arn: str) -> None:
    """Delete an endpoint; SNS: one that is gone already is no error."""
    endpoint = find(tx, arn)
    if endpoint is not None:
        tx.run(DELETE_ENDPOINT, endpoint.id)


def delete_some(tx: Tx, application: Application) -> bool:
    """Delete up to 200 endpoints of an application; return whether there may be more."""
    rows = tx.all(SELECT_OF_APPLICATION, application.id, 0, DELETED_AT_ONCE)
    for row in rows:
        tx.run(DELETE_ENDPOINT, row[0])
    return len(rows) == DELETED_AT_ONCE


def listed(tx: Tx, application: Application, after: int, limit: int) -> list[Endpoint]:
    """Return up to `limit` endpoints of an application whose ids are larger than `after`."""
    return [_from_row(row) for row in tx.all(SELECT_OF_APPLICATION, application.id, after, limit)]


def _token_is_taken(endpoint: Endpoint) -> AwsError:
    return invalid(
        f"Token Reason: Endpoint {endpoint.arn} already exists with the same Token, but different attributes."
    )


def _from_row(row: Row) -> Endpoint:
    return Endpoint(
        id=row[0],
        application_id=row[1],
        arn=row[2],
        token=row[3],
        attributes=msgspec.json.decode(row[4], type=dict[str, str]),
    )
