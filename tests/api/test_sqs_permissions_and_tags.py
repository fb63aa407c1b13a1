"""SQS: statements of the access policy, and tags."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqs_queues import Queue
from sqs_wire import Refused, Wire

OTHER = "111122223333"


def allow(wire: Wire, queue: Queue, label: str = "send", **members: Any) -> None:
    given = {"Label": label, "AWSAccountIds": [OTHER], "Actions": ["SendMessage"], **members}
    wire.call("AddPermission", QueueUrl=queue.url, **given)


def refusal(wire: Wire, operation: str, **members: Any) -> tuple[str, int, str]:
    with pytest.raises(Refused) as refused:
        wire.call(operation, **members)
    return refused.value.legacy_code, refused.value.status, refused.value.message


def test_first_permission_makes_the_default_policy(either_wire: Wire, queue: Queue) -> None:
    allow(either_wire, queue)

    assert json.loads(queue.attribute("Policy")) == {
        "Version": "2008-10-17",
        "Id": f"{queue.arn}/SQSDefaultPolicy",
        "Statement": [
            {
                "Sid": "send",
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{OTHER}:root"},
                "Action": "SQS:SendMessage",
                "Resource": queue.arn,
            }
        ],
    }


def test_several_accounts_and_actions_are_lists(either_wire: Wire, queue: Queue) -> None:
    allow(either_wire, queue, AWSAccountIds=[OTHER, "444455556666"], Actions=["SendMessage", "ReceiveMessage"])

    [statement] = json.loads(queue.attribute("Policy"))["Statement"]
    assert statement["Principal"]["AWS"] == [f"arn:aws:iam::{OTHER}:root", "arn:aws:iam::444455556666:root"]
    assert statement["Action"] == ["SQS:SendMessage", "SQS:ReceiveMessage"]


def test_permission_is_added_to_the_policy_that_is_there(wire: Wire, queue: Queue) -> None:
    own = {"Sid": "own", "Effect": "Deny", "Principal": "*", "Action": "sqs:*", "Resource": "*"}
    queue.set(Policy=json.dumps({"Version": "2012-10-17", "Id": "mine", "Statement": own}))

    allow(wire, queue)

    policy = json.loads(queue.attribute("Policy"))
    assert (policy["Version"], policy["Id"]) == ("2012-10-17", "mine")
    assert [statement["Sid"] for statement in policy["Statement"]] == ["own", "send"]


def test_policy_disappears_with_its_last_permission(either_wire: Wire, queue: Queue) -> None:
    allow(either_wire, queue, "a")
    allow(either_wire, queue, "b")

    either_wire.call("RemovePermission", QueueUrl=queue.url, Label="a")
    left = [statement["Sid"] for statement in json.loads(queue.attribute("Policy"))["Statement"]]
    either_wire.call("RemovePermission", QueueUrl=queue.url, Label="b")

    assert left == ["b"]
    assert queue.attributes("Policy") == {}


def test_label_is_given_once(either_wire: Wire, queue: Queue) -> None:
    allow(either_wire, queue)
    members = {"Label": "send", "AWSAccountIds": [OTHER], "Actions": ["ReceiveMessage"]}

    for _ in range(2):
        assert refusal(either_wire, "AddPermission", QueueUrl=queue.url, **members) == (
            "InvalidParameterValue",
            400,
            "Value send for parameter Label is invalid. Reason: Already exists.",
        )
    assert len(json.loads(queue.attribute("Policy"))["Statement"]) == 1


def test_unknown_label_cannot_be_removed(either_wire: Wire, queue: Queue) -> None:
    without = refusal(either_wire, "RemovePermission", QueueUrl=queue.url, Label="none")
    allow(either_wire, queue)
    existing = refusal(either_wire, "RemovePermission", QueueUrl=queue.url, Label="none")

    prefix = "Value none for parameter Label is invalid. Reason: can't find label"
    assert without == ("InvalidParameterValue", 400, f"{prefix}.")
    assert existing == ("InvalidParameterValue", 400, f"{prefix} on existing policy.")


def test_policy_takes_twenty_statements(wire: Wire, queue: Queue) -> None:
    for number in range(20):
        allow(wire, queue, f"s{number}")

    members = {"Label": "s20", "AWSAccountIds": [OTHER], "Actions": ["SendMessage"]}
    assert refusal(wire, "AddPermission", QueueUrl=queue.url, **members) == (
        "OverLimit",
        403,
        "21 Statements were found, maximum allowed is 20.",
    )


def test_tags_are_set_overwritten_listed_and_removed(either_wire: Wire, queue: Queue) -> None:
    either_wire.call("TagQueue", QueueUrl=queue.url, Tags={"Team": "a", "team": "b", "empty": ""})
    either_wire.call("TagQueue", QueueUrl=queue.url, Tags={"Team": "c"})
    set_tags = either_wire.call("ListQueueTags", QueueUrl=queue.url)
    either_wire.call("UntagQueue", QueueUrl=queue.url, TagKeys=["team", "unknown"])
    left = either_wire.call("ListQueueTags", QueueUrl=queue.url)

    assert set_tags == {"Tags": {"Team": "c", "team": "b", "empty": ""}}
    assert left == {"Tags": {"Team": "c", "empty": ""}}


def test_queue_without_tags_has_no_tags_member(either_wire: Wire, queue: Queue) -> None:
    assert either_wire.call("ListQueueTags", QueueUrl=queue.url) == {}


def test_queue_may_be_created_with_tags(either_wire: Wire) -> None:
    url = either_wire.call("CreateQueue", QueueName="tagged", tags={"a": "1", "ü _.:/=+-@": "ß"})["QueueUrl"]

    assert either_wire.call("ListQueueTags", QueueUrl=url) == {"Tags": {"a": "1", "ü _.:/=+-@": "ß"}}


def test_queue_has_at_most_fifty_tags(wire: Wire, queue: Queue) -> None:
    wire.call("TagQueue", QueueUrl=queue.url, Tags={str(number): "x" for number in range(50)})
    wire.call("TagQueue", QueueUrl=queue.url, Tags={"0": "changed"})

    assert refusal(wire, "TagQueue", QueueUrl=queue.url, Tags={"1": "changed", "50": "new"}) == (
        "InvalidParameterValue",
        400,
        f"Too many tags added for queue {queue.name}.",
    )
    tags = wire.call("ListQueueTags", QueueUrl=queue.url)["Tags"]
    assert (len(tags), tags["0"], tags["1"]) == (50, "changed", "x")


def test_longest_key_and_value_are_accepted(wire: Wire, queue: Queue) -> None:
    tags = {"ü" * 128: "ß" * 256}

    wire.call("TagQueue", QueueUrl=queue.url, Tags=tags)

    assert wire.call("ListQueueTags", QueueUrl=queue.url)["Tags"] == tags
