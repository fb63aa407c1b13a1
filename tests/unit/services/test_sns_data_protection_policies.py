"""What is refused as a data protection policy, and what is read from one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cumulet.kernel.errors import NotImplementedFailure
from cumulet.services.sns import data_protection
from cumulet.services.sns.data_protection_policies import Audit, Deidentify, Deny, read
from cumulet.services.sns.errors import InvalidParameterException

CARDS = "arn:aws:dataprotection::aws:data-identifier/CreditCardNumber"
STATEMENT: dict[str, Any] = {
    "DataDirection": "Inbound",
    "Principal": ["*"],
    "DataIdentifier": [CARDS],
    "Operation": {"Deny": {}},
}
POLICY: dict[str, Any] = {"Name": "p", "Version": "2021-06-01", "Statement": [STATEMENT]}
GROUP = {"CloudWatchLogs": {"LogGroup": "/aws/vendedlogs/found"}}
AUDIT: dict[str, Any] = {"SampleRate": "99", "FindingsDestination": GROUP}
ONE_OF_OPERATION = "Operation must have exactly one of Audit, Deidentify, Deny"
LISTS = "must be a list that is not empty"
STRINGS = "must be a string that is not empty"


def policy(**members: Any) -> dict[str, Any]:
    """Return a policy with other members; None leaves one out."""
    return {name: value for name, value in (POLICY | members).items() if value is not None}


def stated(**members: Any) -> dict[str, Any]:
    """Return a policy whose statement has other members; None leaves one out."""
    return policy(Statement=[{name: value for name, value in (STATEMENT | members).items() if value is not None}])


def operating(operation: Any) -> dict[str, Any]:
    return stated(Operation=operation)


def auditing(**members: Any) -> dict[str, Any]:
    return operating({"Audit": {name: value for name, value in (AUDIT | members).items() if value is not None}})


def custom(*identifiers: Any) -> dict[str, Any]:
    return policy(Configuration={"CustomDataIdentifier": list(identifiers)})


def named(name: Any, regex: Any = "EID-[0-9]{9}") -> dict[str, Any]:
    return {"Name": name, "Regex": regex}


REFUSED: list[tuple[Any, str]] = [
    ([], "the policy must be an object"),
    (1, "the policy must be an object"),
    (policy(Name=None), "the policy must have the member Name"),
    (policy(Version=None), "the policy must have the member Version"),
    (policy(Statement=None), "the policy must have the member Statement"),
    (policy(Id="x"), "the policy has the unknown member Id"),
    (policy(Name=""), f"Name {STRINGS}"),
    (policy(Name=7), f"Name {STRINGS}"),
    (policy(Description=[]), "Description must be a string"),
    (policy(Version="2012-10-17"), "Version must be 2021-06-01"),
    (policy(Version=20210601), "Version must be 2021-06-01"),
    (policy(Statement=[]), f"Statement {LISTS}"),
    (policy(Statement=STATEMENT), f"Statement {LISTS}"),
    (policy(Statement=["x"]), "a statement must be an object"),
    (policy(Statement=[{**STATEMENT, "Sid": "a"}] * 2), "statements must not share a Sid"),
    (stated(DataDirection=None), "a statement must have the member DataDirection"),
    (stated(Principal=None), "a statement must have the member Principal"),
    (stated(DataIdentifier=None), "a statement must have the member DataIdentifier"),
    (stated(Operation=None), "a statement must have the member Operation"),
    (stated(Effect="Deny"), "a statement has the unknown member Effect"),
    (stated(Sid=""), f"Sid {STRINGS}"),
    (stated(DataDirection="inbound"), "DataDirection must be Inbound or Outbound"),
    (stated(DataDirection=["Inbound"]), "DataDirection must be Inbound or Outbound"),
    (stated(Principal=[]), f"Principal {LISTS}"),
    (stated(Principal="*"), f"Principal {LISTS}"),
    (stated(Principal=[1]), f"Principal {STRINGS}"),
    (stated(Principal=["somebody"]), "invalid principal somebody"),
    (stated(Principal=["*", "arn:aws:iam::1:user/a"]), "invalid principal arn:aws:iam::1:user/a"),
    (stated(DataIdentifier=[]), f"DataIdentifier {LISTS}"),
    (stated(DataIdentifier=CARDS), f"DataIdentifier {LISTS}"),
    (stated(DataIdentifier=[None]), f"DataIdentifier {STRINGS}"),
    (stated(DataIdentifier=["EmployeeId"]), "unknown data identifier EmployeeId"),
    (stated(DataIdentifier=["CreditCardNumber"]), "unknown data identifier CreditCardNumber"),
    (stated(DataIdentifier=[f"{CARDS}s"]), f"unknown data identifier {CARDS}s"),
    (stated(DataIdentifier=[f"{CARDS}/{CARDS}"]), f"unknown data identifier {CARDS}/{CARDS}"),
    (operating({}), ONE_OF_OPERATION),
    (operating({"Deny": {}, "Audit": AUDIT}), ONE_OF_OPERATION),
    (operating("Deny"), "Operation must be an object"),
    (operating({"Allow": {}}), "Operation has the unknown member Allow"),
    (operating({"Deny": None}), "Deny must be an object"),
    (operating({"Deny": {"Silently": True}}), "Deny has the unknown member Silently"),
    (operating({"Deidentify": {}}), "Deidentify must have exactly one of MaskConfig, RedactConfig"),
    (operating({"Deidentify": {"HashConfig": {}}}), "Deidentify has the unknown member HashConfig"),
    (
        operating({"Deidentify": {"RedactConfig": {}, "MaskConfig": {"MaskWithCharacter": "#"}}}),
        "Deidentify must have exactly one of MaskConfig, RedactConfig",
    ),
    (operating({"Deidentify": {"RedactConfig": {"All": True}}}), "RedactConfig has the unknown member All"),
    (operating({"Deidentify": {"MaskConfig": {}}}), "MaskConfig must have the member MaskWithCharacter"),
    *(
        (
            operating({"Deidentify": {"MaskConfig": {"MaskWithCharacter": character}}}),
            "MaskWithCharacter must be one printable ASCII character, neither a quote nor a backslash",
        )
        for character in ("", "##", "é", "\n", '"', "\\", 1, None, ["#"])
    ),
    (auditing(SampleRate=None), "Audit must have the member SampleRate"),
    *(
        (auditing(SampleRate=rate), "SampleRate must be an integer between 0 and 99")
        for rate in ("100", 100, -1, "-1", "", "01", "1.5", 1.5, True, "all", [])
    ),
    (
        auditing(FindingsDestination=None),
        "Audit must have a FindingsDestination or a NoFindingsDestination",
    ),
    (auditing(FindingsDestination=[]), "FindingsDestination must be an object"),
    (auditing(Destination={}), "Audit has the unknown member Destination"),
    (auditing(NoFindingsDestination={"SQS": {}}), "NoFindingsDestination has the unknown member SQS"),
    (auditing(FindingsDestination={"CloudWatchLogs": {}}), "CloudWatchLogs must have the member LogGroup"),
    *(
        (
            auditing(FindingsDestination={"CloudWatchLogs": {"LogGroup": name}}),
            "LogGroup must be the name of a log group that starts with /aws/vendedlogs/",
        )
        for name in ("found", "/aws/vendedlogs/", "/aws/vendedlogs/a b", "/aws/vendedlogs/" + "a" * 497)
    ),
    (stated(DataDirection="Outbound", Operation={"Audit": AUDIT}), "the operation Audit is for inbound messages only"),
    (
        policy(Statement=[{**STATEMENT, "Operation": {"Audit": AUDIT}}] * 2),
        "only one statement may have the operation Audit",
    ),
    (policy(Configuration=[]), "Configuration must be an object"),
    (policy(Configuration={"Custom": []}), "Configuration has the unknown member Custom"),
    (policy(Configuration={"CustomDataIdentifier": {}}), "CustomDataIdentifier must be a list"),
    (custom("EmployeeId"), "CustomDataIdentifier must be an object"),
    (custom({"Name": "a"}), "CustomDataIdentifier must have the member Regex"),
    (custom(named("")), f"Name of a CustomDataIdentifier {STRINGS}"),
    (custom(named("a", 1)), f"Regex of a {STRINGS}"),
    (custom(named("a"), named("a")), "there are several custom data identifiers a"),
    (custom(*(named(f"a{number}") for number in range(11))), "there must be at most 10 custom data identifiers"),
]


@pytest.mark.parametrize(("document", "why"), REFUSED)
def test_what_is_no_policy_is_refused_with_what_is_wrong(document: Any, why: str) -> None:
    with pytest.raises(InvalidParameterException) as refused:
        read(json.dumps(document))

    assert refused.value.message == f"Invalid parameter: DataProtectionPolicy Reason: {why}"


@pytest.mark.parametrize("text", ["{", "policy", '{"Name": "\\d"}', "'{}'"])
def test_what_is_no_json_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterException, match="Reason: invalid JSON"):
        read(text)


@pytest.mark.parametrize(
    "identifier",
    [
        named("a b"),
        named("n" * 129),
        named("CreditCardNumber"),
        named("a", "x" * 201),
        named("a", "(a+)+"),
        named("a", "[a"),
        named("a", "é"),
        named("a", "[0-9]{1000}{1000}"),
    ],
)
def test_a_custom_identifier_must_have_its_own_name_and_a_safe_expression(identifier: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterException, match=f"Reason: invalid CustomDataIdentifier {identifier['Name']}: "):
        read(json.dumps(custom(identifier)))


@pytest.mark.parametrize("destination", [{"S3": {"Bucket": "b"}}, {"Firehose": {"DeliveryStream": "s"}, **GROUP}])
def test_destinations_that_are_not_there_yet_are_refused_by_name(destination: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedFailure, match=f"SNS: {next(iter(destination))} as a destination of findings"):
        read(json.dumps(auditing(NoFindingsDestination=destination)))


def test_a_policy_may_have_30720_characters() -> None:
    text = json.dumps(POLICY)
    longest = text + " " * (30_720 - len(text))

    assert data_protection.checked(longest, is_fifo=False) == longest
    with pytest.raises(InvalidParameterException, match="must have at most 30720 characters"):
        read(longest + " ")


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"Deny": {}}, Deny()),
        ({"Deidentify": {"RedactConfig": {}}}, Deidentify(None)),
        ({"Deidentify": {"MaskConfig": {"MaskWithCharacter": "*"}}}, Deidentify("*")),
        ({"Deidentify": {"MaskConfig": {"MaskWithCharacter": " "}}}, Deidentify(" ")),
        ({"Audit": AUDIT}, Audit(99, "/aws/vendedlogs/found", None)),
        ({"Audit": {"SampleRate": 0, "FindingsDestination": {}}}, Audit(0, None, None)),
        ({"Audit": {"SampleRate": 7, "NoFindingsDestination": GROUP}}, Audit(7, None, "/aws/vendedlogs/found")),
    ],
)
def test_what_a_statement_does(operation: dict[str, Any], expected: Any) -> None:
    [found] = read(json.dumps(operating(operation)))

    assert found.operation == expected
    assert type(found.operation) is type(expected)


def test_a_statement_has_managed_and_custom_identifiers_at_once() -> None:
    document = stated(DataIdentifier=["EmployeeId", CARDS], Sid="both")
    document["Configuration"] = {"CustomDataIdentifier": [named("EmployeeId")]}

    [found] = read(json.dumps(document))

    assert [identifier.name for identifier in found.identifiers] == ["EmployeeId", "CreditCardNumber"]
    assert (found.sid, found.is_inbound) == ("both", True)


@pytest.mark.parametrize("description", ["", "what for"])
def test_a_description_may_be_empty(description: str) -> None:
    assert len(read(json.dumps(policy(Description=description)))) == 1


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_managed_identifiers_have_an_arn_in_each_partition(partition: str) -> None:
    [found] = read(json.dumps(stated(DataIdentifier=[CARDS.replace("arn:aws", f"arn:{partition}")])))

    assert found.identifiers[0].name == "CreditCardNumber"


@pytest.mark.parametrize("text", ["", " ", "{}", "{ \n}"])
def test_an_empty_document_stands_for_none(text: str) -> None:
    assert data_protection.checked(text, is_fifo=True) == ""


def test_fifo_topics_take_none() -> None:
    with pytest.raises(
        InvalidParameterException, match="Data protection functionality is not supported on FIFO topics"
    ):
        data_protection.checked(json.dumps(POLICY), is_fifo=True)
