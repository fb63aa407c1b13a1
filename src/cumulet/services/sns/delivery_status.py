"""Delivery status logs: what became of each message at each endpoint, a line of JSON in a log group of the topic.

SNS: `sns/<region>/<account>/<topic>` has the share of successes that SampleRate asks for, in percent, and
`sns/<region>/<account>/<topic>/Failure` has all failures. Each protocol has its attributes and its roles. Lines are
written after the delivery's commit: a crash may lose some.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import NamedTuple

import orjson

from cumulet.delivery import LogEvent, Undeliverable
from cumulet.services.service import Platform
from cumulet.services.sns import service_roles
from cumulet.services.sns.data_protection import Denied
from cumulet.services.sns.envelope import timestamp
from cumulet.services.sns.errors import invalid
from cumulet.services.sns.messages import Message
from cumulet.services.sns.subscriptions import Subscription
from cumulet.services.sns.topics import Topic, TopicKey

PREFIXES = {
    "application": "Application",
    "firehose": "Firehose",
    "http": "HTTP",
    "https": "HTTP",
    "lambda": "Lambda",
    "sqs": "SQS",
}
"""What the attributes of a protocol begin with."""
SUCCESS_ROLE, FAILURE_ROLE, RATE = "SuccessFeedbackRoleArn", "FailureFeedbackRoleArn", "SuccessFeedbackSampleRate"
ATTRIBUTES = frozenset(
    f"{prefix}{suffix}" for prefix in PREFIXES.values() for suffix in (SUCCESS_ROLE, FAILURE_ROLE, RATE)
)
EVERY = "100"
"""The share that is logged where a role is set and no rate."""
REQUEST_IDS = {"firehose": "firehoseRequestId", "lambda": "lambdaRequestId", "sqs": "sqsRequestId"}
NO_REQUEST = "Unrecoverable"
"""SNS (recorded): the id of a request that the endpoint's service has refused."""
ACCEPTED = {"lambda": 202}
OK = 200
BAD_REQUEST = 400
REFUSALS = {"lambda": (403, "AccessDeniedException"), "sqs": (400, "AWS.SimpleQueueService.NonExistentQueue")}
"""SNS (recorded): status and code of what may not be delivered, or has nowhere to go; it tells these not apart."""
FORBIDDEN = 403
"""SNS: the status of what a data protection policy denies."""
_PERCENT = re.compile(r"[0-9]|[1-9][0-9]|100")


class Feedback(NamedTuple):
    """What a topic wants to know of its deliveries."""

    topic: TopicKey
    attributes: Mapping[str, str]


class Outcome(NamedTuple):
    """How the delivery of one message to one endpoint has ended."""

    protocol: str
    destination: str
    message_id: str
    text: str
    """What the endpoint got, without the envelope."""
    published_ms: int
    handed_ms: int
    """When it was handed to the endpoint."""
    is_delivered: bool
    status: int | None
    """That of the endpoint's answer, or what stands for it; None where there was no answer."""
    response: str
    attempts: int | None = None
    """How often it was tried before, where it was."""


def of(topic: Topic) -> Feedback | None:
    """Return what a topic wants to know, None where nothing."""
    if any("Feedback" in name for name in topic.attributes):
        return Feedback(topic.key, topic.attributes)
    return None


def checked(name: str, value: str) -> str:
    """Return the value of an attribute; raises InvalidParameterException. An empty role unsets it."""
    if name.endswith(RATE):
        if not _PERCENT.fullmatch(value):
            raise invalid(f"{name}: {value} value provided is not an integer between 0-100".replace(":  ", ": "))
    elif value and service_roles.role_of(value) is None:
        raise service_roles.no_feedback_role(name, value)
    return value


