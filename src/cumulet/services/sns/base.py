"""What the operations of SNS share."""

from __future__ import annotations

from cumulet.kernel.call import Call
from cumulet.policies import NO_FACTS, Facts
from cumulet.services.service import Platform, Service
from cumulet.services.sns import access, arns
from cumulet.services.sns.archive_upkeep import ArchiveUpkeep
from cumulet.services.sns.archiving import Archiving
from cumulet.services.sns.confirmations import Confirmations
from cumulet.services.sns.directory import Directory
from cumulet.services.sns.errors import invalid, no_such_topic
from cumulet.services.sns.push import PushOutlet
from cumulet.services.sns.replayer import Replayer
from cumulet.services.sns.sender import Sender
from cumulet.services.sns.sms import SmsOutlet
from cumulet.services.sns.target import Target
from cumulet.services.sns.topics import Topic, TopicKey
from cumulet.services.sns.upkeep import Upkeep
from cumulet.services.sns.usage import Limits


class SnsBase(Service):
    """The topics."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(platform)
        self.directory = Directory(platform.store)
        self.is_enforcing = platform.config.auth == "enforce"
        self.archive_upkeep = ArchiveUpkeep(platform.store, platform.clock, platform.activity)
        self.sender = Sender(platform, self.directory, Archiving(self.archive_upkeep, platform.telemetry))
        self.replayer = Replayer(platform, self.sender)
        self.sender.outlets |= {"sms": SmsOutlet(), "application": PushOutlet()}
        self.confirmations = Confirmations(platform, self.sender)
        platform.delivery.targets["sns"] = Target(self.sender, platform.url, is_enforcing=self.is_enforcing)
        self.usage_limits = Limits.of(platform.quotas)
        self.upkeep = Upkeep(platform.store, platform.clock, platform.activity)

    async def start(self) -> None:
        """Resume upkeep, and take messages on to those who have not got them."""
        self.upkeep.collect()
        await self.sender.resume()
        await self.archive_upkeep.resume()
        await self.replayer.resume()

    def report(self) -> dict[str, object]:
        """Return how many HTTP endpoints have failed again and again."""
        return {"failing_endpoints": len(self.confirmations.http.places.sick())}

    async def key(self, call: Call, text: str) -> TopicKey:
        """Return which topic an ARN names, if the caller may use it. Raises InvalidParameterException."""
        key = named(call, text)
        if self.is_enforcing:
            access.check(call, key, await self.directory.find(key), self.clock.now_ms())
        return key

    async def topic(self, call: Call, text: str, facts: Facts = NO_FACTS) -> Topic:
        """Return the topic that an ARN names; raises NotFoundException.

        `facts` are the condition keys that the operation has besides.
        """
        key = named(call, text)
        topic = await self.directory.find(key)
        if self.is_enforcing:
            access.check(call, key, topic, self.clock.now_ms(), facts)
        if topic is None:
            raise no_such_topic()
        return topic

    def check_owner(self, call: Call, account: str, arn: str) -> None:
        """Raise AuthorizationErrorException, in enforce mode, for what is another account's and no policy is about."""
        if self.is_enforcing and account != call.account:
            raise access.refusal(call, arn)


def named(call: Call, text: str) -> TopicKey:
    """Return which topic an ARN names. Raises InvalidParameterException."""
    arn = arns.checked(text, "TopicArn")
    if ":" in arn.resource or arn.region != call.region:
        raise invalid("TopicArn")
    return TopicKey(arn.account, arn.region, arn.resource)
