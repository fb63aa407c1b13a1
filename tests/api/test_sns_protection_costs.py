"""Data protection policies that are made to cost: nothing else stands still, and nothing passes unseen."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sns_protection import MASK, policy, statement
from sns_topics import Topic

from cumulet.kernel.clock import MACHINE
from cumulet.testing import Cumulet

DENSE = [{"Name": f"Dense{number}", "Regex": f"[a-z][a-z{number}]?"} for number in range(3)]


@pytest.mark.parametrize("direction", ["Inbound", "Outbound"])
def test_others_are_served_while_a_large_message_is_looked_at(cumulet: Cumulet, direction: str) -> None:
    topic, other = Topic(cumulet), cumulet.client("sns")
    listener = topic.raw_listener()
    masking = statement(MASK, direction, DataIdentifier=[one["Name"] for one in DENSE])
    document = policy(masking, Configuration={"CustomDataIdentifier": DENSE})
    topic.sns.put_data_protection_policy(ResourceArn=topic.arn, DataProtectionPolicy=document)
    text = "ab" * 40_000

    with ThreadPoolExecutor() as pool:
        publishing = pool.submit(topic.sns.publish, TopicArn=topic.arn, Message=text)
        began, waits = MACHINE.monotonic(), []
        while not publishing.done():
            asked = MACHINE.monotonic()
            other.list_topics()
            waits.append(MACHINE.monotonic() - asked)
        seconds = MACHINE.monotonic() - began

    publishing.result()
    assert listener.bodies() == ["#" * len(text)]
    assert len(waits) > 5
    assert max(waits) < seconds / 2


def test_small_messages_with_costly_expressions_are_masked_too(cumulet: Cumulet) -> None:
    topic = Topic(cumulet)
    listener = topic.raw_listener()
    costly: list[dict[str, Any]] = [
        {"Name": f"Costly{number}", "Regex": f"[ab]*a[ab]{{300}}[^ab]|[ab]|{number}"} for number in range(2)
    ]
    masking = statement(MASK, DataIdentifier=[one["Name"] for one in costly])
    document = policy(masking, Configuration={"CustomDataIdentifier": costly})
    topic.sns.put_data_protection_policy(ResourceArn=topic.arn, DataProtectionPolicy=document)
    text = "abba" * 300

    topic.publish(text)

    assert listener.bodies() == ["#" * len(text)]
