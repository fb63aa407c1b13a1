"""Policy documents: what IAM refuses when one is stored, and how it measures and shows one.

The grammar is checked whole (elements, their types, effects, condition operators), then actions, resources and
statement ids by form. Not checked, though AWS does: values of conditions (dates), the forms of resources of single
services, and whether actions, services and principals exist.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal
from urllib.parse import quote

import msgspec
from msgspec import UNSET, UnsetType

from cumulet.kernel.errors import AwsError
from cumulet.services.iam.errors import MalformedPolicyDocument

LATEST_VERSION = "2012-10-17"
SYNTAX = "Syntax errors in policy."
LEGACY = "The policy failed legacy parsing"
PRINCIPAL_TYPES = ("AWS", "Service", "Federated", "CanonicalUser")

Texts = str | list[str]
Scalar = str | bool | int | float

_OPERATOR = re.compile(
    r"(For(All|Any)Values?:)?"
    r"(String(Not)?(Equals(IgnoreCase)?|Like)|(Numeric|Date)((Not)?Equals|(Less|Greater)Than(Equals)?)"
    r"|Bool|BinaryEquals|(Not)?IpAddress|Arn(Not)?(Equals|Like)|Null)(IfExists)?",
    re.IGNORECASE,
)
_SID = re.compile(r"[0-9A-Za-z]*")
_VENDOR = re.compile(r"[A-Za-z0-9.-]+|\*")
_PARTITION = re.compile(r"aws(-[a-z]+)*|\*")
_TRUST_ACTION = re.compile(r"sts:(AssumeRole\w*|TagSession|SetSourceIdentity|SetContext|[\w*]*\*)", re.IGNORECASE)


class Statement(msgspec.Struct, rename="pascal", forbid_unknown_fields=True):
    """One statement."""

    effect: str
    sid: str | UnsetType = UNSET
    principal: str | dict[str, Texts] | UnsetType = UNSET
    not_principal: str | dict[str, Texts] | UnsetType = UNSET
    action: Texts | UnsetType = UNSET
    not_action: Texts | UnsetType = UNSET
    resource: Texts | UnsetType = UNSET
    not_resource: Texts | UnsetType = UNSET
    condition: dict[str, dict[str, Scalar | list[Scalar]]] | UnsetType = UNSET

    @property
    def actions(self) -> list[str]:
        """What Action or NotAction names."""
        return [*_each(self.action), *_each(self.not_action)]

    @property
    def resources(self) -> list[str]:
        """What Resource or NotResource names."""
        return [*_each(self.resource), *_each(self.not_resource)]


class Document(msgspec.Struct, rename="pascal", forbid_unknown_fields=True):
    """A policy document."""

    statement: Statement | Annotated[list[Statement], msgspec.Meta(min_length=1)]
    version: Literal["2008-10-17", "2012-10-17"] | UnsetType = UNSET
    id: str | UnsetType = UNSET

    @property
    def statements(self) -> list[Statement]:
        """All statements."""
        return self.statement if isinstance(self.statement, list) else [self.statement]


def check_permissions(text: str) -> None:
    """Raise MalformedPolicyDocument for what can't be an inline or a managed policy."""
    document = _read(text, not_json=SYNTAX)
    if document.version != LATEST_VERSION:
        raise _malformed(f"Policy document must be version {LATEST_VERSION} or greater.")
    if any(_is_legacy_broken(statement) for statement in document.statements):
        raise _malformed(LEGACY)
    _check_sids(document.statements)
    for statement in document.statements:
        if statement.principal is not UNSET or statement.not_principal is not UNSET:
            raise _malformed("Policy document should not specify a principal.")
        if not statement.actions:
            raise _malformed("Policy statement must contain actions.")
        if not statement.resources:
            raise _malformed("Policy statement must contain resources.")
        for resource in statement.resources:
            _check_resource(resource)
        for action in statement.actions:
            _check_action(action)


def check_trust(text: str) -> None:
    """Raise MalformedPolicyDocument for what can't say who may assume a role."""
    document = _read(text, not_json="This policy contains invalid Json")
    _check_sids(document.statements)
    for statement in document.statements:
        if statement.effect not in ("Allow", "Deny"):
            raise _malformed(SYNTAX)
        for name in ("Resource", "NotResource"):
            if getattr(statement, "resource" if name == "Resource" else "not_resource") is not UNSET:
                raise _malformed(f"Has prohibited field {name}")
        if statement.principal is UNSET and statement.not_principal is UNSET:
            raise _malformed("Missing required field Principal")
        for principal in (statement.principal, statement.not_principal):
            _check_principal(principal)
        if not statement.actions:
            raise _malformed("Missing required field Action")
        if not all(_TRUST_ACTION.fullmatch(action) for action in statement.actions):
            raise _malformed("AssumeRole policy may only specify STS AssumeRole actions.")


