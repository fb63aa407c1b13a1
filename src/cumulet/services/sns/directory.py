"""The topics by name, in memory: what every request looks up first."""

from __future__ import annotations

from cumulet.services.sns import topics
from cumulet.services.sns.topics import Topic, TopicKey
from cumulet.store import Store


class Directory:
    """A cache of the topics on disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._topics: dict[TopicKey, Topic] = {}

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
