"""SQS: queue attributes, as CreateQueue and SetQueueAttributes take them and GetQueueAttributes shows them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError
from sqs_queues import Queue, Queues
from sqs_wire import Refused, Wire

from cumulet.testing import Cumulet

STANDARD = {
    "ApproximateNumberOfMessages": "0",
    "ApproximateNumberOfMessagesDelayed": "0",
    "ApproximateNumberOfMessagesNotVisible": "0",
    "DelaySeconds": "0",
    "MaximumMessageSize": "1048576",
    "MessageRetentionPeriod": "345600",
    "ReceiveMessageWaitTimeSeconds": "0",
    "SqsManagedSseEnabled": "true",
    "VisibilityTimeout": "30",
}
FIFO = {
    "ContentBasedDeduplication": "false",
    "DeduplicationScope": "queue",
    "FifoQueue": "true",
    "FifoThroughputLimit": "perQueue",
}
RANGES = {
    "DelaySeconds": (0, 900),
    "KmsDataKeyReusePeriodSeconds": (60, 86_400),
    "MaximumMessageSize": (1_024, 1_048_576),
    "MessageRetentionPeriod": (60, 1_209_600),
    "ReceiveMessageWaitTimeSeconds": (0, 20),
    "VisibilityTimeout": (0, 43_200),
}
STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
POLICY = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})


def refusal(queue: Queue, **attributes: Any) -> tuple[str, str]:
    """Code and message of SetQueueAttributes, having checked that nothing changed."""
    before = queue.attributes()
    with pytest.raises(ClientError) as refused:
        queue.set(**attributes)
    assert queue.attributes() == before
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def test_new_standard_queue_has_exactly_awss_attributes(cumulet: Cumulet, either_wire: Wire) -> None:
    now = str(cumulet.now_ms() // 1000)
    url = either_wire.call("CreateQueue", QueueName="orders")["QueueUrl"]

    answer = either_wire.call("GetQueueAttributes", QueueUrl=url, AttributeNames=["All"])

    assert answer["Attributes"] == {
        **STANDARD,
        "CreatedTimestamp": now,
        "LastModifiedTimestamp": now,
        "QueueArn": f"arn:aws:sqs:us-east-1:{cumulet.account}:orders",
    }


def test_new_fifo_queue_adds_those_of_fifo(fifo: Queue) -> None:
    attributes = fifo.attributes()

    assert attributes.keys() - STANDARD.keys() - FIFO.keys() == {
        "CreatedTimestamp",
        "LastModifiedTimestamp",
        "QueueArn",
    }
    assert {name: attributes[name] for name in (STANDARD | FIFO)} == STANDARD | FIFO


def test_change_moves_the_modification_time_and_leaves_the_rest(cumulet: Cumulet, queue: Queue) -> None:
    before = queue.attributes()
    cumulet.advance(seconds=10)

    queue.set(VisibilityTimeout="5")

    later = str(int(before["CreatedTimestamp"]) + 10)
    assert queue.attributes() == {**before, "VisibilityTimeout": "5", "LastModifiedTimestamp": later}


@pytest.mark.parametrize("names", [["VisibilityTimeout"], ["QueueArn", "DelaySeconds"], ["Policy"], []])
def test_only_attributes_that_are_asked_for_and_set_are_returned(wire: Wire, queue: Queue, names: list[str]) -> None:
    answer = wire.call("GetQueueAttributes", QueueUrl=queue.url, AttributeNames=names)

    assert answer.get("Attributes", {}).keys() == set(names) - {"Policy"}
    assert ("Attributes" in answer) == bool(set(names) - {"Policy"})


def test_no_names_at_all_return_no_attributes(either_wire: Wire, queue: Queue) -> None:
    assert either_wire.call("GetQueueAttributes", QueueUrl=queue.url) == {}


@pytest.mark.parametrize("name", RANGES)
def test_numeric_attribute_takes_its_whole_range_and_nothing_else(queue: Queue, name: str) -> None:
    least, greatest = RANGES[name]

    for value in (least, greatest):
        queue.set(**{name: str(value)})
        assert queue.attribute(name) == str(value)
    for value in (str(least - 1), str(greatest + 1), "", " 6", "544.43", "many", "9" * 30, "٣"):
        assert refusal(queue, **{name: value}) == (
            "InvalidAttributeValue",
            f"Invalid value for the parameter {name}.",
        )


@pytest.mark.parametrize("name", [*RANGES, "SqsManagedSseEnabled"])
def test_create_queue_refuses_the_same_values(either_wire: Wire, name: str) -> None:
    with pytest.raises(Refused) as refused:
        either_wire.call("CreateQueue", QueueName="q", Attributes={name: "-1"})

    assert (refused.value.code, refused.value.status) == ("InvalidAttributeValue", 400)
    assert refused.value.message == f"Invalid value for the parameter {name}."
    assert either_wire.call("ListQueues") == {}


@pytest.mark.parametrize(
    "name", ["Unknown", "QueueArn", "CreatedTimestamp", "ApproximateNumberOfMessages", "All", "FifoQueue", ""]
)
def test_attribute_that_cannot_be_set_is_unknown(queue: Queue, name: str) -> None:
    assert refusal(queue, **{name: "true"}) == ("InvalidAttributeName", f"Unknown Attribute {name}.")


@pytest.mark.parametrize("name", ["Unknown", "visibilitytimeout", ""])
def test_unknown_attribute_cannot_be_got(either_wire: Wire, queue: Queue, name: str) -> None:
    with pytest.raises(Refused) as refused:
        either_wire.call("GetQueueAttributes", QueueUrl=queue.url, AttributeNames=["QueueArn", name])

    assert (refused.value.code, refused.value.message) == ("InvalidAttributeName", f"Unknown Attribute {name}.")


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ({"FifoQueue": "false"}, "Unknown Attribute FifoQueue."),
        ({"ContentBasedDeduplication": "true"}, "Unknown Attribute ContentBasedDeduplication."),
        ({"ContentBasedDeduplication": "false"}, "Unknown Attribute ContentBasedDeduplication."),
        (
            {"DeduplicationScope": "queue"},
            "You can specify the DeduplicationScope only when FifoQueue is set to true.",
        ),
        (
            {"FifoThroughputLimit": "perQueue"},
            "You can specify the FifoThroughputLimit only when FifoQueue is set to true.",
        ),
    ],
)
def test_standard_queue_has_no_fifo_attributes(
    either_wire: Wire, queue: Queue, attributes: dict[str, str], message: str
) -> None:
    with pytest.raises(Refused) as create:
        either_wire.call("CreateQueue", QueueName="other", Attributes=attributes)

    assert (create.value.code, create.value.message) == ("InvalidAttributeName", message)
    assert refusal(queue, **attributes) == ("InvalidAttributeName", message)


def test_fifo_queue_attribute_false_is_unknown_whatever_the_name(wire: Wire) -> None:
    with pytest.raises(Refused) as refused:
        wire.call("CreateQueue", QueueName="q.fifo", Attributes={"FifoQueue": "false"})

    assert (refused.value.code, refused.value.message) == ("InvalidAttributeName", "Unknown Attribute FifoQueue.")


def test_fifo_queue_stays_one(fifo: Queue) -> None:
    fifo.set(FifoQueue="true")

    assert refusal(fifo, FifoQueue="false") == (
        "InvalidAttributeValue",
        "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not supported.",
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ContentBasedDeduplication", "maybe"),
        ("ContentBasedDeduplication", ""),
        ("DeduplicationScope", "messagegroup"),
        ("DeduplicationScope", ""),
        ("FifoThroughputLimit", "perGroup"),
        ("SqsManagedSseEnabled", "yes"),
    ],
)
def test_fifo_attribute_with_an_unknown_value_is_refused(fifo: Queue, name: str, value: str) -> None:
    assert refusal(fifo, **{name: value}) == ("InvalidAttributeValue", f"Invalid value for the parameter {name}.")


def test_booleans_are_taken_in_any_case_and_shown_in_lower_case(queues: Queues) -> None:
    fifo = queues.fifo(FifoQueue="True", ContentBasedDeduplication="TRUE")

    assert fifo.attributes("FifoQueue", "ContentBasedDeduplication") == {
        "FifoQueue": "true",
        "ContentBasedDeduplication": "true",
    }


def test_throughput_per_group_needs_deduplication_per_group(fifo: Queue) -> None:
    assert refusal(fifo, FifoThroughputLimit="perMessageGroupId") == (
        "InvalidAttributeValue",
        "The perMessageGroupId value is allowed only when the value for DeduplicationScope is messageGroup",
    )
    fifo.set(DeduplicationScope="messageGroup")
    fifo.set(FifoThroughputLimit="perMessageGroupId")
    assert fifo.attribute("FifoThroughputLimit") == "perMessageGroupId"


def test_one_kind_of_encryption_replaces_the_other(queue: Queue) -> None:
    queue.set(KmsMasterKeyId="alias/key")
    with_key = queue.attributes("SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds")
    queue.set(KmsMasterKeyId="", KmsDataKeyReusePeriodSeconds="300")
    without_key = queue.attributes("SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds")
    queue.set(KmsMasterKeyId="alias/key")
    queue.set(SqsManagedSseEnabled="true")
    managed = queue.attributes("SqsManagedSseEnabled", "KmsMasterKeyId", "KmsDataKeyReusePeriodSeconds")

    assert with_key == {
        "SqsManagedSseEnabled": "false",
        "KmsMasterKeyId": "alias/key",
        "KmsDataKeyReusePeriodSeconds": "300",
    }
    assert without_key == {"SqsManagedSseEnabled": "false"}
    assert managed == {"SqsManagedSseEnabled": "true"}


def test_both_kinds_of_encryption_at_once_are_refused(queue: Queue) -> None:
    assert refusal(queue, KmsMasterKeyId="alias/key", SqsManagedSseEnabled="true") == (
        "InvalidAttributeName",
        "You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.",
    )


def test_policy_is_stored_as_it_is_and_removed_by_an_empty_one(queue: Queue) -> None:
    queue.set(Policy=POLICY)
    assert queue.attribute("Policy") == POLICY

    queue.set(Policy="")
    assert queue.attributes("Policy") == {}


@pytest.mark.parametrize(
    "policy",
    [
        " ",
        "policy",
        "[]",
        "1",
        "{}",
        json.dumps({"Version": "2013-10-17", "Statement": [STATEMENT]}),
        json.dumps({"Statement": []}),
        json.dumps({"Statement": [STATEMENT], "Other": 1}),
        json.dumps({"Statement": [{**STATEMENT, "Other": 1}]}),
        json.dumps({"Statement": [{**STATEMENT, "Effect": "Perhaps"}]}),
        json.dumps({"Statement": ["statement"]}),
    ],
)
def test_malformed_policy_is_refused(queue: Queue, policy: str) -> None:
    assert refusal(queue, Policy=policy) == ("InvalidAttributeValue", "Invalid value for the parameter Policy.")


def test_policy_has_at_most_twenty_statements(queue: Queue) -> None:
    statements = [{**STATEMENT, "Sid": f"s{number}"} for number in range(21)]
    queue.set(Policy=json.dumps({"Statement": statements[:20]}))

    assert refusal(queue, Policy=json.dumps({"Statement": statements})) == (
        "OverLimit",
        "21 statements were found in the submitted policy, max allowed is 20",
    )


def test_redrive_policy_is_shown_as_it_was_given(queues: Queues, queue: Queue) -> None:
    arn = queues.standard().arn
    given = f'{{"maxReceiveCount": 7, "deadLetterTargetArn":"{arn}"}}'

    queue.set(RedrivePolicy=given)
    assert queue.attribute("RedrivePolicy") == given
    queue.set(RedrivePolicy=json.dumps({"maxReceiveCount": "42", "deadLetterTargetArn": arn}))
    assert json.loads(queue.attribute("RedrivePolicy")) == {"maxReceiveCount": 42, "deadLetterTargetArn": arn}
    queue.set(RedrivePolicy="")
    assert queue.attributes("RedrivePolicy") == {}


@pytest.mark.parametrize("text", [" ", "1", "[]", "policy", '{"maxReceiveCount":'])
def test_redrive_policy_that_is_no_json_map_is_refused(queue: Queue, text: str) -> None:
    assert refusal(queue, RedrivePolicy=text) == (
        "InvalidAttributeValue",
        "Invalid value for the parameter RedrivePolicy. Reason: Redrive policy is not a valid JSON map.",
    )


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        ({}, "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
        ({"deadLetterTargetArn": "{arn}"}, "Redrive policy does not contain mandatory attribute: maxReceiveCount."),
        ({"maxReceiveCount": 1}, "Redrive policy does not contain mandatory attribute: deadLetterTargetArn."),
        (
            {"maxReceiveCount": 0, "deadLetterTargetArn": "{arn}"},
            "Invalid value for maxReceiveCount: 0, valid values are from 1 to 1000 both inclusive.",
        ),
        (
            {"maxReceiveCount": 1001, "deadLetterTargetArn": "{arn}"},
            "Invalid value for maxReceiveCount: 1001, valid values are from 1 to 1000 both inclusive.",
        ),
        ({"maxReceiveCount": 1, "deadLetterTargetArn": "dummy"}, "Invalid value for deadLetterTargetArn."),
        ({"maxReceiveCount": 1, "deadLetterTargetArn": "{arn}\ud800"}, "Invalid value for deadLetterTargetArn."),
        (
            {"maxReceiveCount": "\ud800", "deadLetterTargetArn": "{arn}"},
            "Invalid value for maxReceiveCount: ?, valid values are from 1 to 1000 both inclusive.",
        ),
        (
            {"maxReceiveCount": 1, "deadLetterTargetArn": "arn:aws:sns:us-east-1:{account}:topic"},
            "Only SQS queues are valid resources for deadLetterTargetArn.",
        ),
        (
            {"maxReceiveCount": 1, "deadLetterTargetArn": "{arn}", "other": 1},
            "Only following attributes are supported: [maxReceiveCount, deadLetterTargetArn].",
        ),
        ({"maxReceiveCount": 1, "deadLetterTargetArn": "{arn}-missing"}, "Dead letter target does not exist."),
        (
            {"maxReceiveCount": 1, "deadLetterTargetArn": "{fifo}"},
            "Dead-letter queue must be same type of queue as the source..",
        ),
        (
            {"maxReceiveCount": 1, "deadLetterTargetArn": "{foreign}"},
            "Dead-letter target owner should be same as the source.",
        ),
        ({"maxReceiveCount": 1, "deadLetterTargetArn": "{elsewhere}"}, "Dead letter target does not exist."),
    ],
)
def test_redrive_policy_is_checked(
    cumulet: Cumulet, queues: Queues, queue: Queue, policy: dict[str, Any], reason: str
) -> None:
    foreign = cumulet.client("sqs", account="999999999999")
    elsewhere = cumulet.client("sqs", region="eu-central-1")
    for client in (foreign, elsewhere):
        client.create_queue(QueueName="theirs")
    names = {
        "arn": queues.standard().arn,
        "fifo": queues.fifo().arn,
        "account": cumulet.account,
        "foreign": "arn:aws:sqs:us-east-1:999999999999:theirs",
        "elsewhere": f"arn:aws:sqs:eu-central-1:{cumulet.account}:theirs",
    }
    filled = {k: v.format(**names) if isinstance(v, str) else v for k, v in policy.items()}
    text = json.dumps(filled)

    assert refusal(queue, RedrivePolicy=text) == (
        "InvalidParameterValue",
        f"Value {text} for parameter RedrivePolicy is invalid. Reason: {reason}",
    )


UNSUPPORTED = (
    "Invalid value for the parameter RedriveAllowPolicy. Reason: "
    "Amazon SQS can't create the redrive allow policy, as it’s in an unsupported format."
)
CANNOT = (
    "Value {text} for parameter RedriveAllowPolicy is invalid. Reason: "
    "Amazon SQS can't create the redrive allow policy. "
)


@pytest.mark.parametrize(
    ("policy", "code", "message"),
    [
        ("text", "InvalidAttributeValue", UNSUPPORTED),
        ("[]", "InvalidAttributeValue", UNSUPPORTED),
        ("{}", "InvalidAttributeValue", UNSUPPORTED),
        ('{"redrivePermission":"some"}', "InvalidAttributeValue", UNSUPPORTED),
        ('{"redrivePermission":["allowAll"]}', "InvalidAttributeValue", UNSUPPORTED),
        ('{"redrivePermission":"allowAll","other":1}', "InvalidAttributeValue", UNSUPPORTED),
        ('{"redrivePermission":"byQueue","sourceQueueArns":"a"}', "InvalidAttributeValue", UNSUPPORTED),
        ('{"redrivePermission":"byQueue","sourceQueueArns":[1]}', "InvalidAttributeValue", UNSUPPORTED),
        (
            '{"redrivePermission":"byQueue"}',
            "InvalidParameterValue",
            CANNOT + "When you specify the byQueue permission type, you must also specify one or more "
            "sourceQueueArns values.",
        ),
        (
            '{"redrivePermission":"byQueue","sourceQueueArns":[]}',
            "InvalidParameterValue",
            CANNOT + "When you specify the byQueue permission type, you must also specify one or more "
            "sourceQueueArns values.",
        ),
        (
            '{"redrivePermission":"denyAll","sourceQueueArns":["arn:aws:sqs:us-east-1:1:q"]}',
            "InvalidParameterValue",
            CANNOT + "To specify one or more source queue ARNs, you must set redrivePermission to byQueue.",
        ),
        (
            json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": ["arn:aws:sqs:us-east-1:1:q"] * 11}),
            "InvalidParameterValue",
            CANNOT + "The maximum number of source queue ARNs you can specify is 10.",
        ),
    ],
)
def test_redrive_allow_policy_is_checked(queue: Queue, policy: str, code: str, message: str) -> None:
    assert refusal(queue, RedriveAllowPolicy=policy) == (code, message.replace("{text}", policy))


def test_redrive_allow_policy_says_whose_dead_letters_a_queue_takes(queues: Queues) -> None:
    dead_letters, allowed, other = queues.standard(), queues.standard(), queues.standard()
    dead_letters.set(RedriveAllowPolicy=json.dumps({"redrivePermission": "byQueue", "sourceQueueArns": [allowed.arn]}))

    allowed.bury_in(dead_letters, after=1)
    with pytest.raises(ClientError) as by_queue:
        other.bury_in(dead_letters, after=1)
    dead_letters.set(RedriveAllowPolicy='{"redrivePermission":"denyAll"}')
    with pytest.raises(ClientError) as deny_all:
        other.bury_in(dead_letters, after=1)
    dead_letters.set(RedriveAllowPolicy="")
    other.bury_in(dead_letters, after=1)

    assert by_queue.value.response["Error"]["Code"] == "InvalidParameterValue"
    assert deny_all.value.response["Error"]["Code"] == "InvalidParameterValue"


def test_refused_attribute_among_good_ones_changes_nothing(queue: Queue) -> None:
    code, _ = refusal(queue, DelaySeconds="5", VisibilityTimeout="-1")

    assert code == "InvalidAttributeValue"


def test_set_without_attributes_is_refused(either_wire: Wire, queue: Queue) -> None:
    with pytest.raises(Refused) as refused:
        either_wire.call("SetQueueAttributes", QueueUrl=queue.url, Attributes={})

    assert refused.value.message == "The request must contain the parameter Attribute.Name."
    assert refused.value.legacy_code == "MissingParameter"


def test_maximum_of_attributes_set_at_once_comes_back(queues: Queues, queue: Queue) -> None:
    given = {
        "DelaySeconds": "1",
        "MaximumMessageSize": "2048",
        "MessageRetentionPeriod": "120",
        "Policy": POLICY,
        "ReceiveMessageWaitTimeSeconds": "2",
        "RedriveAllowPolicy": '{"redrivePermission":"allowAll"}',
        "RedrivePolicy": json.dumps({"maxReceiveCount": 3, "deadLetterTargetArn": queues.standard().arn}),
        "SqsManagedSseEnabled": "false",
        "VisibilityTimeout": "7",
    }

    queue.set(**given)

    assert queue.attributes(*given) == given
