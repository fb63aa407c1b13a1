"""What the operations of SNS share."""

from __future__ import annotations

from cumulet.kernel.arns import parse_arn
from cumulet.kernel.call import Call
from cumulet.services.service import Platform, Service
from cumulet.services.sns.directory import Directory
from cumulet.services.sns.errors import AuthorizationErrorException, invalid, no_such_topic
from cumulet.services.sns.topics import Topic, TopicKey


class SnsBase(Service):
    """The topics."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.directory = Directory(platform.store)
        self.is_enforcing = platform.config.auth == "enforce"

    def key(self, call: Call, text: str) -> TopicKey:
        """Return which topic an ARN names, if the caller may use it. Raises InvalidParameterException."""
        parts = text.split(":")
        if len(parts) < 6:
            raise invalid(f"TopicArn Reason: An ARN must have at least 6 elements, not {len(parts)}")
        arn = parse_arn(text)
        if arn is None or arn.service != "sns" or not arn.resource or ":" in arn.resource:
            raise invalid("TopicArn")
        if arn.region != call.region:
            raise invalid("TopicArn")
        self.check_owner(call, arn.account, text)
        return TopicKey(arn.account, arn.region, arn.resource)

    async def topic(self, call: Call, text: str) -> Topic:
        """Return the topic that an ARN names; raises NotFoundException."""
        topic = await self.directory.find(self.key(call, text))
        if topic is None:
            raise no_such_topic()
        return topic

    def check_owner(self, call: Call, account: str, arn: str) -> None:
        """Raise AuthorizationErrorException for another account's topic, in enforce mode."""
        if self.is_enforcing and account != call.account:
            raise AuthorizationErrorException(
                f"User: {call.identity.principal} is not authorized to perform: SNS:{call.operation} on resource: {arn}"
            )
