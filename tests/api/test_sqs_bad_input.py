"""SQS: every operation refuses bad input with AWS's code, status and text, and nothing has changed.

The tables are in `sqs_refusals`; they name the legacy code, that of the query protocol, which json carries in a
header.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from sqs_queues import Queue, Queues
from sqs_refusals import CASES, IDS, IPV, JSON_CODES, MP, NO_QUEUE, ON_A_QUEUE, STATUSES, S, missing
from sqs_wire import Refused, Wire

from cumulet.testing import Cumulet


@dataclass(frozen=True)
class World:
    """A standard queue that has a dead-letter queue, and a FIFO queue; each with messages in sight and in flight."""

    standard: Queue
    fifo: Queue
    dead_letters: Queue
    names: dict[str, str]

    def fill(self, value: Any) -> Any:
        """Return members with the world's names put in."""
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, str):
            for name, replacement in self.names.items():
                value = value.replace(f"{{{name}}}", replacement)
        return value

    def state(self) -> Any:
        """Return all that a client can see of it without changing it."""
        sqs = self.standard.sqs
        return (
            sqs.list_queues()["QueueUrls"],
            [
                (queue.attributes(), sqs.list_queue_tags(QueueUrl=queue.url).get("Tags"))
                for queue in (self.standard, self.fifo, self.dead_letters)
            ],
            sqs.list_message_move_tasks(SourceArn=self.names["dead_letters"]).get("Results"),
        )


@pytest.fixture
def world(cumulet: Cumulet, queues: Queues) -> World:
    """Return queues with messages."""
    standard, fifo, dead_letters = queues.standard("standard"), queues.fifo("fifo.fifo"), queues.standard("dead")
    standard.bury_in(dead_letters, after=5)
    standard.send("in flight")
    [message] = standard.receive(VisibilityTimeout=600)
    standard.send("in sight")
    fifo.send_to("g", "in-flight")
    [fifo_message] = fifo.receive(VisibilityTimeout=600)
    fifo.send_to("h", "in-sight")
    task = {"taskId": "00000000-0000-4000-8000-000000000000"}

    def handle(arn: str) -> str:
        return base64.b64encode(json.dumps({**task, "sourceArn": arn}).encode()).decode()

    names = {
        "account": cumulet.account,
        "standard": standard.url,
        "fifo": fifo.url,
        "arn": standard.arn,
        "fifo_arn": fifo.arn,
        "dead_letters": dead_letters.arn,
        "handle": message["ReceiptHandle"],
        "fifo_handle": fifo_message["ReceiptHandle"],
        "unknown_task": handle(dead_letters.arn),
        "task_of_nobody": handle(standard.arn + "-missing"),
    }
    return World(standard, fifo, dead_letters, names)


def expect_refusal(wire: Wire, world: World, operation: str, members: dict[str, Any], code: str, message: str) -> None:
    """Check that the operation is refused just so, twice, and that the world is as it was."""
    no_queue = {
        "json": "The specified queue does not exist.",
        "query": "The specified queue does not exist for this wsdl version.",
    }[wire.protocol]
    given, text_expected = world.fill(members), world.fill(message).replace("{no_queue}", no_queue)
    before = world.state()
    for _ in range(2):
        with pytest.raises(Refused) as refused:
            wire.call(operation, **given)
        found = refused.value
        assert (found.legacy_code, found.status, found.message) == (code, STATUSES.get(code, 400), text_expected)
        if wire.protocol == "json":
            assert found.code == JSON_CODES.get(code, code.rpartition(".")[2])
    assert world.state() == before


@pytest.mark.parametrize(("operation", "members", "code", "message"), CASES, ids=IDS)
def test_bad_input_is_refused(
    either_wire: Wire, world: World, operation: str, members: dict[str, Any], code: str, message: str
) -> None:
    expect_refusal(either_wire, world, operation, members, code, message)


@pytest.mark.parametrize("operation", ON_A_QUEUE)
def test_queue_that_does_not_exist(either_wire: Wire, world: World, operation: str) -> None:
    members = {"QueueUrl": f"{world.standard.url}-missing", **ON_A_QUEUE[operation]}

    expect_refusal(either_wire, world, operation, members, NO_QUEUE, "{no_queue}")


@pytest.mark.parametrize("operation", ON_A_QUEUE)
def test_queue_url_that_is_missing(wire: Wire, world: World, operation: str) -> None:
    expect_refusal(wire, world, operation, ON_A_QUEUE[operation], MP, missing("QueueUrl"))


