"""Policy documents: what is accepted, and IAM's words for what is not. The texts are recorded answers of AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cumulet.kernel.errors import AwsError
from cumulet.services.iam import documents

SYNTAX = "Syntax errors in policy."
VERSION = "Policy document must be version 2012-10-17 or greater."
LEGACY = "The policy failed legacy parsing"
NO_ACTIONS = "Policy statement must contain actions."
NO_RESOURCES = "Policy statement must contain resources."
NO_VENDOR = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
COLONS = "Actions/Condition can contain only one colon."
BUCKET = "arn:aws:s3:::bucket"
GOOD = {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": BUCKET}
TRUSTED = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def policy(statement: Any, **members: Any) -> str:
    """Return a document; a member that is None is left out."""
    document = {"Version": "2012-10-17", "Statement": statement, **members}
    return json.dumps({name: value for name, value in document.items() if value is not None})


def good(**members: Any) -> dict[str, Any]:
    """Return a statement with other members; one that is None is left out."""
    return {name: value for name, value in {**GOOD, **members}.items() if value is not None}


def trusted(**members: Any) -> dict[str, Any]:
    """Return a statement of a trust policy with other members; one that is None is left out."""
    return {name: value for name, value in {**TRUSTED, **members}.items() if value is not None}


REFUSED: list[tuple[str, str]] = [
    ("This is not a json document", SYNTAX),
    ("", SYNTAX),
    ('{"Version":', SYNTAX),
    ("[]", SYNTAX),
    ("null", SYNTAX),
    ('"text"', SYNTAX),
    ("[" * 5000, SYNTAX),
    ('{"a":' * 5000, SYNTAX),
    (policy(GOOD, Version=None), VERSION),
    (policy(GOOD, Version="2008-10-17"), VERSION),
    (policy(GOOD, Version="2013-10-17"), SYNTAX),
    (policy(GOOD, Version=20121017), SYNTAX),
    (policy(None), SYNTAX),
    (policy([]), SYNTAX),
    (policy(["text"]), SYNTAX),
    (policy("text"), SYNTAX),
    (policy(GOOD, Extra="field"), SYNTAX),
    (policy(good(Extra="field")), SYNTAX),
    (policy(good(effect="Allow")), SYNTAX),
    (policy(GOOD, Id=["x"]), SYNTAX),
    (policy(GOOD, Id={}), SYNTAX),
    (policy(good(Effect="invalid")), SYNTAX),
    (policy(good(Effect=None)), SYNTAX),
    (policy(good(Effect="denY")), LEGACY),
    (policy(good(Effect="denY"), Version=None), VERSION),
    (policy([good(Sid="a", Effect="aLLow"), {"Sid": "a", "Effect": "Allow"}]), LEGACY),
    (policy(good(Sid={})), SYNTAX),
    (policy(good(Sid=[])), SYNTAX),
    (
        policy([good(Sid="a"), {"Sid": "a", "Effect": "Allow"}]),
        "Statement IDs (SID) in a single policy must be unique.",
    ),
    (
        policy(good(Sid="not alpha-numeric")),
        "Statement IDs (SID) must be alpha-numeric. "
        "Check that your input satisfies the regular expression [0-9A-Za-z]*",
    ),
    (policy(good(Action="invalid")), NO_VENDOR),
    (policy(good(Action=None, NotAction="")), NO_VENDOR),
    (policy(good(Action="a a:ListBucket")), "Vendor a a is not valid"),
    (policy(good(Action="s3:List:Bucket")), COLONS),
    (policy([GOOD, good(Action="s:3s:ListBucket")]), COLONS),
    (policy(good(Action=None)), NO_ACTIONS),
    (policy(good(Action=[])), NO_ACTIONS),
    (policy({"Effect": "Allow"}), NO_ACTIONS),
    (policy([{"Effect": "Deny"}, GOOD]), NO_ACTIONS),
    (policy(good(Action={})), SYNTAX),
    (policy(good(Action=[[]])), SYNTAX),
    (policy(good(Action=1)), SYNTAX),
    (policy(good(Action=[], NotAction="s3:ListBucket")), SYNTAX),
    (policy(good(NotAction="iam:x")), SYNTAX),
    (policy(good(Resource=None)), NO_RESOURCES),
    (policy(good(Resource=[])), NO_RESOURCES),
    (policy(good(Resource=None, Action="invalid")), NO_RESOURCES),
    (policy(good(Resource="invalid resource")), 'Resource invalid resource must be in ARN format or "*".'),
    (policy(good(Resource="")), 'Resource  must be in ARN format or "*".'),
    (policy(good(Resource=["adf"])), 'Resource adf must be in ARN format or "*".'),
    (policy(good(Resource="x", Action="s:3:ListBucket")), 'Resource x must be in ARN format or "*".'),
    (policy(good(Resource="a:b")), 'Partition "b" is not valid for resource "arn:b:*:*:*:*".'),
    (policy(good(Resource="a:b:c")), 'Partition "b" is not valid for resource "arn:b:c:*:*:*".'),
    (policy(good(Resource="a:b:c:d:e:f:g:h")), 'Partition "b" is not valid for resource "arn:b:c:d:e:f:g:h".'),
    (policy(good(Resource="aws:s3:::x")), 'Partition "s3" is not valid for resource "arn:s3:::x:*".'),
    (
        policy(good(Resource=["arn:error:s3:::x", "arn:error:s3::x"])),
        'Partition "error" is not valid for resource "arn:error:s3:::x".',
    ),
    (policy(good(Resource="arn:aws")), "Resource vendor must be fully qualified and cannot contain regexes."),
    (policy(good(Resource="arn:aws:s3::x")), LEGACY),
    (policy(good(Resource=None, NotResource="arn:aws:s3::x")), LEGACY),
    (policy(good(Resource="arn:aws::::x")), LEGACY),
    (policy(good(Resource="arn:aws::x")), LEGACY),
    (policy(good(Resource={"a": BUCKET})), SYNTAX),
    (policy(good(Resource=["x", {}])), SYNTAX),
    (policy(good(NotResource=[])), SYNTAX),
    (policy(good(NotResource="*")), SYNTAX),
    (policy(good(Condition=[])), SYNTAX),
    (policy(good(Condition="a")), SYNTAX),
    (policy(good(Condition={"a": "b"})), SYNTAX),
    (policy(good(Condition={"DateGreaterThan": "b"})), SYNTAX),
    (policy(good(Condition={"DateGreaterThan": []})), SYNTAX),
    (policy(good(Condition={"DateGreaterThan": {"a": {}}})), SYNTAX),
    (policy(good(Condition={"x": {"a": "1"}})), SYNTAX),
    (policy(good(Condition={"ForAnyValue::StringEqualsIfExists": {"a": "x"}})), SYNTAX),
    (policy(good(Condition=[{"ForAllValues:StringEquals": {"aws:TagKeys": "x"}}])), SYNTAX),
    (policy(good(Principal="*")), "Policy document should not specify a principal."),
    (policy(good(NotPrincipal={"AWS": "*"})), "Policy document should not specify a principal."),
]
ACCEPTED: list[str] = [
    policy(GOOD),
    policy([GOOD], Id="x"),
    policy(good(Action="iam: asdf safdsf af ")),
    policy(good(Action="*", Resource=[BUCKET, "*"])),
    policy(good(Action=["s3-s:List", "s3.s:*", "*:*"])),
    policy(good(Action=None, NotAction="s3:*", Resource=None, NotResource="*")),
    policy(good(Resource="arn:aws:invalid-service:us-east-1::x")),
    policy(good(Resource="arn:aws:fdsasf")),
    policy(good(Resource=["arn:aws-cn:s3:::x", "arn:aws-us-gov:s3:::x", "arn:aws:ec2:*:*:volume/*"])),
    policy(good(Resource="arn:aws:s3:::b/${cognito-identity.amazonaws.com:sub}/*")),
    policy(good(Condition={})),
    policy(good(Condition={"a": {}, "DateGreaterThan": {"a": []}})),
    policy(good(Condition={"Bool": {"aws:SecureTransport": False}, "NumericLessThan": {"s3:max-keys": 10}})),
    policy(good(Condition={"ForAllValues:StringEquals": {"aws:TagKeys": ["x"]}})),
    policy(good(Condition={"ForAnyValue:StringEqualsIfExists": {"a": "x"}, "stringlike": {"a": "x"}})),
    policy(good(Condition={"DateLessThanEquals": {"a": "2019-07-01T13:20:15Z"}, "Null": {"a": "true"}})),
    policy([good(Sid=""), good(Sid=""), good(Sid="a1")]),
]
REFUSED_TRUST: list[tuple[str, str]] = [
    ("{not json", "This policy contains invalid Json"),
    ("", "This policy contains invalid Json"),
    ("[" * 2000, "This policy contains invalid Json"),
    ("[]", SYNTAX),
    (policy(None), SYNTAX),
    (policy([]), SYNTAX),
    (policy(trusted(Effect="allow")), SYNTAX),
    (policy(trusted(Extra="x")), SYNTAX),
    (policy(trusted(Principal="lambda.amazonaws.com")), SYNTAX),
    (policy(trusted(Principal=["*"])), SYNTAX),
    (policy(trusted(NotPrincipal="*")), SYNTAX),
    (policy(trusted(Resource="*")), "Has prohibited field Resource"),
    (policy(trusted(NotResource="*")), "Has prohibited field NotResource"),
    (policy(trusted(Principal=None)), "Missing required field Principal"),
    (policy(trusted(Principal={"Nobody": ["x", "y"]})), 'Invalid principal in policy: "Nobody":"x"'),
    (policy(trusted(Action=None)), "Missing required field Action"),
    (policy(trusted(Action=[])), "Missing required field Action"),
    (policy(trusted(Action="s3:*")), "AssumeRole policy may only specify STS AssumeRole actions."),
    (
        policy(trusted(Action=["sts:AssumeRole", "sts:GetCallerIdentity"])),
        "AssumeRole policy may only specify STS AssumeRole actions.",
    ),
    (policy([trusted(Sid="a"), trusted(Sid="a")]), "Statement IDs (SID) in a single policy must be unique."),
]
ACCEPTED_TRUST: list[str] = [
    policy(TRUSTED),
    policy([TRUSTED, trusted(Effect="Deny")], Version=None),
    policy(TRUSTED, Version="2008-10-17"),
    policy(trusted(Principal="*", Condition={"StringEquals": {"sts:ExternalId": "x"}})),
    policy(trusted(Principal={"AWS": ["111122223333", "arn:aws:iam::111122223333:root"]})),
    policy(trusted(Principal={"Federated": "accounts.google.com"}, Action="sts:AssumeRoleWithWebIdentity")),
    policy(trusted(Action=["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"])),
    policy(trusted(Principal=None, NotPrincipal={"AWS": "111122223333"})),
]


@pytest.mark.parametrize(("text", "message"), REFUSED)
def test_permissions_that_are_refused(text: str, message: str) -> None:
    with pytest.raises(AwsError) as refused:
        documents.check_permissions(text)

    assert (refused.value.code, refused.value.message) == ("MalformedPolicyDocumentException", message)


@pytest.mark.parametrize("text", ACCEPTED)
def test_permissions_that_are_accepted(text: str) -> None:
    documents.check_permissions(text)


@pytest.mark.parametrize(("text", "message"), REFUSED_TRUST)
def test_trust_that_is_refused(text: str, message: str) -> None:
    with pytest.raises(AwsError) as refused:
        documents.check_trust(text)

    assert (refused.value.code, refused.value.message) == ("MalformedPolicyDocumentException", message)


@pytest.mark.parametrize("text", ACCEPTED_TRUST)
def test_trust_that_is_accepted(text: str) -> None:
    documents.check_trust(text)


def test_white_space_has_no_size() -> None:
    assert documents.size('{ "a" :\n\t[1,\r\n 2] }') == len('{"a":[1,2]}')


def test_document_is_shown_percent_encoded() -> None:
    assert documents.shown('{"a/b": "ü +~*"}') == "%7B%22a%2Fb%22%3A%20%22%C3%BC%20%2B~%2A%22%7D"
