"""Data protection policies: what SNS takes as one, read into statements.

The language is that of version 2021-06-01. AWS documents its rules and not the words of its refusals; ours name the
member that is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import orjson

from cumulet.protection import Identifier, InvalidIdentifier, custom_identifier, managed_identifier
from cumulet.services.sns.data_protection import refused
from cumulet.services.sns.principals import Principals
from cumulet.services.sns.topic_attributes import not_yet

VERSION = "2021-06-01"
LONGEST_POLICY = 30_720
"""Characters."""
MOST_CUSTOM_IDENTIFIERS = 10
MANAGED = re.compile(r"arn:aws(?:-cn|-us-gov)?:dataprotection::aws:data-identifier/([^/]+)")
"""The ARN of an identifier that AWS manages, in any partition."""
LARGEST_SAMPLE_RATE = 99
SAMPLE_RATE = re.compile(r"0|[1-9][0-9]?")
LOG_GROUP = re.compile(r"/aws/vendedlogs/[A-Za-z0-9_/.#-]{1,496}")
"""SNS: findings go to log groups below `/aws/vendedlogs/`; a group's name has 512 characters at most."""
MASKS = frozenset(chr(code) for code in range(0x20, 0x7F)) - {'"', "\\"}
"""With one of these a document of JSON stays one."""
DESTINATIONS = {"CloudWatchLogs": "LogGroup", "Firehose": "DeliveryStream", "S3": "Bucket"}


class Audit(NamedTuple):
    """Reports what some of the messages hold."""

    sample_percent: int
    findings_group: str | None
    """The log group of messages with sensitive data."""
    no_findings_group: str | None
    """That of messages without."""


class Deny(NamedTuple):
    """Keeps messages with sensitive data away."""


class Deidentify(NamedTuple):
    """Masks sensitive data with a character, or cuts it out."""

    mask: str | None


class Statement(NamedTuple):
    """What is done with the sensitive data of some principals' messages."""

    sid: str | None
    is_inbound: bool
    principals: Principals
    identifiers: tuple[Identifier, ...]
    operation: Audit | Deny | Deidentify


def read(text: str) -> tuple[Statement, ...]:
    """Return the statements of a policy; raises InvalidParameterException."""
    if len(text) > LONGEST_POLICY:
        raise refused(f"must have at most {LONGEST_POLICY} characters")
    try:
        document = orjson.loads(text)
    except ValueError:
        raise refused("invalid JSON") from None
    members = _members(
        document, "the policy", needed=("Name", "Version", "Statement"), others=("Description", "Configuration")
    )
    _text(members["Name"], "Name")
    if not isinstance(members.get("Description", ""), str):
        raise refused("Description must be a string")
    if members["Version"] != VERSION:
        raise refused(f"Version must be {VERSION}")
    custom = _custom_identifiers(members.get("Configuration", {}))
    statements = tuple(_statement(statement, custom) for statement in _list(members["Statement"], "Statement"))
    if sum(isinstance(statement.operation, Audit) for statement in statements) > 1:
        raise refused("only one statement may have the operation Audit")
    sids = [statement.sid for statement in statements if statement.sid is not None]
    if len(set(sids)) < len(sids):
        raise refused("statements must not share a Sid")
    return statements


def _custom_identifiers(configuration: object) -> dict[str, Identifier]:
    given = _members(configuration, "Configuration", others=("CustomDataIdentifier",)).get("CustomDataIdentifier", [])
    if not isinstance(given, list):
        raise refused("CustomDataIdentifier must be a list")
    if len(given) > MOST_CUSTOM_IDENTIFIERS:
        raise refused(f"there must be at most {MOST_CUSTOM_IDENTIFIERS} custom data identifiers")
    found: dict[str, Identifier] = {}
    for one in given:
        members = _members(one, "CustomDataIdentifier", needed=("Name", "Regex"))
        name = _text(members["Name"], "Name of a CustomDataIdentifier")
        if name in found:
            raise refused(f"there are several custom data identifiers {name}")
        try:
            found[name] = custom_identifier(name, _text(members["Regex"], f"Regex of {name}"))
        except InvalidIdentifier as error:
            raise refused(f"invalid CustomDataIdentifier {name}: {error}") from None
    return found


