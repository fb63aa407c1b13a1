"""SNS: text messages, what is set for them, who wants none, and the sandbox."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from sns_outbox import opt_out, outbox, refusal
from test_cli import run

from cumulet.testing import Cumulet

PHONE = "+15555550100"
BAD_FORMAT = "Invalid parameter: PhoneNumber Reason: input incorrectly formatted"


def test_message_to_a_phone_is_in_the_outbox(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")

    sent = sns.publish(PhoneNumber=PHONE, Message="Your table is ready")

    [item] = outbox(cumulet)
    assert (item["kind"], item["to"], item["body"], item["delivered"]) == ("sms", PHONE, "Your table is ready", True)
    assert item["message_id"] == sent["MessageId"]
    assert "failure" not in item


def test_item_tells_the_message_attributes_and_what_the_account_has_set(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    sns.set_sms_attributes(attributes={"DefaultSenderID": "Shop", "DefaultSMSType": "Promotional"})

    urgent = {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}}
    sns.publish(PhoneNumber=PHONE, Message="now", MessageAttributes=urgent)

    [item] = outbox(cumulet)
    assert item["details"] == {"AWS.SNS.SMS.SenderID": "Shop", "AWS.SNS.SMS.SMSType": "Transactional"}


def test_message_structure_has_a_text_for_phones(cumulet: Cumulet) -> None:
    cumulet.client("sns").publish(
        PhoneNumber=PHONE, MessageStructure="json", Message='{"default": "long text", "sms": "short"}'
    )

    assert [item["body"] for item in outbox(cumulet)] == ["short"]


def test_message_to_a_number_that_is_opted_out_is_accepted_and_not_delivered(cumulet: Cumulet) -> None:
    opt_out(cumulet, PHONE)

    assert cumulet.client("sns").publish(PhoneNumber=PHONE, Message="hello")["MessageId"]

    [item] = outbox(cumulet)
    assert (item["delivered"], item["failure"]) == (False, "Phone number is opted out")


@pytest.mark.parametrize("number", ["5555550100", "+1", "+1555555010a", "+0555550100", "+1234567890123456", "nobody"])
def test_publish_refuses_what_is_no_phone_number(cumulet: Cumulet, number: str) -> None:
    sns = cumulet.client("sns")

    for _ in range(2):
        assert refusal(sns.publish, PhoneNumber=number, Message="hello") == (
            "InvalidParameter",
            400,
            f"Invalid parameter: PhoneNumber Reason: {number} is not valid to publish to",
        )
    assert outbox(cumulet) == []


def test_text_message_has_1600_characters_at_most(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")

    sns.publish(PhoneNumber=PHONE, Message="é" * 1600)
    refused = refusal(sns.publish, PhoneNumber=PHONE, Message="é" * 1601)

    assert refused == ("InvalidParameter", 400, "Invalid parameter: Message too long")
    assert len(outbox(cumulet)) == 1


def test_outbox_is_read_by_number_and_onward(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    for number in (PHONE, "+15555550101", PHONE):
        sns.publish(PhoneNumber=number, Message=f"to {number}")
    everything = outbox(cumulet)

    assert [item["to"] for item in everything] == [PHONE, "+15555550101", PHONE]
    assert outbox(cumulet, to="+15555550101") == everything[1:2]
    assert outbox(cumulet, after=everything[0]["id"]) == everything[1:]
    assert outbox(cumulet, limit=1) == everything[2:]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "after=-1", "colour=red", "after=1.5"])
def test_question_that_is_none_is_refused(cumulet: Cumulet, query: str) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(f"{cumulet.url}/_cumulet/outbox?{query}")

    with refused.value as answer:
        assert answer.status == 400


@pytest.mark.parametrize(
    "body",
    [
        *(b"", b"{}", b"[]", b'{"phone_number": "1"}', b'{"phone_number": "+15555550100", "x": 1}'),
        b'{"phone_number": "+15555550100", "account": "1"}',
    ],
)
def test_wish_that_is_none_is_refused(cumulet: Cumulet, body: bytes) -> None:
    with pytest.raises(HTTPError) as refused:
        urlopen(Request(f"{cumulet.url}/_cumulet/outbox/opt-out", body, method="POST"))

    with refused.value as answer:
        assert answer.status == 400


def test_items_are_kept_for_14_days(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    sns.publish(PhoneNumber=PHONE, Message="old")
    cumulet.advance(days=14, seconds=1)

    for _ in range(20):  # each new item takes two old ones along, of whatever account
        sns.publish(PhoneNumber=PHONE, Message="new")

    assert {item["body"] for item in outbox(cumulet)} == {"new"}


def test_outbox_is_closed_where_requests_are_checked(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data", auth="enforce") as server:
        with pytest.raises(HTTPError) as refused:
            urlopen(f"{server.url}/_cumulet/outbox")

        with refused.value as answer:
            assert answer.status == 403
        shown = run("outbox", "--url", server.url, folder=tmp_path)

    told = "cumulet: The outbox has messages of all accounts: it is open only where requests aren't checked.\n"
    assert (shown.returncode, shown.stderr) == (1, told)


def test_settings_are_kept_one_by_one(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")

    sns.set_sms_attributes(attributes={"DefaultSMSType": "Transactional", "DefaultSenderID": "Shop"})
    for _ in range(2):
        sns.set_sms_attributes(attributes={"MonthlySpendLimit": "10"})

    assert sns.get_sms_attributes()["attributes"] == {
        "MonthlySpendLimit": "10",
        "DefaultSMSType": "Transactional",
        "DefaultSenderID": "Shop",
    }
    assert sns.get_sms_attributes(attributes=["DefaultSenderID"])["attributes"] == {"DefaultSenderID": "Shop"}


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"DefaultSMSType": "Urgent"}, "DefaultSMSType is invalid"),
        ({"Colour": "red"}, "Colour is not a valid attribute"),
        ({"DefaultSenderID": "twelve-signs"}, "DefaultSenderID is invalid"),
        ({"DefaultSenderID": "123"}, "DefaultSenderID is invalid"),
        ({"MonthlySpendLimit": "much"}, "MonthlySpendLimit is invalid"),
        ({"DefaultSMSType": "Promotional", "Colour": "red"}, "Colour is not a valid attribute"),
    ],
)
def test_setting_that_can_not_be_is_refused(cumulet: Cumulet, attributes: dict[str, str], message: str) -> None:
    sns = cumulet.client("sns")

    for _ in range(2):
        assert refusal(sns.set_sms_attributes, attributes=attributes) == ("InvalidParameter", 400, message)
    assert sns.get_sms_attributes()["attributes"] == {"MonthlySpendLimit": "1"}


def test_setting_that_would_have_no_effect_is_refused_by_name(cumulet: Cumulet) -> None:
    code, status, message = refusal(
        cumulet.client("sns").set_sms_attributes, attributes={"UsageReportS3Bucket": "reports"}
    )

    assert (code, status) == ("InternalFailure", 501)
    assert "UsageReportS3Bucket" in message


def test_number_that_is_opted_out_is_listed_until_it_is_opted_in(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    for _ in range(2):
        opt_out(cumulet, PHONE)

    assert sns.check_if_phone_number_is_opted_out(phoneNumber=PHONE)["isOptedOut"]
    assert sns.list_phone_numbers_opted_out()["phoneNumbers"] == [PHONE]
    for _ in range(2):
        sns.opt_in_phone_number(phoneNumber=PHONE)
    assert not sns.check_if_phone_number_is_opted_out(phoneNumber=PHONE)["isOptedOut"]
    assert sns.list_phone_numbers_opted_out()["phoneNumbers"] == []


def test_number_is_opted_in_only_once_every_30_days(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    opt_out(cumulet, PHONE)
    sns.opt_in_phone_number(phoneNumber=PHONE)
    opt_out(cumulet, PHONE)

    cumulet.advance(days=29)
    for _ in range(2):
        assert refusal(sns.opt_in_phone_number, phoneNumber=PHONE) == (
            "InvalidParameter",
            400,
            "Invalid parameter: Cannot opt in right now, latest opt in is too recent",
        )
    cumulet.advance(days=1)
    sns.opt_in_phone_number(phoneNumber=PHONE)

    assert not sns.check_if_phone_number_is_opted_out(phoneNumber=PHONE)["isOptedOut"]


def test_numbers_that_are_opted_out_come_in_pages(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    numbers = [f"+1555555{number:04}" for number in range(101)]
    for number in numbers:
        opt_out(cumulet, number)

    pages = list(sns.get_paginator("list_phone_numbers_opted_out").paginate())

    assert [len(page["phoneNumbers"]) for page in pages] == [100, 1]
    assert [number for page in pages for number in page["phoneNumbers"]] == numbers


@pytest.mark.parametrize("operation", ["check_if_phone_number_is_opted_out", "opt_in_phone_number"])
@pytest.mark.parametrize("number", ["", "5555550100", "+1", "+1 555 5550100"])
def test_number_that_is_none_is_refused(cumulet: Cumulet, operation: str, number: str) -> None:
    found = refusal(getattr(cumulet.client("sns"), operation), phoneNumber=number)

    assert found == ("InvalidParameter", 400, BAD_FORMAT)


def test_sandbox_number_is_verified_by_the_password_that_it_gets(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    sns.create_sms_sandbox_phone_number(PhoneNumber=PHONE)
    [item] = outbox(cumulet)
    password = item["details"]["one_time_password"]
    assert password in item["body"]
    assert sns.list_sms_sandbox_phone_numbers()["PhoneNumbers"] == [{"PhoneNumber": PHONE, "Status": "Pending"}]

    wrong = f"{(int(password) + 1) % 10**6:06}"
    for _ in range(2):
        code, status, _ = refusal(sns.verify_sms_sandbox_phone_number, PhoneNumber=PHONE, OneTimePassword=wrong)
        assert (code, status) == ("VerificationException", 400)
    for _ in range(2):
        sns.verify_sms_sandbox_phone_number(PhoneNumber=PHONE, OneTimePassword=password)

    assert sns.list_sms_sandbox_phone_numbers()["PhoneNumbers"] == [{"PhoneNumber": PHONE, "Status": "Verified"}]
    assert sns.get_sms_sandbox_account_status()["IsInSandbox"] is False


def test_sandbox_number_is_deleted_once(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    sns.create_sms_sandbox_phone_number(PhoneNumber=PHONE)

    sns.delete_sms_sandbox_phone_number(PhoneNumber=PHONE)

    assert sns.list_sms_sandbox_phone_numbers()["PhoneNumbers"] == []
    for operation in (sns.delete_sms_sandbox_phone_number, sns.verify_sms_sandbox_phone_number):
        members: dict[str, Any] = {"PhoneNumber": PHONE}
        if operation == sns.verify_sms_sandbox_phone_number:
            members["OneTimePassword"] = "123456"
        assert refusal(operation, **members)[:2] == ("ResourceNotFound", 404)


def test_number_that_is_opted_out_enters_no_sandbox(cumulet: Cumulet) -> None:
    opt_out(cumulet, PHONE)

    found = refusal(cumulet.client("sns").create_sms_sandbox_phone_number, PhoneNumber=PHONE)

    assert found[:2] == ("OptedOut", 400)
    assert outbox(cumulet) == []


def test_sandbox_numbers_come_in_pages_of_their_own_list(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    numbers = [f"+1555555010{number}" for number in range(3)]
    for number in numbers:
        sns.create_sms_sandbox_phone_number(PhoneNumber=number)

    first = sns.list_sms_sandbox_phone_numbers(MaxResults=2)
    second = sns.list_sms_sandbox_phone_numbers(MaxResults=2, NextToken=first["NextToken"])

    assert [entry["PhoneNumber"] for page in (first, second) for entry in page["PhoneNumbers"]] == numbers
    assert "NextToken" not in second
    for token in (first["NextToken"], "x"):
        found = refusal(sns.list_phone_numbers_opted_out, nextToken=token)
        assert found == ("InvalidParameter", 400, "Invalid parameter: NextToken")


def test_there_are_no_origination_numbers(cumulet: Cumulet) -> None:
    assert cumulet.client("sns").list_origination_numbers()["PhoneNumbers"] == []


def test_settings_opt_outs_and_outbox_survive_a_restart(tmp_path: Path) -> None:
    with Cumulet(tmp_path / "data") as server:
        server.client("sns").set_sms_attributes(attributes={"DefaultSenderID": "Shop"})
        server.client("sns").create_sms_sandbox_phone_number(PhoneNumber="+15555550101")
        opt_out(server, PHONE)
        before = outbox(server)

    with Cumulet(tmp_path / "data") as server:
        sns = server.client("sns")
        assert sns.get_sms_attributes()["attributes"]["DefaultSenderID"] == "Shop"
        assert sns.list_phone_numbers_opted_out()["phoneNumbers"] == [PHONE]
        assert outbox(server) == before != []


def test_phone_that_has_subscribed_gets_the_messages_of_a_topic(cumulet: Cumulet) -> None:
    sns = cumulet.client("sns")
    topic = sns.create_topic(Name="news")["TopicArn"]
    for number in (PHONE, "+15555550101"):
        sns.subscribe(TopicArn=topic, Protocol="sms", Endpoint=number)
    opt_out(cumulet, "+15555550101")

    sent = sns.publish(TopicArn=topic, MessageStructure="json", Message='{"default": "long", "sms": "short"}')

    [item] = outbox(cumulet)
    assert (item["to"], item["body"], item["message_id"]) == (PHONE, "short", sent["MessageId"])
    assert item["details"]["topic_arn"] == topic


def test_outbox_is_shown_on_the_terminal(cumulet: Cumulet, tmp_path: Path) -> None:
    sns, number = cumulet.client("sns"), "+15555550177"
    opt_out(cumulet, number)
    sns.publish(PhoneNumber=number, Message="first\nline")

    shown = run("outbox", number, "--last", "1", folder=tmp_path, **cumulet.environment())
    lines = run("outbox", number, "--json", folder=tmp_path, **cumulet.environment())
    nothing = run("outbox", "+15555550178", folder=tmp_path, **cumulet.environment())

    assert (shown.returncode, shown.stderr) == (0, "")
    assert shown.stdout.endswith(f"  sms    {number}  first line  [not delivered: Phone number is opted out]\n")
    assert json.loads(lines.stdout.splitlines()[-1])["body"] == "first\nline"
    assert (nothing.returncode, nothing.stdout, nothing.stderr) == (0, "", "cumulet: nothing was sent\n")