def trusts(text: str, service: str) -> bool:
    """Does a trust policy let a service assume the role? Its conditions are not evaluated."""
    statements = msgspec.json.decode(text, type=Document).statements
    about = [statement.effect for statement in statements if _names(statement, service)]
    return "Allow" in about and "Deny" not in about


def _names(statement: Statement, service: str) -> bool:
    principal = statement.principal
    services = _each(principal.get("Service", UNSET)) if isinstance(principal, dict) else ()
    assumes = any(fnmatchcase("sts:assumerole", action.lower()) for action in _each(statement.action))
    return assumes and (principal == "*" or service in services)


def size(text: str) -> int:
    """Return a document's size as IAM's quotas measure it: characters, white space not counted."""
    return sum(len(part) for part in text.split())


def shown(text: str) -> str:
    """Return a document as answers hold it: percent-encoded (RFC 3986)."""
    return quote(text, safe="")


def _read(text: str, *, not_json: str) -> Document:
    try:
        content: Any = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        raise _malformed(not_json) from None
    try:
        document = msgspec.convert(content, Document)
    except (msgspec.ValidationError, RecursionError):
        raise _malformed(SYNTAX) from None
    if not all(_is_grammatical(statement) for statement in document.statements):
        raise _malformed(SYNTAX)
    return document


def _is_grammatical(statement: Statement) -> bool:
    pairs = (
        (statement.action, statement.not_action),
        (statement.resource, statement.not_resource),
        (statement.principal, statement.not_principal),
    )
    has_both = any(one is not UNSET and other is not UNSET for one, other in pairs)
    condition = {} if isinstance(statement.condition, UnsetType) else statement.condition
    has_operators = all(not keys or _OPERATOR.fullmatch(operator) for operator, keys in condition.items())
    return statement.effect.lower() in ("allow", "deny") and not has_both and has_operators


def _is_legacy_broken(statement: Statement) -> bool:
    """Does the statement break what only IAM's older parser finds: an effect's case, an ARN with parts missing?"""
    if statement.effect not in ("Allow", "Deny"):
        return True
    for resource in statement.resources:
        parts = resource.split(":")
        if parts[:2] == ["arn", "aws"] and (len(parts) in (4, 5) or parts[2:3] == [""]):
            return True
    return False


def _check_sids(statements: list[Statement]) -> None:
    sids = [statement.sid for statement in statements if statement.sid]
    if len(set(sids)) < len(sids):
        raise _malformed("Statement IDs (SID) in a single policy must be unique.")
    if not all(_SID.fullmatch(str(sid)) for sid in sids):
        raise _malformed(
            "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression "
            "[0-9A-Za-z]*"
        )


def _check_resource(resource: str) -> None:
    if resource == "*":
        return
    first, *rest = resource.split(":")
    if not rest:
        raise _malformed(f'Resource {resource} must be in ARN format or "*".')
    parts = [*rest, *["*"] * (5 - len(rest))]
    arn = ":".join(["arn", *parts])
    if _PARTITION.fullmatch(parts[0]) is None:
        raise _malformed(f'Partition "{parts[0]}" is not valid for resource "{arn}".')
    if first != "arn":
        raise _malformed(f'Resource {resource} must be in ARN format or "*".')
    if "*" in parts[1] or "?" in parts[1]:
        raise _malformed("Resource vendor must be fully qualified and cannot contain regexes.")


def _check_action(action: str) -> None:
    if action == "*":
        return
    vendor, *rest = action.split(":")
    if not rest:
        raise _malformed("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.")
    if len(rest) > 1:
        raise _malformed("Actions/Condition can contain only one colon.")
    if _VENDOR.fullmatch(vendor) is None:
        raise _malformed(f"Vendor {vendor} is not valid")


def _check_principal(principal: str | dict[str, Texts] | UnsetType) -> None:
    if isinstance(principal, str) and principal != "*":
        raise _malformed(SYNTAX)
    if isinstance(principal, dict):
        for kind, values in principal.items():
            if kind not in PRINCIPAL_TYPES:
                raise _malformed(f'Invalid principal in policy: "{kind}":"{next(_each(values), "")}"')


def _each(texts: Texts | UnsetType) -> Iterator[str]:
    if isinstance(texts, str):
        yield texts
    elif isinstance(texts, list):
        yield from texts


def _malformed(message: str) -> AwsError:
    return MalformedPolicyDocument(message)