def _statement(document: object, custom: Mapping[str, Identifier]) -> Statement:
    members = _members(
        document, "a statement", needed=("DataDirection", "Principal", "DataIdentifier", "Operation"), others=("Sid",)
    )
    sid = _text(members["Sid"], "Sid") if "Sid" in members else None
    if members["DataDirection"] not in ("Inbound", "Outbound"):
        raise refused("DataDirection must be Inbound or Outbound")
    is_inbound = members["DataDirection"] == "Inbound"
    try:
        principals = Principals(_texts(members["Principal"], "Principal"))
    except ValueError as error:
        raise refused(f"invalid principal {error}") from None
    operation = _operation(members["Operation"])
    if isinstance(operation, Audit) and not is_inbound:
        raise refused("the operation Audit is for inbound messages only")
    identifiers = tuple(_identifier(name, custom) for name in _texts(members["DataIdentifier"], "DataIdentifier"))
    return Statement(sid, is_inbound, principals, identifiers, operation)


def _identifier(stated: str, custom: Mapping[str, Identifier]) -> Identifier:
    """SNS: managed identifiers are stated by their ARNs, the policy's own ones by their names."""
    arn = MANAGED.fullmatch(stated)
    found = managed_identifier(arn[1]) if arn else custom.get(stated)
    if found is None:
        raise refused(f"unknown data identifier {stated}")
    return found


def _operation(document: object) -> Audit | Deny | Deidentify:
    name, operation = _only(document, "Operation", ("Audit", "Deidentify", "Deny"))
    if name == "Audit":
        return _audit(operation)
    if name == "Deny":
        _members(operation, "Deny")
        return Deny()
    name, config = _only(operation, "Deidentify", ("MaskConfig", "RedactConfig"))
    if name == "RedactConfig":
        _members(config, "RedactConfig")
        return Deidentify(None)
    mask = _members(config, "MaskConfig", needed=("MaskWithCharacter",))["MaskWithCharacter"]
    if not isinstance(mask, str) or mask not in MASKS:
        raise refused("MaskWithCharacter must be one printable ASCII character, neither a quote nor a backslash")
    return Deidentify(mask)


def _audit(document: object) -> Audit:
    members = _members(
        document, "Audit", needed=("SampleRate",), others=("FindingsDestination", "NoFindingsDestination")
    )
    rate = members["SampleRate"]
    if isinstance(rate, bool) or not isinstance(rate, int | str) or not SAMPLE_RATE.fullmatch(str(rate)):
        raise refused(f"SampleRate must be an integer between 0 and {LARGEST_SAMPLE_RATE}")
    if len(members) == 1:
        raise refused("Audit must have a FindingsDestination or a NoFindingsDestination")
    findings, no_findings = (_log_group(members, name) for name in ("FindingsDestination", "NoFindingsDestination"))
    return Audit(int(rate), findings, no_findings)


def _log_group(audit: Mapping[str, Any], name: str) -> str | None:
    destination = _members(audit.get(name, {}), name, others=DESTINATIONS)
    resources = {
        service: _text(_members(value, service, needed=(DESTINATIONS[service],))[DESTINATIONS[service]], service)
        for service, value in destination.items()
    }
    group = resources.pop("CloudWatchLogs", None)
    if resources:
        raise not_yet(f"{', '.join(resources)} as a destination of findings")
    if group is not None and not LOG_GROUP.fullmatch(group):
        raise refused("LogGroup must be the name of a log group that starts with /aws/vendedlogs/")
    return group


def _members(
    document: object, what: str, *, needed: Collection[str] = (), others: Collection[str] = ()
) -> Mapping[str, Any]:
    if not isinstance(document, dict):
        raise refused(f"{what} must be an object")
    for name in needed:
        if name not in document:
            raise refused(f"{what} must have the member {name}")
    for name in document:
        if name not in needed and name not in others:
            raise refused(f"{what} has the unknown member {name}")
    return document


def _only(document: object, what: str, names: Collection[str]) -> tuple[str, object]:
    members = _members(document, what, others=names)
    if len(members) != 1:
        raise refused(f"{what} must have exactly one of {', '.join(names)}")
    [(name, value)] = members.items()
    return name, value


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list) or not value:
        raise refused(f"{what} must be a list that is not empty")
    return value


def _texts(value: object, what: str) -> tuple[str, ...]:
    return tuple(_text(one, what) for one in _list(value, what))


def _text(value: object, what: str) -> str:
    if not isinstance(value, str) or not value:
        raise refused(f"{what} must be a string that is not empty")
    return value
