"""Amazon SNS: topics and who subscribes to them."""

from __future__ import annotations

from collections.abc import Mapping

from cumulet.services.service import Download
from cumulet.services.sns import links, usage
from cumulet.services.sns.base import SnsBase
from cumulet.services.sns.opened_links import OpenedLinks
from cumulet.services.sns.protection_operations import ProtectionOperations
from cumulet.services.sns.publish_operations import PublishOperations
from cumulet.services.sns.push_operations import PushOperations
from cumulet.services.sns.sms_operations import SmsOperations
from cumulet.services.sns.topic_operations import TopicOperations


class Sns(
    PublishOperations,
    ProtectionOperations,
    SmsOperations,
    PushOperations,
    TopicOperations,
    OpenedLinks,
    SnsBase,
    name="sns",
):
    """The service."""

    limits = frozenset(usage.DEFAULTS)

    def folders(self) -> Mapping[bytes, Download]:
        """Let subscribers have the certificate of signatures, and open the addresses that messages hold."""
        return {links.CERTIFICATES.encode(): self.sender.signing.answer, links.FOLDER.encode(): self.open_link}
