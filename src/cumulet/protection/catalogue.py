"""The managed identifiers: every kind of data that AWS documents, by AWS's name."""

from cumulet.protection import (
    credentials,
    devices,
    financial,
    health,
    personal,
    personal_addresses,
    personal_americas,
    personal_europe,
    personal_licenses,
    personal_phones,
    personal_spain,
)
from cumulet.protection.identifier import Identifier

ARN_PREFIX = "arn:aws:dataprotection::aws:data-identifier/"

IDENTIFIERS: dict[str, Identifier] = {
    identifier.name: identifier
    for identifiers in (
        credentials.IDENTIFIERS,
        devices.IDENTIFIERS,
        financial.IDENTIFIERS,
        health.IDENTIFIERS,
        personal.IDENTIFIERS,
        personal_addresses.IDENTIFIERS,
        personal_americas.IDENTIFIERS,
        personal_europe.IDENTIFIERS,
        personal_licenses.IDENTIFIERS,
        personal_phones.IDENTIFIERS,
        personal_spain.IDENTIFIERS,
    )
    for identifier in identifiers
}


def managed_identifier(name_or_arn: str) -> Identifier | None:
    """The identifier of that name, or of that ARN (`arn:aws:dataprotection::aws:data-identifier/Ssn-US`)."""
    return IDENTIFIERS.get(name_or_arn.removeprefix(ARN_PREFIX))


def arn_of(name: str) -> str:
    """The ARN of a managed identifier."""
    return ARN_PREFIX + name
