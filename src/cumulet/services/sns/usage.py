"""How many topics and filter policies an account has in a region, and how many it may have.

The numbers are rows of their own, counted in the transactions that make and delete, so that no request counts anew.
The filter policies of a deleted topic count until its subscriptions are collected. SNS documents the quotas; its words
for what exceeds them are not known.
"""

from __future__ import annotations

from typing import NamedTuple

from cumulet.kernel.quotas import Quotas
from cumulet.services.sns.errors import (
    FilterPolicyLimitExceededException,
    SubscriptionLimitExceededException,
    TopicLimitExceededException,
)
from cumulet.services.sns.topics import Topic, TopicKey
from cumulet.store import Tx

STANDARD_TOPICS, FIFO_TOPICS, FILTER_POLICIES = "standard-topics", "fifo-topics", "filter-policies"
TOPIC_FILTER_POLICIES, FIFO_SUBSCRIPTIONS = "filter-policies-per-topic", "subscriptions-per-fifo-topic"
DEFAULTS = {
    STANDARD_TOPICS: 100_000,
    FIFO_TOPICS: 1_000,
    FILTER_POLICIES: 10_000,
    TOPIC_FILTER_POLICIES: 200,
    FIFO_SUBSCRIPTIONS: 100,
}
"""SNS: the quotas of an account in a region."""
FILTER_POLICY = "FilterPolicy"

SELECT_USED = "SELECT used FROM sns_usage WHERE account = ? AND region = ? AND what = ?"
ADD = """
INSERT INTO sns_usage (account, region, what, used) VALUES (?, ?, ?, ?)
ON CONFLICT (account, region, what) DO UPDATE SET used = sns_usage.used + excluded.used"""
SELECT_OF_TOPIC = "SELECT filter_policies FROM sns_topics WHERE id = ?"
ADD_TO_TOPIC = "UPDATE sns_topics SET filter_policies = filter_policies + ? WHERE id = ?"
COUNT_SUBSCRIPTIONS = "SELECT COUNT(*) FROM sns_subscriptions WHERE topic_id = ?"


class Limits(NamedTuple):
    """The quotas in force, by the names of `DEFAULTS`."""

    values: dict[str, int]

    @classmethod
    def of(cls, quotas: Quotas) -> Limits:
        """Return those that are configured, or SNS's."""
        return cls({name: quotas.limit(f"sns:{name}", default) for name, default in DEFAULTS.items()})

    def check_topic(self, tx: Tx, key: TopicKey, *, is_fifo: bool) -> None:
        """Raise TopicLimitExceededException where an account has all the topics of a kind that it may have."""
        what = _kind(is_fifo)
        if _used(tx, key, what) >= self.values[what]:
            raise TopicLimitExceededException(f"The account has its {self.values[what]} {what.replace('-', ' ')}")

    def check_subscription(self, tx: Tx, topic: Topic) -> None:
        """Raise SubscriptionLimitExceededException where a FIFO topic has all the subscriptions that it may have."""
        most = self.values[FIFO_SUBSCRIPTIONS]
        if topic.is_fifo and _number(tx.one(COUNT_SUBSCRIPTIONS, topic.id)) >= most:
            raise SubscriptionLimitExceededException(f"The FIFO topic has its {most} subscriptions")

    def check_filter_policy(self, tx: Tx, topic: Topic) -> None:
        """Raise FilterPolicyLimitExceededException where a topic or its account has all that it may have."""
        most = self.values[TOPIC_FILTER_POLICIES]
        if _number(tx.one(SELECT_OF_TOPIC, topic.id)) >= most:
            raise FilterPolicyLimitExceededException(f"The topic has its {most} filter policies")
        most = self.values[FILTER_POLICIES]
        if _used(tx, topic.key, FILTER_POLICIES) >= most:
            raise FilterPolicyLimitExceededException(f"The account has its {most} filter policies")


def count_topic(tx: Tx, key: TopicKey, change: int, *, is_fifo: bool) -> None:
    """Count a topic that was made or deleted."""
    tx.run(ADD, key.account, key.region, _kind(is_fifo), change)


def count_filter_policy(tx: Tx, key: TopicKey, topic_id: int, change: int) -> None:
    """Count a filter policy that a subscription to a topic has got or lost."""
    tx.run(ADD_TO_TOPIC, change, topic_id)
    tx.run(ADD, key.account, key.region, FILTER_POLICIES, change)


def _kind(is_fifo: bool) -> str:
    return FIFO_TOPICS if is_fifo else STANDARD_TOPICS


def _used(tx: Tx, key: TopicKey, what: str) -> int:
    return _number(tx.one(SELECT_USED, key.account, key.region, what))


def _number(row: tuple[int, ...] | None) -> int:
    return row[0] if row else 0
