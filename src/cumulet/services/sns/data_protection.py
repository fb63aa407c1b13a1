"""A topic's data protection policy as a whole, and the way to what carries it out.

The engine behind it is imported when the first policy needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from cumulet.delivery import Undeliverable
from cumulet.kernel.errors import AwsError
from cumulet.services.sns.errors import invalid
from cumulet.services.sns.topics import Topic

if TYPE_CHECKING:
    from cumulet.services.sns.guards import Guard


class Denied(Undeliverable):
    """A data protection policy keeps a message away from a topic or from a subscription."""


def refused(why: str) -> AwsError:
    """Return the error for a policy that SNS doesn't take."""
    return invalid(f"DataProtectionPolicy Reason: {why}")


def checked(text: str, *, is_fifo: bool) -> str:
    """Return a policy as a topic keeps it, empty for none; raises InvalidParameterException."""
    if "".join(text.split()) in ("", "{}"):
        return ""
    if is_fifo:
        raise refused("Data protection functionality is not supported on FIFO topics")
    from cumulet.services.sns import guards

    guards.compiled(text)
    return text


def differ(topic: Topic, given: str) -> bool:
    """Return whether CreateTopic gives a checked policy that is another than the topic's."""
    if not given:
        return False
    return not topic.data_protection or bool(orjson.loads(topic.data_protection) != orjson.loads(given))


def guard_of(topic: Topic) -> Guard | None:
    """Return what carries out a topic's data protection policy, None where it has none."""
    if not topic.data_protection:
        return None
    from cumulet.services.sns import guards

    return guards.compiled(topic.data_protection)