@pytest.mark.parametrize("operation", ON_A_QUEUE)
def test_query_without_a_queue_url_names_no_valid_address(
    cumulet: Cumulet, query_wire: Wire, world: World, operation: str
) -> None:
    for members in (ON_A_QUEUE[operation], {"QueueUrl": "", **ON_A_QUEUE[operation]}):
        message = f"The address {cumulet.url}/ is not valid for this endpoint."
        expect_refusal(query_wire, world, operation, members, "InvalidAddress", message)


INTEGERS = [
    ("SendMessage", "DelaySeconds", {"MessageBody": "b"}),
    ("ReceiveMessage", "MaxNumberOfMessages", {}),
    ("ReceiveMessage", "VisibilityTimeout", {}),
    ("ReceiveMessage", "WaitTimeSeconds", {}),
    ("ChangeMessageVisibility", "VisibilityTimeout", {"ReceiptHandle": "{handle}"}),
    ("ListDeadLetterSourceQueues", "MaxResults", {}),
]
STRINGS = [
    ("SendMessage", "MessageBody", {}),
    ("SendMessage", "MessageGroupId", {"MessageBody": "b"}),
    ("DeleteMessage", "ReceiptHandle", {}),
    ("RemovePermission", "Label", {}),
    ("ReceiveMessage", "ReceiveRequestAttemptId", {}),
    ("ListDeadLetterSourceQueues", "NextToken", {}),
]
LIST_FOUND = "Start of list found where not expected"
MAP_FOUND = "Start of structure or map found where not expected."


def expect_serialization_error(wire: Wire, world: World, operation: str, body: bytes, message: str | None) -> None:
    before = world.state()

    answer = wire.json(operation, body)

    assert answer.status == 400
    assert answer.json["__type"] == "com.amazon.coral.service#SerializationException"
    assert answer.json.get("message") == message
    assert answer.headers["x-amzn-query-error"] == "MalformedInput;Sender"
    assert world.state() == before


@pytest.mark.parametrize(("operation", "member", "rest"), INTEGERS)
@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("1", "STRING_VALUE can not be converted to an Integer"),
        ("", "STRING_VALUE can not be converted to an Integer"),
        (True, "TRUE_VALUE can not be converted to an Integer"),
        (False, "FALSE_VALUE can not be converted to an Integer"),
        ({}, MAP_FOUND),
        ([], LIST_FOUND),
    ],
)
def test_integer_of_another_type(
    wire: Wire, world: World, operation: str, member: str, rest: dict[str, Any], value: Any, message: str
) -> None:
    members = world.fill({"QueueUrl": S, **rest})

    expect_serialization_error(wire, world, operation, orjson.dumps({**members, member: value}), message)


@pytest.mark.parametrize(("operation", "member", "rest"), STRINGS)
@pytest.mark.parametrize(
    ("value", "message"),
    [
        (1, "NUMBER_VALUE can not be converted to a String"),
        (True, "TRUE_VALUE can not be converted to a String"),
        ({}, MAP_FOUND),
        ([], LIST_FOUND),
    ],
)
def test_string_of_another_type(
    wire: Wire, world: World, operation: str, member: str, rest: dict[str, Any], value: Any, message: str
) -> None:
    members = world.fill({"QueueUrl": S, **rest})

    expect_serialization_error(wire, world, operation, orjson.dumps({**members, member: value}), message)


@pytest.mark.parametrize("body", [b"{", b"[]x", b'{"QueueUrl":}', b"\xff\xfe", b'{"QueueUrl": "\xff"}', b'{"a": NaN}'])
@pytest.mark.parametrize("operation", ["SendMessage", "CreateQueue", "DeleteMessageBatch"])
def test_body_that_is_no_json(wire: Wire, world: World, operation: str, body: bytes) -> None:
    expect_serialization_error(wire, world, operation, body, None)


@pytest.mark.parametrize("operation", sorted([*ON_A_QUEUE, "CreateQueue", "GetQueueUrl", "ListQueues"]))
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"1", b"true"])
def test_body_that_is_no_object(wire: Wire, operation: str, body: bytes) -> None:
    answer = wire.json(operation, body)

    assert (answer.status, answer.json["__type"]) == (400, "com.amazon.coral.service#SerializationException")


