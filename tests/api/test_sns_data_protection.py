"""Data protection policies of topics: what becomes of messages with sensitive data, by who publishes and subscribes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from http_endpoint import serving
from lambda_functions import create
from sns_administration import refusal
from sns_outbox import outbox
from sns_protection import CARD, DENY, MANAGED, MASK, REDACT, SECRET, audit, log_group, policy, statement
from sns_topics import Listener, Topic
from sqs_queues import Queues

from cumulet.testing import Cumulet

MASKED = "#" * len(CARD)
GROUP = "/aws/vendedlogs/found"
MAIL_ADDRESSES = f"{MANAGED}EmailAddress"
CLEAN_GROUP = "/aws/vendedlogs/clean"
CREDENTIALS = """
import os

def handler(event, context):
    return {name: os.environ["AWS_" + name.upper()] for name in event}
"""


@pytest.fixture
def topic(cumulet: Cumulet) -> Topic:
    return Topic(cumulet)


def protect(topic: Topic, *statements: Any, **members: Any) -> None:
    topic.sns.put_data_protection_policy(ResourceArn=topic.arn, DataProtectionPolicy=policy(*statements, **members))


def root_of(topic: Topic) -> str:
    return f"arn:aws:iam::{topic.cumulet.account}:root"


def prohibited(topic: Topic) -> str:
    return f"The topic's data protection policy prohibits this message from being published to {topic.arn}"


def session_of(topic: Topic, role: str) -> Any:
    """Return a client of SNS with the credentials of a session of a role: those that a function has."""
    role_arn = f"arn:aws:iam::{topic.cumulet.account}:role/{role}"
    name = create(topic.cumulet, source=CREDENTIALS, Role=role_arn)["FunctionName"]
    members = ("access_key_id", "secret_access_key", "session_token")
    answer = topic.cumulet.client("lambda").invoke(FunctionName=name, Payload=json.dumps(members))
    given = {f"aws_{member}": value for member, value in json.loads(answer["Payload"].read()).items()}
    return boto3.client("sns", endpoint_url=topic.cumulet.url, region_name="us-east-1", **given)


def listener_of(topic: Topic, client: Any, **attributes: str) -> Listener:
    """Subscribe a queue as somebody else."""
    queue = topic.queues.standard()
    subscription = client.subscribe(TopicArn=topic.arn, Protocol="sqs", Endpoint=queue.arn, Attributes=attributes)
    return Listener(queue, subscription["SubscriptionArn"])


def findings(topic: Topic, group: str) -> list[dict[str, Any]]:
    logs = topic.cumulet.client("logs")
    try:
        events = logs.filter_log_events(logGroupName=group)["events"]
    except logs.exceptions.ResourceNotFoundException:
        return []
    return [json.loads(event["message"]) for event in events]


def measured(topic: Topic, namespace: str, name: str, dimension: str, value: str) -> list[float]:
    """Return the sums of a metric."""
    now = datetime.fromtimestamp(topic.cumulet.now_ms() / 1000, UTC)
    points: list[dict[str, Any]] = topic.cumulet.client("cloudwatch").get_metric_statistics(
        Namespace=namespace,
        MetricName=name,
        Dimensions=[{"Name": dimension, "Value": value}],
        StartTime=now - timedelta(days=1),
        EndTime=now + timedelta(minutes=1),
        Period=86_400,
        Statistics=["Sum"],
    )["Datapoints"]
    return [float(point["Sum"]) for point in points]


def metric(topic: Topic, name: str) -> float:
    return sum(measured(topic, "AWS/SNS", name, "TopicName", topic.name))


# Policies as documents


def test_a_policy_is_shown_as_it_was_put(topic: Topic) -> None:
    first, second = policy(statement(DENY)), json.dumps(json.loads(policy(statement(MASK))), indent=2)

    for text in (first, first, second):
        topic.sns.put_data_protection_policy(ResourceArn=topic.arn, DataProtectionPolicy=text)
        shown = topic.sns.get_data_protection_policy(ResourceArn=topic.arn)
        assert shown["DataProtectionPolicy"] == text

    assert "DataProtectionPolicy" not in topic.sns.get_topic_attributes(TopicArn=topic.arn)["Attributes"]


@pytest.mark.parametrize("empty", ["", "{}"])
def test_an_empty_document_takes_a_policy_away(topic: Topic, empty: str) -> None:
    protect(topic, statement(DENY))

    for _ in range(2):
        topic.sns.put_data_protection_policy(ResourceArn=topic.arn, DataProtectionPolicy=empty)

    assert topic.sns.get_data_protection_policy(ResourceArn=topic.arn)["DataProtectionPolicy"] == ""
    topic.publish(SECRET)


def test_a_topic_is_made_with_a_policy_and_found_with_the_same(cumulet: Cumulet) -> None:
    sns, text = cumulet.client("sns"), policy(statement(DENY))
    arn = sns.create_topic(Name="protected", DataProtectionPolicy=text)["TopicArn"]

    again = sns.create_topic(Name="protected", DataProtectionPolicy=json.dumps(json.loads(text), indent=1))
    without = sns.create_topic(Name="protected")
    other = refusal(sns.create_topic, Name="protected", DataProtectionPolicy=policy(statement(MASK)))

    assert again["TopicArn"] == without["TopicArn"] == arn
    assert other[2] == "Invalid parameter: Attributes Reason: Topic already exists with different attributes"
    assert sns.get_data_protection_policy(ResourceArn=arn)["DataProtectionPolicy"] == text
    assert refusal(sns.publish, TopicArn=arn, Message=SECRET)[:2] == ("AuthorizationError", 403)


def test_a_policy_stays_when_attributes_and_tags_change(topic: Topic) -> None:
    protect(topic, statement(DENY))

    topic.sns.set_topic_attributes(TopicArn=topic.arn, AttributeName="DisplayName", AttributeValue="other")
    topic.sns.tag_resource(ResourceArn=topic.arn, Tags=[{"Key": "a", "Value": "b"}])

    assert refusal(topic.sns.publish, TopicArn=topic.arn, Message=SECRET)[0] == "AuthorizationError"


# What is published


def test_a_message_that_the_policy_denies_is_not_published(topic: Topic) -> None:
    listener = topic.listener()
    protect(topic, statement(DENY))

    for _ in range(2):
        refused = refusal(topic.sns.publish, TopicArn=topic.arn, Message=f"card {CARD}")
        assert refused == ("AuthorizationError", 403, prohibited(topic))
    topic.publish("nothing to hide")

    assert listener.texts() == ["nothing to hide"]
    assert metric(topic, "NumberOfMessagesPublished") == 1


def test_entries_of_a_batch_that_the_policy_denies_fail(topic: Topic) -> None:
    listener = topic.listener()
    protect(topic, statement(DENY))

    answer = topic.publish_batch(
        {"Id": "a", "Message": "one"}, {"Id": "b", "Message": SECRET}, {"Id": "c", "Message": "three"}
    )

    assert [entry["Id"] for entry in answer["Successful"]] == ["a", "c"]
    failed = {"Id": "b", "Code": "AuthorizationError", "Message": prohibited(topic), "SenderFault": True}
    assert answer["Failed"] == [failed]
    assert sorted(listener.texts()) == ["one", "three"]


def test_a_batch_may_be_denied_as_a_whole(topic: Topic) -> None:
    protect(topic, statement(DENY))

    answer = topic.publish_batch({"Id": "a", "Message": SECRET})

    assert (answer.get("Successful", []), [entry["Id"] for entry in answer["Failed"]]) == ([], ["a"])


@pytest.mark.parametrize(
    ("operation", "published", "delivered"),
    [
        (MASK, f"My credit card number is {CARD}", f"My credit card number is {MASKED}"),
        (REDACT, f"My credit card number is {CARD}", "My credit card number is "),
        (MASK, f'{{"card": "{CARD}",  "n": 1}}', f'{{"card": "{MASKED}",  "n": 1}}'),
        (REDACT, f'{{"card": "{CARD}",  "n": 1}}', '{"card": "",  "n": 1}'),
        (MASK, "nothing to hide", "nothing to hide"),
        (REDACT, "  ", "  "),
    ],
)
def test_sensitive_data_is_masked_or_cut_out_before_anybody_gets_it(
    topic: Topic, operation: dict[str, Any], published: str, delivered: str
) -> None:
    envelopes, raw = topic.listener(), topic.raw_listener()
    protect(topic, statement(operation))

    topic.publish(published)

    assert envelopes.texts() == [delivered]
    assert raw.bodies() == [delivered]


def test_a_message_that_is_sensitive_as_a_whole_can_not_be_redacted(topic: Topic) -> None:
    protect(topic, statement(REDACT, DataIdentifier=[MAIL_ADDRESSES]))

    refused = refusal(topic.sns.publish, TopicArn=topic.arn, Message="anna@example.org")

    assert refused == ("AuthorizationError", 403, prohibited(topic))


def test_custom_identifiers_are_found_by_their_expression(topic: Topic) -> None:
    listener = topic.raw_listener()
    configuration = {"CustomDataIdentifier": [{"Name": "EmployeeId", "Regex": r"EID-\d{9}-US"}]}
    protect(topic, statement(MASK, DataIdentifier=["EmployeeId"]), Configuration=configuration)

    topic.publish('{"boss": "EID-123456789-US", "EID-123456789-US": "key", "guest": "CID-000012348-CA"}')

    assert listener.bodies() == ['{"boss": "################", "EID-123456789-US": "key", "guest": "CID-000012348-CA"}']


def test_statements_are_applied_in_their_order_and_denials_first(topic: Topic) -> None:
    listener = topic.raw_listener()
    configuration = {"CustomDataIdentifier": [{"Name": "Id", "Regex": "ID-[0-9]+"}, {"Name": "Bad", "Regex": "BAD"}]}
    redact_ids = statement(REDACT, DataIdentifier=["Id"])
    deny_bad = statement(DENY, DataIdentifier=["Bad"])
    protect(topic, statement(MASK), redact_ids, deny_bad, Configuration=configuration)

    topic.publish(f"ID-77 pays with card {CARD}")
    refused = refusal(topic.sns.publish, TopicArn=topic.arn, Message="ID-77 is BAD")

    assert refused[0] == "AuthorizationError"
    assert listener.bodies() == [f" pays with card {MASKED}"]


def test_every_text_of_a_structured_message_is_looked_at(topic: Topic) -> None:
    listener = topic.raw_listener()
    protect(topic, statement(MASK))
    texts = {"default": "all", "sqs": f"card {CARD}", "http": SECRET}

    topic.publish(json.dumps(texts), MessageStructure="json")
    protect(topic, statement(DENY))
    refused = refusal(topic.sns.publish, TopicArn=topic.arn, Message=json.dumps(texts), MessageStructure="json")

    assert refused[0] == "AuthorizationError"
    assert listener.bodies() == [f"card {MASKED}"]


def test_subjects_and_attributes_are_not_looked_at(topic: Topic) -> None:
    listener = topic.listener()
    protect(topic, statement(DENY))

    topic.publish("text", Subject=SECRET, MessageAttributes={"card": {"DataType": "String", "StringValue": SECRET}})

    [envelope] = listener.envelopes()
    assert (envelope["Subject"], envelope["MessageAttributes"]["card"]["Value"]) == (SECRET, SECRET)


def test_filter_policies_see_what_was_accepted(topic: Topic) -> None:
    protect(topic, statement(MASK))
    masked = topic.raw_listener(FilterPolicyScope="MessageBody", FilterPolicy=json.dumps({"card": [MASKED]}))
    whole = topic.raw_listener(FilterPolicyScope="MessageBody", FilterPolicy=json.dumps({"card": [CARD]}))

    topic.publish(json.dumps({"card": CARD}))

    assert (len(masked.bodies()), len(whole.bodies())) == (1, 0)


def test_a_statement_is_about_its_principals_alone(topic: Topic) -> None:
    listener = topic.raw_listener()
    publisher = session_of(topic, "Publisher")
    role = f"arn:aws:iam::{topic.cumulet.account}:role/path/Publisher"
    protect(topic, statement(MASK, Principal=[role]))

    publisher.publish(TopicArn=topic.arn, Message=f"session card {CARD}")
    topic.publish(f"root card {CARD}")

    assert sorted(listener.bodies()) == [f"root card {CARD}", f"session card {MASKED}"]


@pytest.mark.parametrize(("role", "seen"), [("Publisher", f"card {MASKED}"), ("Other", SECRET)])
def test_the_record_of_a_function_is_published_by_its_role(topic: Topic, role: str, seen: str) -> None:
    listener = topic.raw_listener()
    roles = f"arn:aws:iam::{topic.cumulet.account}:role/"
    protect(topic, statement(MASK, Principal=[f"{roles}Publisher"]))
    source = f"def handler(event, context):\n    return {SECRET!r}\n"
    name = create(topic.cumulet, source=source, Role=f"{roles}{role}")["FunctionName"]
    client = topic.cumulet.client("lambda")
    destinations = {"OnSuccess": {"Destination": topic.arn}}
    client.put_function_event_invoke_config(FunctionName=name, DestinationConfig=destinations)

    client.invoke(FunctionName=name, InvocationType="Event", Payload=b"{}")
    topic.cumulet.advance(seconds=0)

    [body] = listener.bodies()
    assert json.loads(body)["responsePayload"] == seen


def test_a_dead_letter_that_may_not_be_published_is_lost_and_counted(topic: Topic) -> None:
    listener = topic.raw_listener()
    protect(topic, statement(DENY))
    source = "def handler(event, context):\n    raise ValueError\n"
    name = create(topic.cumulet, source=source, DeadLetterConfig={"TargetArn": topic.arn})["FunctionName"]
    client = topic.cumulet.client("lambda")

    client.invoke(FunctionName=name, InvocationType="Event", Payload=json.dumps({"card": CARD}))
    topic.cumulet.advance(minutes=10)

    assert listener.bodies() == []
    [count] = measured(topic, "AWS/Lambda", "DeadLetterErrors", "FunctionName", name)
    assert count == 1


# What is delivered


def test_each_subscriber_sees_what_its_principal_may(topic: Topic) -> None:
    reporting = session_of(topic, "Reporting")
    masked, raw_masked = listener_of(topic, reporting), listener_of(topic, reporting, RawMessageDelivery="true")
    whole = topic.listener()
    role = f"arn:aws:iam::{topic.cumulet.account}:role/Reporting"
    protect(topic, statement(MASK, "Outbound", Principal=[role]))

    topic.publish(f"card {CARD}")

    assert masked.texts() == [f"card {MASKED}"]
    assert raw_masked.bodies() == [f"card {MASKED}"]
    assert whole.texts() == [f"card {CARD}"]
    shown = topic.sns.get_subscription_attributes(SubscriptionArn=masked.arn)["Attributes"]
    assert shown["SubscriptionPrincipal"] == role


@pytest.mark.parametrize("principal", ["*", "account", "root"])
def test_a_statement_may_be_about_an_account_or_anyone(topic: Topic, principal: str) -> None:
    listener = topic.raw_listener()
    stated = {"account": topic.cumulet.account, "root": root_of(topic)}.get(principal, principal)
    protect(topic, statement(REDACT, "Outbound", Principal=[stated]))

    topic.publish(f"card {CARD}")

    assert listener.bodies() == ["card "]


def test_a_message_that_is_denied_reaches_others_and_no_dead_letter_queue(topic: Topic) -> None:
    reporting = session_of(topic, "Reporting")
    dead_letters = Queues(topic.cumulet).standard()
    denied = listener_of(topic, reporting, RedrivePolicy=json.dumps({"deadLetterTargetArn": dead_letters.arn}))
    whole = topic.raw_listener()
    role = f"arn:aws:iam::{topic.cumulet.account}:role/Reporting"
    protect(topic, statement(DENY, "Outbound", Principal=[role]))

    topic.publish(f"card {CARD}")
    topic.publish("nothing to hide")

    assert denied.texts() == ["nothing to hide"]
    assert sorted(whole.bodies()) == [f"card {CARD}", "nothing to hide"]
    assert dead_letters.bodies() == []
    assert (metric(topic, "NumberOfNotificationsFailed"), metric(topic, "NumberOfNotificationsDelivered")) == (1, 3)


def test_what_would_be_empty_without_its_sensitive_data_is_not_delivered(topic: Topic) -> None:
    listener = topic.raw_listener()
    protect(topic, statement(REDACT, "Outbound", DataIdentifier=[MAIL_ADDRESSES]))

    topic.publish("anna@example.org")

    assert listener.bodies() == []


def test_signatures_are_those_of_the_masked_text(topic: Topic) -> None:
    listener, whole = topic.listener(), topic.listener()
    topic.publish(f"card {CARD}")
    [before], [_] = listener.envelopes(), whole.envelopes()
    protect(topic, statement(MASK, "Outbound"))

    topic.publish(f"card {CARD}")

    [after] = listener.envelopes()
    assert after["Message"] == f"card {MASKED}"
    assert after["Signature"] and after["Signature"] != before["Signature"]


def test_endpoints_of_http_get_what_they_may_see(topic: Topic) -> None:
    with serving() as endpoint:
        topic.subscribe("http", endpoint.url)
        [asked] = endpoint.wait_for(1, "SubscriptionConfirmation")
        topic.sns.confirm_subscription(TopicArn=topic.arn, Token=asked.document["Token"])
        protect(topic, statement(MASK, "Outbound"))

        topic.publish(f"card {CARD}")

        [post] = endpoint.wait_for(1)
    assert post.document["Message"] == f"card {MASKED}"


def test_a_text_message_is_masked_too(topic: Topic) -> None:
    topic.subscribe("sms", "+15555550123")
    protect(topic, statement(MASK, "Outbound"))

    topic.publish(f"card {CARD}")

    assert [message["body"] for message in outbox(topic.cumulet)] == [f"card {MASKED}"]


def test_a_mail_is_masked_too(topic: Topic) -> None:
    topic.subscribe("email-json", "anna@example.org")
    topic.cumulet.advance(milliseconds=1)
    [asked] = outbox(topic.cumulet)
    topic.sns.confirm_subscription(TopicArn=topic.arn, Token=json.loads(asked["body"])["Token"])
    protect(topic, statement(MASK, "Outbound"))

    topic.publish(f"card {CARD}")

    topic.cumulet.advance(milliseconds=1)
    mail = outbox(topic.cumulet)[-1]
    assert json.loads(mail["body"])["Message"] == f"card {MASKED}"
    assert CARD not in json.dumps(mail)


def test_a_message_for_more_than_100_endpoints_is_masked_for_all(topic: Topic) -> None:
    listeners = [topic.raw_listener() for _ in range(102)]
    protect(topic, statement(MASK, "Outbound"))

    topic.publish(f"card {CARD}")
    topic.cumulet.advance(seconds=0)

    assert [listeners[index].bodies() for index in (0, 99, 100, 101)] == [[f"card {MASKED}"]] * 4


def test_a_denied_delivery_is_in_the_log_of_failures(topic: Topic) -> None:
    role = f"arn:aws:iam::{topic.cumulet.account}:role/Feedback"
    topic.sns.set_topic_attributes(TopicArn=topic.arn, AttributeName="SQSFailureFeedbackRoleArn", AttributeValue=role)
    listener = topic.listener()
    protect(topic, statement(DENY, "Outbound"))

    message_id = topic.publish(SECRET)["MessageId"]
    topic.cumulet.advance(seconds=0)

    [line] = findings(topic, f"sns/us-east-1/{topic.cumulet.account}/{topic.name}/Failure")
    assert (line["status"], line["notification"]["messageId"]) == ("FAILURE", message_id)
    delivery = line["delivery"]
    assert (delivery["statusCode"], delivery["attempts"]) == (403, 1)
    prohibition = "The topic's data protection policy prohibits this message from being delivered to"
    assert delivery["providerResponse"] == f"{prohibition} {listener.arn}"
    assert SECRET not in json.dumps(line)


# Audits


def test_an_audit_reports_where_sensitive_data_stands(topic: Topic) -> None:
    protect(
        topic, statement(audit(99, FindingsDestination=log_group(GROUP), NoFindingsDestination=log_group(CLEAN_GROUP)))
    )

    ids = [topic.publish(f"card {CARD}, again {CARD}")["MessageId"] for _ in range(10)]
    clean = [topic.publish("nothing to hide")["MessageId"] for _ in range(10)]

    found, none = findings(topic, GROUP), findings(topic, CLEAN_GROUP)
    assert len(found) >= 8
    assert len(none) >= 8
    assert {report["messageId"] for report in found} <= set(ids)
    assert {report["messageId"] for report in none} <= set(clean)
    report = found[0]
    assert report["callerPrincipal"] == root_of(topic)
    assert report["resourceArn"] == topic.arn
    detections = [{"start": 6, "end": 21}, {"start": 30, "end": 45}]
    assert report["dataIdentifiers"] == [{"name": "CreditCardNumber", "count": 2, "detections": detections}]
    assert none[0]["dataIdentifiers"] == []
    assert metric(topic, "MessagesWithFindings") == len(found)
    assert metric(topic, "MessagesWithNoFindings") == len(none)


@pytest.mark.parametrize("destination", [{}, log_group(GROUP)])
def test_a_sample_rate_of_zero_reports_nothing(topic: Topic, destination: dict[str, Any]) -> None:
    protect(topic, statement(audit(0, FindingsDestination=destination)))

    topic.publish(SECRET)

    assert (findings(topic, GROUP), metric(topic, "MessagesWithFindings")) == ([], 0)


def test_an_audit_without_a_log_group_counts_alone(topic: Topic) -> None:
    protect(topic, statement(audit("99", FindingsDestination={})))

    for _ in range(5):
        topic.publish(SECRET)

    assert metric(topic, "MessagesWithFindings") >= 3


def test_messages_are_audited_as_they_came_before_they_are_denied(topic: Topic) -> None:
    protect(topic, statement(audit(99, FindingsDestination=log_group(GROUP))), statement(DENY))

    for _ in range(5):
        refusal(topic.sns.publish, TopicArn=topic.arn, Message=SECRET)

    assert len(findings(topic, GROUP)) >= 3


def test_an_audit_may_be_about_one_publisher(topic: Topic) -> None:
    other = statement(audit(99, FindingsDestination=log_group(GROUP)), Principal=["111111111111"])
    protect(topic, other)

    for _ in range(5):
        topic.publish(SECRET)

    assert findings(topic, GROUP) == []
