"""The rules for messages that a function processes, and for what administrators see, find what they are there for.

Each test makes one sound story, or one that is not.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from administered import Resource
from clients import Recorder
from documents import permissions, trust
from function_resource import FunctionResource, code, digest
from group_resource import GroupResource
from history import History, Outcome
from mapping_resource import MappingResource
from policy_resource import PolicyResource
from processing import Limits, Processing, Story, flaws
from role_resource import RoleResource

LIMITS = Limits(most_in_flight=2, max_receive_count=3, visibility_ms=None)


def story_of(*processings: Processing, sent: str = "", buried: str = "", ends: tuple[float, ...] = ()) -> Story:
    """Return a story in which everything that is processed was sent, printed, and acknowledged."""
    story = Story(processings=list(processings), ends=list(ends))
    story.acknowledged = sent.split() or list(dict.fromkeys(one.body for one in processings))
    story.attempted = set(story.acknowledged)
    story.groups["g"] = story.acknowledged
    story.buried = [(body, LIMITS.max_receive_count + 1) for body in buried.split()]
    story.lines = {(one.environment, f"given {one.body}") for one in processings}
    return story


def processed(body: str, began: float, count: int = 1, *, has_failed: bool = False, place: int = 0) -> Processing:
    """Return a message in an invocation that takes half a second."""
    return Processing(body, count, has_failed, "env", began, began + 0.5, place)


def test_sound_story_has_no_flaws() -> None:
    failures = [processed("poison-1", 3.0 + count, count, has_failed=True) for count in (1, 2, 3)]
    first, again = processed("a", 1.0), processed("a", 2.0, 2)

    story = story_of(first, again, processed("b", 2.0, place=1), *failures, buried="poison-1", ends=(1.6,))

    assert flaws(story, LIMITS) == []
    assert story.repeated() == {0: 1}


def nobody_sent_it() -> Story:
    return story_of(processed("a", 1.0), sent="b", buried="b")


def never_processed() -> Story:
    return story_of(processed("a", 1.0), sent="a b")


def failed_and_gone() -> Story:
    story = story_of(processed("a", 1.0), processed("b", 2.0, has_failed=True))
    story.acknowledged.remove("b")
    return story


def poison_not_buried() -> Story:
    return story_of(processed("poison-1", 1.0))


def buried_twice() -> Story:
    return story_of(processed("a", 1.0), buried="a a")


def buried_too_early() -> Story:
    story = story_of(processed("poison-1", 1.0, has_failed=True))
    story.buried = [("poison-1", LIMITS.max_receive_count)]
    return story


def received_too_often() -> Story:
    return story_of(processed("a", 1.0, LIMITS.max_receive_count + 1))


def came_back_without_a_kill() -> Story:
    return story_of(processed("a", 1.0), processed("a", 2.0, 2), ends=(3.0,))


def more_came_back_than_were_in_flight() -> Story:
    bodies = ("a", "b", "c")
    before = [processed(body, 1.0, place=place) for place, body in enumerate(bodies)]
    after = [processed(body, 3.0, 2, place=place) for place, body in enumerate(bodies)]
    return story_of(*before, *after, ends=(2.0,))


def order_of_group_broken() -> Story:
    return story_of(processed("b", 1.0), processed("a", 2.0), sent="a b")


def order_in_batch_broken() -> Story:
    return story_of(processed("b", 1.0, place=0), processed("a", 1.0, place=1), sent="a b")


def group_with_two_invocations() -> Story:
    later = dataclasses.replace(processed("b", 1.2), environment="other")
    return story_of(processed("a", 1.0), later)


def lines_lost() -> Story:
    story = story_of(processed("a", 1.0))
    story.lines.clear()
    return story


@pytest.mark.parametrize(
    "tell",
    [
        nobody_sent_it,
        never_processed,
        failed_and_gone,
        poison_not_buried,
        buried_twice,
        buried_too_early,
        received_too_often,
        came_back_without_a_kill,
        more_came_back_than_were_in_flight,
        order_of_group_broken,
        order_in_batch_broken,
        group_with_two_invocations,
        lines_lost,
    ],
)
def test_flaw_of_processing_is_found(tell: Callable[[], Story]) -> None:
    assert len(flaws(tell(), LIMITS)) == 1


def test_with_a_real_clock_only_what_was_done_in_time_stays_deleted() -> None:
    limits = dataclasses.replace(LIMITS, visibility_ms=4000)
    late = dataclasses.replace(processed("a", 1.0), held_ms=3500)
    in_time = dataclasses.replace(processed("b", 1.0, place=1), held_ms=500)

    found = flaws(story_of(late, in_time, processed("a", 6.0, 2), processed("b", 6.0, 2, place=1)), limits)

    assert len(found) == 1
    assert found[0].startswith("b was processed")


Asked = tuple[str, dict[str, Any], dict[str, Any] | str | None]
"""Kind, request, and the answer, the error's name, or None for no answer."""

