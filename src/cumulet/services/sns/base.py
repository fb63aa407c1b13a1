"""What the operations of SNS share."""

from __future__ import annotations

from cumulet.kernel.call import Call
from cumulet.services.service import Platform, Service
from cumulet.services.sns import arns
from cumulet.services.sns.confirmations import Confirmations
from cumulet.services.sns.directory import Directory
from cumulet.services.sns.errors import AuthorizationErrorException, invalid, no_such_topic
from cumulet.services.sns.http_delivery import HttpDelivery
from cumulet.services.sns.push import PushOutlet
from cumulet.services.sns.sender import Sender
from cumulet.services.sns.sms import SmsOutlet
from cumulet.services.sns.target import Target
from cumulet.services.sns.topics import Topic, TopicKey
from cumulet.services.sns.upkeep import Upkeep


class SnsBase(Service):
    """The topics."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.directory = Directory(platform.store)
        self.sender = Sender(platform, self.directory)
        self.sender.outlets |= {"sms": SmsOutlet(), "application": PushOutlet()}
        self.confirmations = Confirmations(HttpDelivery(platform, self.sender))
        platform.delivery.targets["sns"] = Target(self.sender, platform.url)
        self.upkeep = Upkeep(platform.store, platform.clock, platform.activity)
        self.is_enforcing = platform.config.auth == "enforce"

    async def start(self) -> None:
        """Resume upkeep, and take messages on to those who have not got them."""
        self.upkeep.collect()
        await self.sender.resume()

    def key(self, call: Call, text: str) -> TopicKey:
        """Return which topic an ARN names, if the caller may use it. Raises InvalidParameterException."""
        arn = arns.checked(text, "TopicArn")
        if ":" in arn.resource or arn.region != call.region:
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
