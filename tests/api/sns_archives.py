"""Archived topics, and replays of what is in their archives, as tests speak of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

from sns_topics import Listener, Topic, fifo_topic

from cumulet.testing import Cumulet

DAY_MS = 86_400_000


def archive_policy(days: object = "30") -> str:
    return json.dumps({"MessageRetentionPeriod": days})


def moment(now_ms: int) -> str:
    """Return a time as replay policies have it."""
    return f"{datetime.fromtimestamp(now_ms // 1000, UTC):%Y-%m-%dT%H:%M:%S}.{now_ms % 1000:03}Z"


def replay_policy(starts_ms: int, ends_ms: int | None = None) -> str:
    policy = {"PointType": "Timestamp", "StartingPoint": moment(starts_ms)}
    return json.dumps(policy if ends_ms is None else policy | {"EndingPoint": moment(ends_ms)})


class ArchivedTopic:
    """A FIFO topic that keeps its messages, and the time as it was when each came."""

    def __init__(self, cumulet: Cumulet, days: int = 30) -> None:
        self.cumulet = cumulet
        self.topic: Topic = fifo_topic(cumulet, ArchivePolicy=archive_policy(str(days)))
        self.began_ms = cumulet.now_ms()
        self._published = 0

    def reconnect(self, listener: Listener) -> None:
        """Go on with a server that was started again."""
        self.topic.sns, listener.queue.sqs = self.cumulet.client("sns"), self.cumulet.client("sqs")

    def publish(self, *texts: str, group: str = "g") -> int:
        """Publish messages, one a second, and return when the first was."""
        first_ms = self.cumulet.now_ms()
        for text in texts:
            self._published += 1
            self.topic.publish(text, MessageGroupId=group, MessageDeduplicationId=f"{self._published}")
            self.cumulet.advance(seconds=1)
        return first_ms

    def publish_many(self, count: int, groups: Iterable[str] = ("g",)) -> list[str]:
        """Publish messages at once, in batches of ten, to the groups in turn; return their texts."""
        names = list(groups)
        texts = [f"{names[number % len(names)]}-{number}" for number in range(count)]
        for first in range(0, count, 10):
            self.topic.publish_batch(
                *(
                    {"Id": f"{n}", "Message": text, "MessageGroupId": text[0], "MessageDeduplicationId": text}
                    for n, text in enumerate(texts[first : first + 10])
                )
            )
        return texts

    def set_archive(self, policy: str) -> None:
        self.topic.sns.set_topic_attributes(
            TopicArn=self.topic.arn, AttributeName="ArchivePolicy", AttributeValue=policy
        )

    def replay(self, listener: Listener, starts_ms: int | None = None, ends_ms: int | None = None) -> None:
        """Replay messages to a listener, all of them unless it is said from when."""
        policy = replay_policy(self.began_ms if starts_ms is None else starts_ms, ends_ms)
        self.set_policy(listener, policy)
        self.come_to_rest()

    def late(self, starts_ms: int | None = None, **attributes: str) -> Listener:
        """Subscribe a new queue that is to get what was published before, and let it get that."""
        policy = replay_policy(self.began_ms if starts_ms is None else starts_ms)
        found = self.topic.raw_listener(ReplayPolicy=policy, **attributes)
        self.come_to_rest()
        return found

    def set_policy(self, listener: Listener, policy: str) -> None:
        self.topic.sns.set_subscription_attributes(
            SubscriptionArn=listener.arn, AttributeName="ReplayPolicy", AttributeValue=policy
        )

    def attributes(self, listener: Listener) -> dict[str, str]:
        found: dict[str, str] = self.topic.sns.get_subscription_attributes(SubscriptionArn=listener.arn)["Attributes"]
        return found

    def status(self, listener: Listener) -> str | None:
        """Return how a listener's replay stands when there is nothing left to do."""
        self.come_to_rest()
        return self.attributes(listener).get("ReplayStatus")

    def come_to_rest(self) -> None:
        """Return when the replays that are under way are over."""
        self.cumulet.advance(milliseconds=0)


def emptied(listener: Listener) -> list[str]:
    """Receive and delete all that a listener's queue holds; return the bodies."""
    bodies: list[str] = []
    while messages := listener.receive():
        entries = [{"Id": f"{n}", "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
        listener.queue.sqs.delete_message_batch(QueueUrl=listener.queue.url, Entries=entries)
        bodies += [message["Body"] for message in messages]
    return bodies