@pytest.mark.parametrize("operation", ON_A_QUEUE)
def test_null_members_are_absent(wire: Wire, world: World, operation: str) -> None:
    members: dict[str, Any] = dict.fromkeys(ON_A_QUEUE[operation])
    before = world.state()

    with pytest.raises(Refused) as refused:
        wire.call(operation, QueueUrl=None, **members)

    assert refused.value.message.startswith("The request must contain the parameter ")
    assert world.state() == before


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("CreateQueue", {"QueueName": "q", "Attributes": {"DelaySeconds": None}}),
        ("CreateQueue", {"QueueName": "q", "tags": {"a": None}}),
        ("SetQueueAttributes", {"QueueUrl": S, "Attributes": {"DelaySeconds": None}}),
        ("GetQueueAttributes", {"QueueUrl": S, "AttributeNames": [None]}),
        ("SendMessage", {"QueueUrl": S, "MessageBody": "b", "MessageAttributes": {"a": None}}),
        ("SendMessage", {"QueueUrl": S, "MessageBody": "b", "MessageSystemAttributes": {"AWSTraceHeader": None}}),
        ("SendMessageBatch", {"QueueUrl": S, "Entries": [None]}),
        ("DeleteMessageBatch", {"QueueUrl": S, "Entries": [None]}),
        ("ReceiveMessage", {"QueueUrl": S, "MessageAttributeNames": [None]}),
        ("ReceiveMessage", {"QueueUrl": S, "AttributeNames": [None]}),
        ("TagQueue", {"QueueUrl": S, "Tags": {"a": None}}),
        ("UntagQueue", {"QueueUrl": S, "TagKeys": [None]}),
        ("AddPermission", {"QueueUrl": S, "Label": "l", "AWSAccountIds": [None], "Actions": ["SendMessage"]}),
        ("AddPermission", {"QueueUrl": S, "Label": "l", "AWSAccountIds": ["111122223333"], "Actions": [None]}),
    ],
)
def test_null_within_a_list_or_map_does_not_fail_the_platform(
    wire: Wire, world: World, operation: str, members: dict[str, Any]
) -> None:
    answer = wire.json(operation, orjson.dumps(world.fill(members)))

    assert answer.status in (200, 400)


MUTATING: list[tuple[str, dict[str, Any], dict[str, Any], str | None]] = [
    # operation, what it refuses, what it takes, how it answers the second time
    ("AddPermission", {"Label": "a b"}, {}, IPV),
    ("ChangeMessageVisibility", {"VisibilityTimeout": -1}, {}, None),
    ("ChangeMessageVisibilityBatch", {"Entries": []}, {}, None),
    ("CreateQueue", {"QueueName": ""}, {"QueueName": "new"}, None),
    ("DeleteMessage", {"ReceiptHandle": "x"}, {}, None),
    ("DeleteMessageBatch", {"Entries": []}, {}, None),
    ("DeleteQueue", {"QueueUrl": "missing"}, {}, NO_QUEUE),
    ("PurgeQueue", {"QueueUrl": "missing"}, {}, "AWS.SimpleQueueService.PurgeQueueInProgress"),
    ("ReceiveMessage", {"MaxNumberOfMessages": 0}, {}, None),
    ("SendMessage", {"MessageBody": ""}, {}, None),
    ("SendMessageBatch", {"Entries": []}, {}, None),
    ("SetQueueAttributes", {"Attributes": {"X": "1"}}, {}, None),
    ("StartMessageMoveTask", {"SourceArn": ""}, {"SourceArn": "{dead_letters}"}, None),
    ("TagQueue", {"Tags": {"": ""}}, {}, None),
    ("UntagQueue", {"TagKeys": [""]}, {}, None),
]


@pytest.mark.parametrize(("operation", "bad", "good", "second"), MUTATING)
def test_operation_works_after_a_failure_and_answers_a_repetition(
    wire: Wire, world: World, operation: str, bad: dict[str, Any], good: dict[str, Any], second: str | None
) -> None:
    members = world.fill({"QueueUrl": S, **ON_A_QUEUE[operation]} if operation in ON_A_QUEUE else good)
    with pytest.raises(Refused):
        wire.call(operation, **{**members, **bad})

    wire.call(operation, **members)
    answers = []
    for _ in range(2):
        try:
            wire.call(operation, **members)
            answers.append(None)
        except Refused as refused:
            answers.append(refused.legacy_code)

    assert answers == [second, second]


def test_removed_permission_cannot_be_removed_again(wire: Wire, world: World) -> None:
    wire.call("AddPermission", QueueUrl=world.standard.url, **ON_A_QUEUE["AddPermission"])

    wire.call("RemovePermission", QueueUrl=world.standard.url, Label="l")

    with pytest.raises(Refused, match="can't find label"):
        wire.call("RemovePermission", QueueUrl=world.standard.url, Label="l")


def test_unknown_operation_is_told_in_json(wire: Wire) -> None:
    answer = wire.json("DoNothing", b"{}")

    assert answer.status == 404
    assert answer.json == {"__type": "com.amazon.coral.service#UnknownOperationException"}