CREATE = {
    "Code": {"ZipFile": code(1)},
    "Description": "d",
    "MemorySize": 128,
    "Environment": {"Variables": {"COLOUR": "red"}},
    "Tags": {"team": "a"},
}
CONFIGURATION = {
    "FunctionName": "thing",
    "CodeSha256": digest(1),
    "Description": "d",
    "MemorySize": 128,
    "Environment": {"Variables": {"COLOUR": "red"}},
}
FUNCTION: list[Asked] = [
    ("lambda:CreateFunction", CREATE, {}),
    ("lambda:GetFunction", {}, {"Configuration": CONFIGURATION, "Tags": {"team": "a"}}),
    ("lambda:ListFunctions", {}, {"Functions": [CONFIGURATION]}),
]
MAPPING: list[Asked] = [
    (
        "lambda:CreateEventSourceMapping",
        {"Enabled": True, "BatchSize": 3, "ScalingConfig": {}, "FunctionResponseTypes": []},
        {"UUID": "u"},
    ),
    ("lambda:GetEventSourceMapping", {"UUID": "u"}, {"UUID": "u", "State": "Enabled", "BatchSize": 3}),
]
ROLE: list[Asked] = [
    (
        "iam:CreateRole",
        {"AssumeRolePolicyDocument": trust("S1"), "Description": "d", "MaxSessionDuration": 3600, "Tags": []},
        {},
    ),
    ("iam:PutRolePolicy", {"PolicyName": "read", "PolicyDocument": permissions("S2")}, {}),
    ("iam:AttachRolePolicy", {"PolicyArn": "arn"}, {}),
    ("iam:ListRolePolicies", {}, {"PolicyNames": ["read"]}),
]
POLICY: list[Asked] = [
    ("iam:CreatePolicy", {"PolicyDocument": permissions("S1")}, {}),
    (
        "iam:CreatePolicyVersion",
        {"PolicyDocument": permissions("S2"), "SetAsDefault": True},
        {"PolicyVersion": {"VersionId": "v2"}},
    ),
    ("iam:GetPolicy", {}, {"Policy": {"DefaultVersionId": "v2"}}),
]
EVENTS = [{"message": "one"}, {"message": "two"}]
GROUP: list[Asked] = [
    ("logs:CreateLogGroup", {"tags": {"team": "a"}}, {}),
    ("logs:PutRetentionPolicy", {"retentionInDays": 30}, {}),
    ("logs:CreateLogStream", {"logStreamName": "s"}, {}),
    ("logs:PutLogEvents", {"logStreamName": "s", "logEvents": EVENTS}, {}),
    ("logs:GetLogEvents", {"logStreamName": "s"}, {"events": EVENTS}),
    ("logs:DescribeLogGroups", {}, {"logGroups": [{"logGroupName": "thing", "retentionInDays": 30}]}),
]


def flaws_of(kind: type[Resource[Any]], *asked: Asked) -> list[str]:
    """Return the flaws of a history of one thing."""
    history = History()
    for operation_kind, request, answer in asked:
        operation = history.begin(operation_kind, "thing", request, 0)
        if isinstance(answer, str):
            history.end(operation, Outcome.REFUSED, 0, answer={}, error=answer)
        else:
            outcome = Outcome.UNKNOWN if answer is None else Outcome.DONE
            history.end(operation, outcome, 0, answer=answer or {})
    recorder: Recorder = None  # type: ignore[assignment]  # nothing is asked
    return list(kind(recorder, "thing", random.Random(0)).flaws(history))


SOUND: list[tuple[type[Resource[Any]], list[Asked]]] = [
    (FunctionResource, FUNCTION),
    (MappingResource, MAPPING),
    (RoleResource, ROLE),
    (PolicyResource, POLICY),
    (GroupResource, GROUP),
]


@pytest.mark.parametrize(("kind", "asked"), SOUND, ids=lambda value: getattr(value, "__name__", ""))
def test_sound_history_of_a_thing_has_no_flaws(kind: type[Resource[Any]], asked: list[Asked]) -> None:
    assert flaws_of(kind, *asked) == []


