"""MaximumMessageSize: how large the messages of a topic may be, and who may then subscribe to it.

SNS: 1 KiB to 1 MiB, 256 KiB unless it is set. A topic that takes more than 256 KiB has at most 100 subscriptions, of
queues, functions and delivery streams alone.
"""

from __future__ import annotations

import re

from cumulet.services.sns import subscriptions
from cumulet.services.sns.errors import invalid
from cumulet.services.sns.topics import Topic
from cumulet.store import Tx

USUAL_BYTES = 262_144
LEAST_BYTES = 1_024
MOST_BYTES = 1_048_576
MOST_SUBSCRIPTIONS = 100
PROTOCOLS = frozenset({"firehose", "lambda", "sqs"})
NAME = "MaximumMessageSize"
_DIGITS = re.compile(r"[0-9]{1,9}")


def most_bytes(topic: Topic) -> int:
    """Return how large a message and its attributes may be, or a batch."""
    return int(topic.attributes.get(NAME, USUAL_BYTES))


def checked(value: str) -> str:
    """Return the value of the attribute; raises InvalidParameterException."""
    if not _DIGITS.fullmatch(value) or not LEAST_BYTES <= int(value) <= MOST_BYTES:
        raise invalid(f"{NAME} Reason: must be an integer between {LEAST_BYTES} and {MOST_BYTES}")
    return str(int(value))


def check_topic(tx: Tx, topic: Topic) -> None:
    """Raise InvalidParameterException for large messages to a topic that has others subscribed, or too many."""
    if most_bytes(topic) <= USUAL_BYTES:
        return
    found = subscriptions.of_topic(tx, topic.id, 0, MOST_SUBSCRIPTIONS + 1)
    if len(found) > MOST_SUBSCRIPTIONS:
        raise _too_many()
    for subscription in found:
        _check_protocol(subscription.protocol)


def check_subscriber(tx: Tx, topic: Topic, protocol: str) -> None:
    """Raise InvalidParameterException for one subscription more, to a topic with large messages."""
    if most_bytes(topic) <= USUAL_BYTES:
        return
    _check_protocol(protocol)
    if len(subscriptions.of_topic(tx, topic.id, 0, MOST_SUBSCRIPTIONS)) == MOST_SUBSCRIPTIONS:
        raise _too_many()


def _check_protocol(protocol: str) -> None:
    if protocol not in PROTOCOLS:
        raise invalid(f"{NAME} Reason: above {USUAL_BYTES} bytes there can be no subscription of protocol {protocol}")


def _too_many() -> Exception:
    return invalid(f"{NAME} Reason: above {USUAL_BYTES} bytes there can be {MOST_SUBSCRIPTIONS} subscriptions")
