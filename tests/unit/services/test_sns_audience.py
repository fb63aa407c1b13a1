"""The audience of a topic finds those whose filter policies match, and the index changes nothing about who that is."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from cumulet.services.sns import filter_policies
from cumulet.services.sns.audience import Audience
from cumulet.services.sns.messages import MessageAttribute
from cumulet.services.sns.subscriptions import Subscription

COLORS = ("red", "blue", "10.0.0.1", "::0:1", "::1")
NAMES = ("color", "size", "a.b")


def subscription(number: int, policy: dict[str, Any] | None, *, scope: str = "MessageAttributes") -> Subscription:
    attributes = {"FilterPolicy": json.dumps(policy), "FilterPolicyScope": scope} if policy else {}
    return Subscription(
        id=number,
        topic_id=1,
        topic_arn="arn:aws:sns:us-east-1:000000000000:topic",
        uuid=f"{number}",
        region="us-east-1",
        owner="000000000000",
        principal="arn:aws:iam::000000000000:root",
        protocol="sqs",
        endpoint=f"arn:aws:sqs:us-east-1:000000000000:queue-{number}",
        attributes=attributes,
        token="",
        is_confirmed=True,
        is_authenticated=True,
        created_ms=0,
    )


strings = st.sampled_from(COLORS)
conditions = st.one_of(
    st.lists(strings, min_size=1, max_size=3),
    st.just([{"prefix": "r"}]),
    st.just([{"anything-but": ["red"]}]),
    st.just([{"exists": False}]),
    st.just(["red", {"exists": True}]),
)
policies = st.dictionaries(st.sampled_from(NAMES), conditions, min_size=1, max_size=3)
alternatives = st.lists(policies, min_size=2, max_size=2).map(lambda some: {"$or": some})
attributes = st.dictionaries(
    st.sampled_from(NAMES),
    st.one_of(
        strings.map(lambda color: MessageAttribute("String", color)),
        st.lists(strings, max_size=3).map(lambda some: MessageAttribute("String.Array", json.dumps(some))),
        st.just(MessageAttribute("Binary", b"red")),
    ),
)
values = st.one_of(strings, st.lists(strings, max_size=3), st.lists(st.lists(strings, max_size=2), max_size=2))
bodies = st.one_of(
    st.dictionaries(st.sampled_from(NAMES), values).map(json.dumps),
    st.dictionaries(strings, strings).map(lambda some: json.dumps({"a": {"b": some}})),
    st.sampled_from(["red", "[]", '"red"', ""]),
)


@given(st.lists(st.one_of(policies, alternatives, st.none()), max_size=8), st.booleans(), attributes, bodies)
def test_the_index_finds_who_matches_and_nobody_else(
    asked: list[dict[str, Any] | None], is_of_body: bool, given_attributes: dict[str, MessageAttribute], body: str
) -> None:
    scope = "MessageBody" if is_of_body else "MessageAttributes"
    everyone = [subscription(number, policy, scope=scope) for number, policy in enumerate(asked, 1)]
    expected = []
    for one in everyone:
        policy = filter_policies.of(one)
        if policy is None or policy.matches(given_attributes, body):
            expected.append(one)

    found, out = Audience(everyone).matching(given_attributes, body)

    assert list(found) == expected
    assert (out.by_body if is_of_body else out.by_attributes) == len(everyone) - len(expected)


def test_who_is_not_confirmed_gets_nothing() -> None:
    pending = msgspec.structs.replace(subscription(1, None), is_confirmed=False)

    found, _ = Audience([pending]).matching({}, "text")

    assert list(found) == []


def test_both_scopes_are_looked_at_and_the_order_is_that_of_the_ids() -> None:
    audience = Audience(
        [
            subscription(1, {"color": ["red"]}, scope="MessageBody"),
            subscription(2, {"color": ["red"]}),
            subscription(3, None),
            subscription(4, {"color": ["blue"]}),
        ]
    )

    found, out = audience.matching({"color": MessageAttribute("String", "red")}, '{"color": "red"}')

    assert [one.id for one in found] == [1, 2, 3]
    assert (out.by_attributes, out.by_body) == (1, 0)
