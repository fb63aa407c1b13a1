"""The topics by name and who gets their messages, in memory: what every request looks up first."""

from __future__ import annotations

from cumulet.services.sns import subscriptions, topics
from cumulet.services.sns.audience import Audience
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic, TopicKey
from cumulet.store import Store

PAGE = 1000
"""So many subscriptions are read at once."""
MOST_AUDIENCES = 10_000
"""So many are kept; then the oldest goes."""


class Directory:
    """A cache of the topics on disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._topics: dict[TopicKey, Topic] = {}
        self._audiences: dict[int, Audience] = {}
        self._loads: dict[int, object] = {}
        """By topic: what stands for the loads that began after its subscriptions changed last."""

    async def find(self, key: TopicKey) -> Topic | None:
        """Return the topic of that name, or None."""
        topic = self._topics.get(key)
        if topic is None:
            topic = await self._store.read(topics.find, key)
            if topic is not None:
                self.keep(topic)
        return topic

    def keep(self, topic: Topic) -> None:
        """Know a topic that was created or changed; to be called after the commit."""
        self._topics[topic.key] = topic

    def forget(self, topic: Topic) -> None:
        """Know a topic no more; to be called after the commit."""
        self._topics.pop(topic.key, None)
        self.changed(topic.id)

    async def audience(self, topic_id: int) -> Audience:
        """Return who gets a topic's messages: all changes are in it that were on disk when this was called."""
        audience = self._audiences.get(topic_id)
        if audience is not None:
            return audience
        load = self._loads.setdefault(topic_id, object())
        found: list[Subscription] = []
        while True:
            after = found[-1].id if found else 0
            page = await self._store.read(subscriptions.of_topic, topic_id, after, PAGE)
            found += page
            if len(page) < PAGE:
                break
        audience = Audience(found)
        if self._loads.get(topic_id) is load:
            del self._loads[topic_id]
            self._audiences[topic_id] = audience
            if len(self._audiences) > MOST_AUDIENCES:
                del self._audiences[next(iter(self._audiences))]
        return audience

    def changed(self, topic_id: int) -> None:
        """Know that a topic's subscriptions are others now; to be called after the commit."""
        self._audiences.pop(topic_id, None)
        self._loads.pop(topic_id, None)
