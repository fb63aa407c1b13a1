"""Platform applications as records: an app's registration with a push notification service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from cumulet.kernel.arns import partition_of
from cumulet.kernel.errors import AwsError
from cumulet.services.sns import arns
from cumulet.services.sns.errors import NotFoundException, invalid
from cumulet.services.sns.topic_attributes import not_yet
from cumulet.store import Row, Tx

PLATFORMS = frozenset(
    {
        *("ADM", "APNS", "APNS_SANDBOX", "APNS_VOIP", "APNS_VOIP_SANDBOX", "MACOS", "MACOS_SANDBOX"),
        *("BAIDU", "GCM", "MPNS", "WNS"),
    }
)
SECRETS = ("PlatformCredential", "PlatformPrincipal")
"""SNS shows them to nobody."""
NOT_YET = frozenset(
    {
        *("EventEndpointCreated", "EventEndpointDeleted", "EventEndpointUpdated", "EventDeliveryFailure"),
        *("SuccessFeedbackRoleArn", "FailureFeedbackRoleArn", "SuccessFeedbackSampleRate"),
    }
)
"""Nobody tells topics and logs of endpoints and deliveries yet."""
NAMES = frozenset({*SECRETS, *NOT_YET, "ApplePlatformTeamID", "ApplePlatformBundleID", "Enabled"})
_NAME = re.compile(r"[A-Za-z0-9._-]+")

_COLUMNS = "id, account, region, platform, name, attributes"
SELECT_APPLICATION = (
    f"SELECT {_COLUMNS} FROM sns_platform_applications WHERE account = ? AND region = ? AND platform = ? AND name = ?"
)
SELECT_APPLICATIONS = (
    f"SELECT {_COLUMNS} FROM sns_platform_applications WHERE account = ? AND region = ? AND id > ? ORDER BY id LIMIT ?"
)
INSERT_APPLICATION = f"INSERT INTO sns_platform_applications ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?)"
UPDATE_APPLICATION = "UPDATE sns_platform_applications SET attributes = ? WHERE id = ?"
DELETE_APPLICATION = "DELETE FROM sns_platform_applications WHERE id = ?"


class ApplicationKey(NamedTuple):
    """What names an application."""

    account: str
    region: str
    platform: str
    name: str

    @property
    def arn(self) -> str:
        """The application's ARN."""
        return f"arn:{partition_of(self.region)}:sns:{self.region}:{self.account}:app/{self.platform}/{self.name}"


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """One application as it is on disk."""

    id: int
    key: ApplicationKey
    attributes: dict[str, str]
    """What has been set, the secrets included."""

    @property
    def is_enabled(self) -> bool:
        """Whether messages go to its endpoints."""
        return self.attributes.get("Enabled", "true") == "true"

    @property
    def shown(self) -> dict[str, str]:
        """What SNS says of it."""
        return {"Enabled": "true"} | {name: value for name, value in self.attributes.items() if name not in SECRETS}


def key_of(text: str) -> ApplicationKey:
    """Return which application an ARN names; raises InvalidParameterException."""
    arn, path = arns.checked_path(text, "PlatformApplicationArn", "app", 3)
    return ApplicationKey(arn.account, arn.region, path[1], path[2])


def check_name(name: str, platform: str) -> None:
    """Raise InvalidParameterException for what an application can't be called or be for."""
    reason = ""
    if not name:
        reason = "cannot be empty"
    elif len(name) > 256:
        reason = "must be at most 256 characters long"
    elif not _NAME.fullmatch(name):
        reason = "must contain only characters 'a'-'z', 'A'-'Z', '0'-'9', '_', '-', and '.'"
    if reason:
        raise invalid(f"{name} Reason: {reason}")
    if platform not in PLATFORMS:
        raise invalid(f"Platform Reason: {platform} is not supported")


def check_attributes(attributes: Mapping[str, str]) -> None:
    """Raise InvalidParameterException for a name or value that there isn't.

    NotImplementedFailure names an attribute that would have no effect.
    """
    for name, value in attributes.items():
        if name not in NAMES:
            raise invalid(f"Attributes Reason: Invalid attribute name: {name}")
        if name in NOT_YET:
            raise not_yet(f"the attribute {name} of platform applications")
        if name == "Enabled" and value.lower() not in ("true", "false"):
            raise invalid("Attributes Reason: Invalid value for attribute: Enabled: must be true or false")


def check_credentials(platform: str, attributes: Mapping[str, str]) -> None:
    """Raise InvalidParameterException where something is missing that the platform wants; its truth isn't checked."""
    needed = SECRETS[:1] if platform == "GCM" else SECRETS
    if not all(attributes.get(name) for name in needed):
        raise invalid("Attributes Reason: Platform credentials are invalid")


def find(tx: Tx, key: ApplicationKey) -> Application | None:
    """Return the application of that name, or None."""
    row = tx.one(SELECT_APPLICATION, *key)
    return _from_row(row) if row else None


def load(tx: Tx, key: ApplicationKey) -> Application:
    """Return the application of that name; raises NotFoundException."""
    application = find(tx, key)
    if application is None:
        raise no_such_application()
    return application


def create(tx: Tx, key: ApplicationKey, attributes: dict[str, str]) -> None:
    """Make an application; one that is there takes the attributes over."""
    application = find(tx, key)
    if application is None:
        tx.run(INSERT_APPLICATION, tx.next_id(), *key, _text(attributes))
    else:
        tx.run(UPDATE_APPLICATION, _text(attributes), application.id)


def change(tx: Tx, key: ApplicationKey, changes: Mapping[str, str]) -> None:
    """Set some of an application's attributes; raises NotFoundException."""
    application = load(tx, key)
    tx.run(UPDATE_APPLICATION, _text({**application.attributes, **changes}), application.id)


def delete(tx: Tx, application: Application) -> None:
    """Delete an application that has no endpoints."""
    tx.run(DELETE_APPLICATION, application.id)


def listed(tx: Tx, account: str, region: str, after: int, limit: int) -> list[Application]:
    """Return up to `limit` applications whose ids are larger than `after`."""
    return [_from_row(row) for row in tx.all(SELECT_APPLICATIONS, account, region, after, limit)]


def no_such_application() -> AwsError:
    """Return the error for an application that is not there."""
    return NotFoundException("PlatformApplication does not exist")


def _from_row(row: Row) -> Application:
    return Application(
        id=row[0],
        key=ApplicationKey(*row[1:5]),
        attributes=msgspec.json.decode(row[5], type=dict[str, str]),
    )


def _text(mapping: Mapping[str, str]) -> str:
    return msgspec.json.encode(mapping).decode()
