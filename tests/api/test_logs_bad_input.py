"""CloudWatch Logs: every operation refuses bad input with AWS's code and text, and nothing has changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from logs_groups import Group, LogsWire, Refused
from logs_refusals import CASES, EXISTS, IDS, IP, MUTATING, NOT_FOUND

from cumulet.testing import Cumulet

SERIALIZATION = "com.amazon.coral.service#SerializationException"


@dataclass(frozen=True)
class World:
    """A group with streams and events, one that is protected, one with all the tags it may have."""

    group: Group
    values: dict[str, Any]

    def fill(self, value: Any) -> Any:
        """Return members or a text with the world's values put in; `{{` stands for a brace."""
        if isinstance(value, dict):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        if isinstance(value, str):
            return self.values["now"] if value == "{now}" else value.format_map(self.values) if "{" in value else value
        return value

    def state(self) -> Any:
        """Return all that a client can see of it without changing it."""
        logs = self.group.logs
        return (
            logs.describe_log_groups()["logGroups"],
            logs.describe_log_streams(logGroupName="/g")["logStreams"],
            logs.list_tags_for_resource(resourceArn=self.values["arn"])["tags"],
            self.group.filter()["events"],
        )


@pytest.fixture
def world(cumulet: Cumulet) -> World:
    group = Group(cumulet, "/g").create(tags={"env": "test"})
    group.stream("s", "t")
    group.put("s", "one", "two")
    Group(cumulet, "/protected").create(deletionProtectionEnabled=True)
    full = Group(cumulet, "/full").create(tags={f"k{number}": "v" for number in range(50)})
    values = {
        "account": cumulet.account,
        "now": cumulet.now_ms(),
        "arn": group.arn,
        "full_arn": full.arn,
        "foreign_arn": "arn:aws:logs:us-east-1:999988887777:log-group:/g",
        "other_region_arn": f"arn:aws:logs:eu-west-1:{cumulet.account}:log-group:/g",
        "stream_token": group.logs.describe_log_streams(logGroupName="/g", limit=1)["nextToken"],
        "filter_token": group.filter(limit=1)["nextToken"],
    }
    return World(group, values)


@pytest.mark.parametrize(("operation", "members", "code", "message"), CASES, ids=IDS)
def test_bad_input_is_refused(
    logs_wire: LogsWire, world: World, operation: str, members: dict[str, Any], code: str, message: str
) -> None:
    given = world.fill(members)
    before = world.state()

    for _ in range(2):
        with pytest.raises(Refused) as refused:
            logs_wire.call(operation, given)
        assert (refused.value.code, refused.value.status) == (code, 400)
        assert refused.value.message == world.fill(message)

    assert world.state() == before


@pytest.mark.parametrize(("operation", "members", "second"), MUTATING)
def test_operation_works_after_a_failure_and_answers_a_repetition(
    logs_wire: LogsWire, world: World, operation: str, members: dict[str, Any], second: str | None
) -> None:
    given = world.fill(members)
    with pytest.raises(Refused) as refused:
        logs_wire.call(operation, {})
    assert refused.value.code == IP

    logs_wire.call(operation, given)
    answers = []
    for _ in range(2):
        try:
            logs_wire.call(operation, given)
            answers.append(None)
        except Refused as found:
            answers.append(found.code)

    assert answers == [second, second]
    assert second in (None, EXISTS, NOT_FOUND)


@pytest.mark.parametrize(
    ("operation", "members"),
    [
        ("CreateLogGroup", {"logGroupName": 1}),
        ("CreateLogGroup", {"logGroupName": "n", "tags": ["a"]}),
        ("CreateLogGroup", {"logGroupName": "n", "tags": {"a": 1}}),
        ("CreateLogGroup", {"logGroupName": "n", "deletionProtectionEnabled": "yes"}),
        ("PutRetentionPolicy", {"logGroupName": "/g", "retentionInDays": "1"}),
        ("PutRetentionPolicy", {"logGroupName": "/g", "retentionInDays": 1.5}),
        ("PutRetentionPolicy", {"logGroupName": "/g", "retentionInDays": 2**31}),
        ("PutLogEvents", {"logGroupName": "/g", "logStreamName": "s", "logEvents": {}}),
        ("PutLogEvents", {"logGroupName": "/g", "logStreamName": "s", "logEvents": ["x"]}),
        (
            "PutLogEvents",
            {"logGroupName": "/g", "logStreamName": "s", "logEvents": [{"timestamp": "0", "message": "x"}]},
        ),
        ("PutLogEvents", {"logGroupName": "/g", "logStreamName": "s", "logEvents": [{"timestamp": 0, "message": 1}]}),
        (
            "PutLogEvents",
            {"logGroupName": "/g", "logStreamName": "s", "logEvents": [{"timestamp": 2**63, "message": "x"}]},
        ),
        ("GetLogEvents", {"logGroupName": "/g", "logStreamName": ["s"]}),
        ("GetLogEvents", {"logGroupName": "/g", "logStreamName": "s", "limit": "1"}),
        ("FilterLogEvents", {"logGroupName": "/g", "startTime": "yesterday"}),
        ("FilterLogEvents", {"logGroupName": "/g", "logStreamNames": "s"}),
        ("FilterLogEvents", {"logGroupName": "/g", "filterPattern": {}}),
        ("DescribeLogStreams", {"logGroupName": "/g", "descending": "no"}),
    ],
)
def test_value_of_another_type(logs_wire: LogsWire, world: World, operation: str, members: dict[str, Any]) -> None:
    before = world.state()

    status, body = logs_wire.send(operation, orjson.dumps(members))

    assert (status, orjson.loads(body)["__type"]) == (400, SERIALIZATION)
    assert world.state() == before


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b'"x"', b"\xff", b'{"logGroupName": "\\ud800"}'])
@pytest.mark.parametrize("operation", sorted({operation for operation, *_ in CASES}))
def test_body_that_is_no_object(logs_wire: LogsWire, operation: str, body: bytes) -> None:
    status, answer = logs_wire.send(operation, body)

    assert (status, orjson.loads(answer)["__type"]) == (400, SERIALIZATION)


def test_half_a_character_in_a_message_is_refused(logs_wire: LogsWire, world: World) -> None:
    before = world.state()
    body = b'{"logGroupName":"/g","logStreamName":"s","logEvents":[{"timestamp":%d,"message":"\\ud800"}]}'

    status, answer = logs_wire.send("PutLogEvents", body % world.values["now"])

    assert (status, orjson.loads(answer)["__type"]) == (400, SERIALIZATION)
    assert world.state() == before


@pytest.mark.parametrize("operation", ["PutMetricFilter", "PutSubscriptionFilter", "StartLiveTail", "StartQuery"])
def test_operation_that_is_missing_is_answered_loudly(logs_wire: LogsWire, operation: str) -> None:
    status, body = logs_wire.send(operation, b"{}")

    assert status == 501
    assert operation in orjson.loads(body)["message"]
