"""Resource policies: what they say of requests, element by element, as IAM documents it."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from policy_texts import QUEUE, SEND, document, statement

from cumulet import policies
from cumulet.kernel.arns import Arn
from cumulet.kernel.call import Identity
from cumulet.policies import Asker, Decision

BOB = Asker(
    account="222222222222",
    arn="arn:aws:iam::222222222222:user/staff/bob",
    facts={
        "aws:username": "bob",
        "aws:principalarn": "arn:aws:iam::222222222222:user/staff/bob",
        "aws:securetransport": "false",
        "aws:sourceip": "10.1.2.3",
        "aws:currenttime": "2026-11-21T12:00:00Z",
        "aws:epochtime": "1795262400",
        "example:number": "7",
        "example:tags": ("red", "green"),
        "example:bytes": "aGVsbG8=",
    },
)
TOPIC = Arn("aws", "sns", "us-east-1", "333333333333", "news")
SNS = policies.of_service(TOPIC, 0)
NOBODY = Asker()


def decision(text: str, asker: Asker = BOB, *, action: str = SEND, resource: str = QUEUE) -> Decision:
    return policies.read(text).decision(action, resource, asker)


def allows(asker: Asker = BOB, **elements: Any) -> bool:
    return decision(document(statement(**elements)), asker) is Decision.ALLOWED


def test_a_denial_wins_whatever_is_allowed_before_or_behind_it() -> None:
    allow, deny = statement(), statement("Deny", Principal={"AWS": "222222222222"})

    assert decision(document(allow, deny)) is Decision.DENIED
    assert decision(document(deny, allow)) is Decision.DENIED
    assert decision(document(allow, deny), SNS) is Decision.ALLOWED
    assert decision(document(deny), SNS) is Decision.SILENT


def test_one_statement_needs_no_list() -> None:
    assert decision(orjson.dumps({"Statement": statement()}).decode()) is Decision.ALLOWED


@pytest.mark.parametrize(
    ("elements", "is_allowed"),
    [
        ({"Action": "*"}, True),
        ({"Action": "SQS:sendmessage"}, True),
        ({"Action": "sqs:Send*"}, True),
        ({"Action": "sqs:*Message"}, True),
        ({"Action": "sqs:?endMessage"}, True),
        ({"Action": ["sqs:ReceiveMessage", SEND]}, True),
        ({"Action": "sqs:SendMessageBatch"}, False),
        ({"Action": "sns:*"}, False),
        ({"Action": None, "NotAction": "sqs:ReceiveMessage"}, True),
        ({"Action": None, "NotAction": ["sqs:ReceiveMessage", "sqs:S*"]}, False),
        ({"Resource": "*"}, True),
        ({"Resource": None}, True),
        ({"Resource": "arn:aws:sqs:*:*:ord?rs"}, True),
        ({"Resource": "arn:aws:sqs:us-east-1:111111111111:*"}, True),
        ({"Resource": "arn:aws:sqs:us-east-1"}, True),
        ({"Resource": "arn:aws:sqs:*"}, True),
        ({"Resource": "arn:aws:sqs:us-east-1:*:order"}, False),
        ({"Resource": "arn:aws:*:orders"}, False),
        ({"Resource": ["arn:aws:sqs:us-east-1:111111111111:other", QUEUE]}, True),
        ({"Resource": None, "NotResource": "arn:aws:sqs:*:*:other"}, True),
        ({"Resource": None, "NotResource": ["arn:aws:sqs:*:*:other", QUEUE]}, False),
    ],
)
def test_actions_and_resources_are_named_with_wildcards(elements: dict[str, Any], *, is_allowed: bool) -> None:
    assert allows(**elements) is is_allowed


SESSION = Asker(account="222222222222", arn="arn:aws:sts::222222222222:assumed-role/clerk/monday")


@pytest.mark.parametrize(
    ("principal", "asker", "is_named"),
    [
        ("*", BOB, True),
        ("*", SNS, True),
        ("*", NOBODY, True),
        ({"AWS": "*"}, BOB, True),
        ({"AWS": "*"}, SNS, True),
        ({"AWS": "*"}, NOBODY, True),
        ({"AWS": "222222222222"}, BOB, True),
        ({"AWS": "222222222222"}, NOBODY, False),
        ({"AWS": "222222222222"}, SNS, False),
        ({"AWS": ["111111111111", "222222222222"]}, BOB, True),
        ({"AWS": "arn:aws:iam::222222222222:root"}, BOB, True),
        ({"AWS": "arn:aws:iam::222222222222:root"}, SESSION, True),
        ({"AWS": "arn:aws:iam::111111111111:root"}, BOB, False),
        ({"AWS": "arn:aws:iam::222222222222:user/staff/bob"}, BOB, True),
        ({"AWS": "arn:aws:iam::222222222222:user/bob"}, BOB, False),
        ({"AWS": "arn:aws:iam::222222222222:user/*"}, BOB, False),
        ({"AWS": "arn:aws:iam::222222222222:role/office/clerk"}, SESSION, True),
        ({"AWS": "arn:aws:iam::222222222222:role/clerks"}, SESSION, False),
        ({"AWS": "arn:aws:sts::222222222222:assumed-role/clerk/monday"}, SESSION, True),
        ({"AWS": "arn:aws:sts::222222222222:assumed-role/clerk/tuesday"}, SESSION, False),
        ({"Service": "sns.amazonaws.com"}, SNS, True),
        ({"Service": ["s3.amazonaws.com", "sns.amazonaws.com"]}, SNS, True),
        ({"Service": "s3.amazonaws.com"}, SNS, False),
        ({"Service": "sns.amazonaws.com"}, BOB, False),
        ({"Service": "sns.amazonaws.com", "AWS": "222222222222"}, BOB, True),
        ({"Federated": "cognito-identity.amazonaws.com"}, BOB, False),
        ({"CanonicalUser": "79a5"}, BOB, False),
    ],
)
def test_a_principal_is_everybody_an_account_one_of_it_or_a_service(
    principal: Any, asker: Asker, *, is_named: bool
) -> None:
    denial = document(statement("Deny", Principal=principal))

    assert allows(asker, Principal=principal) is is_named
    assert (decision(denial, asker) is Decision.DENIED) is is_named


BOBS_NAMES = ["arn:aws:iam::222222222222:root", "arn:aws:iam::222222222222:user/staff/bob"]


@pytest.mark.parametrize(
    ("names", "asker", "is_denied"),
    [
        ({"AWS": BOBS_NAMES}, BOB, False),
        ({"AWS": ["222222222222", BOBS_NAMES[1]]}, BOB, False),
        ({"AWS": BOBS_NAMES[1]}, BOB, True),
        ({"AWS": BOBS_NAMES[0]}, BOB, True),
        ({"AWS": BOBS_NAMES}, SESSION, True),
        ({"AWS": [BOBS_NAMES[0], "arn:aws:iam::222222222222:role/clerk", SESSION.arn]}, SESSION, False),
        ({"AWS": [BOBS_NAMES[0], "arn:aws:iam::222222222222:role/clerk"]}, SESSION, True),
        ({"AWS": BOBS_NAMES}, SNS, True),
        ({"Service": "sns.amazonaws.com"}, SNS, False),
        ({"AWS": "*"}, BOB, False),
        ({"AWS": BOBS_NAMES}, NOBODY, True),
    ],
)
def test_a_denial_to_all_others_leaves_out_who_is_named_with_the_account(
    names: Any, asker: Asker, *, is_denied: bool
) -> None:
    text = document(statement("Deny", Principal=None, NotPrincipal=names))

    assert (decision(text, asker) is Decision.DENIED) is is_denied


def test_a_permission_for_all_others_is_none_for_who_is_named() -> None:
    assert not allows(BOB, Principal=None, NotPrincipal={"AWS": "222222222222"})
    assert allows(SNS, Principal=None, NotPrincipal={"AWS": "222222222222"})


@pytest.mark.parametrize(
    ("operator", "key", "values", "holds"),
    [
        ("StringEquals", "aws:username", "bob", True),
        ("StringEquals", "AWS:UserName", ["eve", "bob"], True),
        ("StringEquals", "aws:username", "b*", False),
        ("StringEquals", "aws:username", [], False),
        ("stringequals", "aws:username", "bob", True),
        ("StringNotEquals", "aws:username", "eve", True),
        ("StringNotEquals", "aws:username", ["eve", "bob"], False),
        ("StringEqualsIgnoreCase", "aws:username", "BOB", True),
        ("StringNotEqualsIgnoreCase", "aws:username", "BOB", False),
        ("StringLike", "aws:username", "b?b", True),
        ("StringLike", "aws:username", "*", True),
        ("StringNotLike", "aws:username", "b*", False),
        ("ArnEquals", "aws:PrincipalArn", "arn:aws:iam::*:user/*", True),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/*/b?b", True),
        ("ArnLike", "aws:PrincipalArn", "arn:*:user/staff/bob", False),
        ("ArnNotLike", "aws:PrincipalArn", "arn:aws:iam::*:role/*", True),
        ("ArnNotEquals", "aws:PrincipalArn", "arn:aws:iam::*:user/*", False),
        ("Bool", "aws:SecureTransport", "false", True),
        ("Bool", "aws:SecureTransport", False, True),
        ("Bool", "aws:SecureTransport", "TRUE", False),
        ("NumericEquals", "example:number", "7.0", True),
        ("NumericEquals", "example:number", 7, True),
        ("NumericNotEquals", "example:number", "7", False),
        ("NumericLessThan", "example:number", "7", False),
        ("NumericLessThanEquals", "example:number", "7", True),
        ("NumericGreaterThan", "example:number", "6.5", True),
        ("NumericGreaterThanEquals", "example:number", "8", False),
        ("NumericGreaterThan", "aws:username", "1", False),
        ("NumericEquals", "example:number", "nan", False),
        ("DateLessThan", "aws:CurrentTime", "2026-11-21T12:00:01Z", True),
        ("DateGreaterThan", "aws:CurrentTime", "2026-11-21", True),
        ("DateEquals", "aws:CurrentTime", "2026-11-21T13:00:00+01:00", True),
        ("DateNotEquals", "aws:CurrentTime", "2026-11-21T12:00:00Z", False),
        ("DateLessThanEquals", "aws:EpochTime", "2026-11-21T12:00:00Z", True),
        ("DateGreaterThanEquals", "aws:CurrentTime", "1795262400", True),
        ("DateGreaterThan", "aws:CurrentTime", "tomorrow", False),
        ("IpAddress", "aws:SourceIp", "10.0.0.0/8", True),
        ("IpAddress", "aws:SourceIp", "10.1.2.3", True),
        ("IpAddress", "aws:SourceIp", ["192.168.0.0/16", "2001:db8::/32"], False),
        ("IpAddress", "aws:SourceIp", "nowhere", False),
        ("NotIpAddress", "aws:SourceIp", "192.168.0.0/16", True),
        ("NotIpAddress", "aws:SourceIp", "10.0.0.0/8", False),
        ("BinaryEquals", "example:bytes", "aGVsbG8=", True),
        ("BinaryEquals", "example:bytes", "d29ybGQ=", False),
        ("BinaryEquals", "aws:username", "?", False),
        ("Null", "aws:username", "false", True),
        ("Null", "aws:username", "true", False),
        ("Null", "aws:missing", True, True),
        ("Null", "aws:missing", "false", False),
        # Keys that the request does not have:
        ("StringEquals", "aws:missing", "x", False),
        ("StringLike", "aws:missing", "*", False),
        ("StringNotEquals", "aws:missing", "x", True),
        ("ArnNotLike", "aws:missing", "*:*:*:*:*:*", True),
        ("NotIpAddress", "aws:missing", "0.0.0.0/0", True),
        ("NumericLessThan", "aws:missing", "1", False),
        ("StringEqualsIfExists", "aws:missing", "x", True),
        ("BoolIfExists", "aws:missing", "true", True),
        ("BoolIfExists", "aws:SecureTransport", "true", False),
        ("ForAllValues:StringEquals", "aws:missing", "x", True),
        ("ForAnyValue:StringEquals", "aws:missing", "x", False),
        ("ForAnyValue:StringNotEquals", "aws:missing", "x", False),
        ("ForAnyValue:StringEqualsIfExists", "aws:missing", "x", True),
        # Keys of several values:
        ("ForAllValues:StringEquals", "example:tags", ["red", "green", "blue"], True),
        ("ForAllValues:StringEquals", "example:tags", ["red"], False),
        ("ForAnyValue:StringEquals", "example:tags", ["green", "blue"], True),
        ("ForAnyValue:StringLike", "example:tags", "b*", False),
        ("ForAllValues:StringNotEquals", "example:tags", ["blue"], True),
        ("ForAnyValue:StringNotEquals", "example:tags", ["red"], True),
        ("ForAnyValue:StringNotEquals", "example:tags", ["red", "green"], False),
        # Variables:
        ("StringEquals", "aws:username", "${aws:username}", True),
        ("StringLike", "aws:PrincipalArn", "*/${AWS:UserName}", True),
        ("ArnLike", "aws:PrincipalArn", "arn:aws:iam::*:user/staff/${aws:username}", True),
        ("StringEquals", "aws:username", "${aws:missing}", False),
        ("StringEquals", "aws:username", "${aws:missing, 'bob'}", True),
        ("StringLike", "aws:username", "${*}", False),
        ("StringNotEquals", "aws:username", "${aws:missing}", True),
    ],
)
def test_a_condition_holds(operator: str, key: str, values: Any, *, holds: bool) -> None:
    assert allows(Condition={operator: {key: values}}) is holds


def test_all_conditions_must_hold() -> None:
    good, bad = {"StringEquals": {"aws:username": "bob"}}, {"Bool": {"aws:SecureTransport": "true"}}

    assert allows(Condition=good)
    assert not allows(Condition=good | bad)
    assert not allows(Condition={"StringLike": {"aws:username": "*", "aws:missing": "*"}})
    assert allows(Condition={})


def test_a_variables_value_is_no_wildcard_and_divides_no_arn() -> None:
    star = Asker(
        account="222222222222", arn=BOB.arn, facts={"aws:username": "*", "example:other": "eve", "example:x": "a:b"}
    )
    other = {"StringLike": {"example:other": "${aws:username}"}}
    divided = {"ArnLike": {"example:arn": "arn:aws:sqs:${example:x}:q"}}

    assert not allows(star, Condition=other)
    assert not allows(Asker(facts={**star.facts, "example:arn": "arn:aws:sqs:a:b:q"}), Condition=divided)


def test_the_older_version_knows_no_variables() -> None:
    same = statement(Condition={"StringEquals": {"aws:username": "${aws:username}"}})

    assert decision(document(same, version=None)) is Decision.SILENT
    assert decision(document(same, version="2008-10-17")) is Decision.SILENT
    assert decision(document(same)) is Decision.ALLOWED


def test_a_resource_can_have_variables() -> None:
    own = document(statement(Resource="arn:aws:sqs:*:*:${aws:username}-*"))

    assert decision(own, resource="arn:aws:sqs:us-east-1:111111111111:bob-1") is Decision.ALLOWED
    assert decision(own, resource="arn:aws:sqs:us-east-1:111111111111:eve-1") is Decision.SILENT
    assert decision(own, NOBODY, resource="arn:aws:sqs:us-east-1:111111111111:bob-1") is Decision.SILENT


def test_a_service_says_for_which_resource_it_acts() -> None:
    for_topic = {"ArnEquals": {"aws:SourceArn": str(TOPIC)}, "StringEquals": {"aws:SourceAccount": "333333333333"}}
    for_another = {"ArnEquals": {"aws:SourceArn": "arn:aws:sns:us-east-1:333333333333:olds"}}

    assert allows(SNS, Principal={"Service": "sns.amazonaws.com"}, Condition=for_topic)
    assert not allows(SNS, Principal={"Service": "sns.amazonaws.com"}, Condition=for_another)
    assert not allows(BOB, Principal="*", Condition=for_topic)


@pytest.mark.parametrize(
    ("principal", "facts"),
    [
        ("arn:aws:iam::1:user/staff/bob", {"aws:username": "bob", "aws:principaltype": "User"}),
        (
            "arn:aws:sts::1:assumed-role/clerk/monday",
            {"aws:principalarn": "arn:aws:iam::1:role/clerk", "aws:principaltype": "AssumedRole"},
        ),
        ("arn:aws:iam::1:root", {"aws:principalarn": "arn:aws:iam::1:root", "aws:principaltype": "Account"}),
        ("nobody", {"aws:principalaccount": "1", "aws:userid": "AID"}),
    ],
)
def test_conditions_know_the_principal(principal: str, facts: dict[str, str]) -> None:
    asker = policies.of_identity(Identity("1", "us-east-1", "AKIA", principal, "AID"), {"aws:sourceip": "::1"})

    assert facts.items() <= asker.facts.items()
    assert asker.facts["aws:sourceip"] == "::1"
    assert asker.facts["aws:principalaccount"] == "1"


@pytest.mark.parametrize(
    ("decided", "asker", "owner", "comes_to"),
    [
        ("Allow", BOB, "111111111111", Decision.ALLOWED),
        ("Deny", BOB, "222222222222", Decision.DENIED),
        (None, BOB, "222222222222", Decision.ALLOWED),
        (None, BOB, "111111111111", Decision.SILENT),
        (None, SNS, "333333333333", Decision.SILENT),
    ],
)
def test_silence_lets_the_owners_account_alone_go_on(
    decided: str | None, asker: Asker, owner: str, comes_to: Decision
) -> None:
    policy = policies.compiled(document(statement(decided)) if decided else None)

    assert policies.decide(policy, SEND, QUEUE, asker, owner=owner) is comes_to


def test_many_wildcards_in_a_long_text_cost_little() -> None:
    long = QUEUE + "a" * 4000
    policy = policies.read(document(statement(Resource="arn:aws:sqs:*:*:" + "*a" * 200 + "*b?")))

    assert policy.decision(SEND, long, BOB) is Decision.SILENT