@pytest.mark.parametrize(("kind", "asked"), SOUND, ids=lambda value: getattr(value, "__name__", ""))
def test_thing_that_is_lost_after_it_was_acknowledged_is_found_out(
    kind: type[Resource[Any]], asked: list[Asked]
) -> None:
    assert len(flaws_of(kind, asked[0], asked[0])) == 1
    assert len(flaws_of(kind, *asked[1:])) == 1


@pytest.mark.parametrize(
    ("kind", "asked"),
    [
        pytest.param(
            FunctionResource,
            [("lambda:Invoke", {}, {"Payload": orjson.dumps({"version": 2, "memory": 128, "colour": "red"})})],
            id="another version of the code answers",
        ),
        pytest.param(
            FunctionResource, [("lambda:GetFunction", {}, {"Configuration": CONFIGURATION})], id="tags are lost"
        ),
        pytest.param(
            FunctionResource, [("lambda:ListFunctions", {}, {"Functions": []})], id="a function is not listed"
        ),
        pytest.param(
            FunctionResource,
            [("lambda:PutFunctionConcurrency", {"ReservedConcurrentExecutions": 1}, {}), FUNCTION[1]],
            id="reserved concurrency is lost",
        ),
        pytest.param(
            FunctionResource,
            [("lambda:UpdateFunctionCode", {"ZipFile": code(2)}, {}), FUNCTION[1]],
            id="a change of code is lost",
        ),
        pytest.param(
            FunctionResource, [("lambda:DeleteFunction", {}, {}), FUNCTION[1]], id="a deleted function comes back"
        ),
        pytest.param(
            MappingResource,
            [("lambda:UpdateEventSourceMapping", {"UUID": "u", "BatchSize": 5}, {}), MAPPING[1]],
            id="a change of a mapping is lost",
        ),
        pytest.param(
            MappingResource,
            [("lambda:ListEventSourceMappings", {}, {"EventSourceMappings": []})],
            id="a mapping is not listed",
        ),
        pytest.param(RoleResource, [("iam:DeleteRolePolicy", {"PolicyName": "read"}, {}), ROLE[3]], id="inline policy"),
        pytest.param(
            RoleResource, [("iam:ListAttachedRolePolicies", {}, {"AttachedPolicies": []})], id="an attachment is lost"
        ),
        pytest.param(
            RoleResource, [("iam:DetachRolePolicy", {"PolicyArn": "arn"}, "NoSuchEntity")], id="refused for no reason"
        ),
        pytest.param(
            PolicyResource, [("iam:SetDefaultPolicyVersion", {"VersionId": "v1"}, {}), POLICY[2]], id="default version"
        ),
        pytest.param(
            PolicyResource,
            [("iam:GetPolicyVersion", {"VersionId": "v1"}, {"PolicyVersion": {"Document": permissions("S2")}})],
            id="another document",
        ),
        pytest.param(
            GroupResource, [("logs:GetLogEvents", {"logStreamName": "s"}, {"events": EVENTS[:1]})], id="events are lost"
        ),
        pytest.param(
            GroupResource, [("logs:FilterLogEvents", {}, {"events": EVENTS * 2})], id="events are there twice"
        ),
        pytest.param(GroupResource, [("logs:DeleteRetentionPolicy", {}, {}), GROUP[5]], id="retention comes back"),
        pytest.param(GroupResource, [("logs:ListTagsForResource", {}, {"tags": {}})], id="a group's tags are lost"),
        pytest.param(GroupResource, [("logs:DescribeLogStreams", {}, {"logStreams": []})], id="a stream is lost"),
    ],
)
def test_flaw_of_a_thing_is_found(kind: type[Resource[Any]], asked: list[Asked]) -> None:
    [sound] = [sound for other, sound in SOUND if other is kind]

    assert len(flaws_of(kind, *sound, *asked)) == 1


def test_operation_without_an_answer_may_have_happened_or_not() -> None:
    delete: Asked = ("lambda:DeleteFunction", {}, None)

    assert flaws_of(FunctionResource, *FUNCTION, delete, FUNCTION[1]) == []
    assert flaws_of(FunctionResource, *FUNCTION, delete, ("lambda:GetFunction", {}, "ResourceNotFoundException")) == []
    assert len(flaws_of(FunctionResource, *FUNCTION, delete, FUNCTION[1], FUNCTION[0])) == 1
