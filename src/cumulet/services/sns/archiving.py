"""What publishing to a FIFO topic with an archive adds: its messages are kept, and who replays them has to wait."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from cumulet.kernel.telemetry import Telemetry
from cumulet.services.sns import archives, message_attributes, replays
from cumulet.services.sns.archive_upkeep import ArchiveUpkeep
from cumulet.services.sns.archives import Archive
from cumulet.services.sns.deduplication import FIRST_SEQUENCE_NUMBER
from cumulet.services.sns.messages import Message
from cumulet.services.sns.metrics import metric
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic, TopicKey
from cumulet.store import Tx


class Intake(NamedTuple):
    """Where a transaction's messages are kept, and which subscriptions get none of them now."""

    key: TopicKey
    archive: Archive
    held_back: set[int]


class Archiving:
    """The archives of all topics, as publishes see them."""

    def __init__(self, upkeep: ArchiveUpkeep, telemetry: Telemetry) -> None:
        self._upkeep = upkeep
        self._telemetry = telemetry

    def begin(self, tx: Tx, topic: Topic, known: Collection[int]) -> Intake | None:
        """Look up a topic's archive, None where it was closed; raises StaleAudience. Nothing is written.

        `known` are the subscriptions that the publisher knows.
        """
        archive = archives.of_topic(tx, topic.id)
        if archive is None:
            return None
        return Intake(topic.key, archive, replays.held_back(tx, topic.id, known))

    def keep(
        self, tx: Tx, intake: Intake, message: Message, recipients: Sequence[Subscription]
    ) -> Sequence[Subscription]:
        """Write a message that has its sequence number, and return who gets it now."""
        archive = intake.archive
        assert message.sequence_number is not None
        archives.insert(tx, archive, int(message.sequence_number) - FIRST_SEQUENCE_NUMBER, message)
        tx.after_commit(self._kept, intake, message)
        if not intake.held_back:
            return recipients
        return [subscription for subscription in recipients if subscription.id not in intake.held_back]

    def _kept(self, intake: Intake, message: Message) -> None:
        size_bytes = len(message.body.encode()) + message_attributes.size_bytes(message.attributes)
        self._telemetry.record(metric(intake.key, "NumberOfMessagesArchiveProcessing"))
        self._telemetry.record(metric(intake.key, "NumberOfBytesArchiveProcessing"), size_bytes)
        self._upkeep.watch(intake.archive.id, message.published_ms + intake.archive.retention_ms)