class StatusLog:
    """Writes the lines."""

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._is_enforcing = platform.config.auth == "enforce"
        self._stream = platform.ids.uuid()
        """One for each start of the platform."""

    def delivered(self, feedback: Feedback, subscription: Subscription, message: Message, new_id: str) -> None:
        """Tell that an endpoint inside of the store has got a message; to be called after the commit."""
        protocol = subscription.protocol
        response = "OK"
        if protocol == "sqs":
            request_id = self._platform.ids.uuid()
            response = _json({REQUEST_IDS[protocol]: request_id, "sqsMessageId": new_id})
        elif protocol in REQUEST_IDS:
            response = _json({REQUEST_IDS[protocol]: new_id})
        self._tell(feedback, subscription, message, True, ACCEPTED.get(protocol, OK), response)

    def failed(self, feedback: Feedback, subscription: Subscription, message: Message, reason: Undeliverable) -> None:
        """Tell that an endpoint inside of the store does not take a message; to be called after the commit."""
        if isinstance(reason, Denied):
            self._tell(feedback, subscription, message, False, FORBIDDEN, str(reason), attempts=1)
            return
        status, code = REFUSALS.get(subscription.protocol, (BAD_REQUEST, None))
        answer = {"ErrorMessage": str(reason)}
        if code is not None:
            answer = {"ErrorCode": code, **answer}
        if subscription.protocol in REQUEST_IDS:
            answer[REQUEST_IDS[subscription.protocol]] = NO_REQUEST
        self._tell(feedback, subscription, message, False, status, _json(answer))

    def _tell(
        self,
        feedback: Feedback,
        subscription: Subscription,
        message: Message,
        is_delivered: bool,
        status: int,
        response: str,
        *,
        attempts: int | None = None,
    ) -> None:
        outcome = Outcome(
            protocol=subscription.protocol,
            destination=subscription.endpoint,
            message_id=message.id,
            text=message.body_for(subscription.protocol),
            published_ms=message.published_ms,
            handed_ms=self._platform.clock.now_ms(),
            is_delivered=is_delivered,
            status=status,
            response=response,
            attempts=attempts,
        )
        self.tell(feedback, outcome)

    def tell(self, feedback: Feedback, outcome: Outcome) -> None:
        """Write a line if the topic wants it; to be called after the commit."""
        prefix = PREFIXES.get(outcome.protocol)
        role = feedback.attributes.get(f"{prefix}{SUCCESS_ROLE if outcome.is_delivered else FAILURE_ROLE}")
        if role is None:
            return
        percent = int(feedback.attributes.get(f"{prefix}{RATE}", EVERY)) if outcome.is_delivered else 100
        if self._platform.ids.random.random() * 100 >= percent:
            return
        line = _line(feedback.topic, outcome, self._platform.ids.uuid())
        event = LogEvent(self._platform.clock.now_ms(), line)
        write = self._write(feedback.topic, outcome.is_delivered, role, event)
        self._platform.activity.spawn(f"the delivery status of a message of {feedback.topic.arn}", write)

    async def _write(self, topic: TopicKey, is_delivered: bool, role_arn: str, event: LogEvent) -> None:
        """In enforce mode, the role must be there and trust SNS: without it SNS can't write."""
        if self._is_enforcing and not await service_roles.is_trusted(self._platform.delivery.roles, role_arn):
            return
        group = f"sns/{topic.region}/{topic.account}/{topic.name}" + ("" if is_delivered else "/Failure")
        await self._platform.delivery.logs.write(topic.account, topic.region, group, self._stream, [event])


def _json(answer: Mapping[str, str]) -> str:
    return orjson.dumps(answer).decode()


def _line(topic: TopicKey, outcome: Outcome, delivery_id: str) -> str:
    published = timestamp(outcome.published_ms)
    delivery: dict[str, str | int] = {
        "deliveryId": delivery_id,
        "destination": outcome.destination,
        "providerResponse": outcome.response,
        "dwellTimeMs": outcome.handed_ms - outcome.published_ms,
    }
    if outcome.attempts is not None:
        delivery["attempts"] = outcome.attempts
    if outcome.status is not None:
        delivery["statusCode"] = outcome.status
    notification = {
        "messageMD5Sum": hashlib.md5(outcome.text.encode(), usedforsecurity=False).hexdigest(),
        "messageId": outcome.message_id,
        "topicArn": topic.arn,
        "timestamp": published.replace("T", " ").removesuffix("Z"),
    }
    status = "SUCCESS" if outcome.is_delivered else "FAILURE"
    return orjson.dumps({"notification": notification, "delivery": delivery, "status": status}).decode()
