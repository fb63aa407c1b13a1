"""Those who publish: one for each message group, which sends its own messages in their order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any

from examples.workers import BATCH, Ledger, all_at_once


def publish_by_group(sns: Any, topic: str, groups: Mapping[str, Sequence[str]], ledger: Ledger) -> Future[None]:
    """Begin to publish each group's messages to a FIFO topic, and note what was acknowledged.

    What a broken connection makes a client publish twice has the same deduplication id, so the topic takes it once.
    """
    return all_at_once([partial(_publish, sns, topic, group, bodies, ledger) for group, bodies in groups.items()])


def _publish(sns: Any, topic: str, group: str, bodies: Sequence[str], ledger: Ledger) -> None:
    for start in range(0, len(bodies), BATCH):
        entries = [
            {"Id": str(n), "Message": body, "MessageGroupId": group, "MessageDeduplicationId": body.replace(" ", "-")}
            for n, body in enumerate(bodies[start : start + BATCH])
        ]
        answer = sns.publish_batch(TopicArn=topic, PublishBatchRequestEntries=entries)
        ledger.was_sent([entries[int(entry["Id"])]["Message"] for entry in answer["Successful"]])
