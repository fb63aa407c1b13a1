"""Mobile push: how messages to endpoints of platform applications get into the outbox."""

from __future__ import annotations

from cumulet.delivery import Undeliverable
from cumulet.services.sns import outbox, platform_applications, platform_endpoints
from cumulet.services.sns.errors import (
    EndpointDisabledException,
    PlatformApplicationDisabledException,
    invalid,
)
from cumulet.services.sns.messages import Message
from cumulet.services.sns.platform_applications import Application
from cumulet.services.sns.platform_endpoints import Endpoint
from cumulet.services.sns.subscriptions import Subscription
from cumulet.store import Tx

NO_ENDPOINT = "No endpoint found for the target arn specified"
ENDPOINT_IS_DISABLED = "Endpoint is disabled"
APPLICATION_IS_DISABLED = "Platform application is disabled"


def publish(tx: Tx, target_arn: str, message: Message, now_ms: int) -> None:
    """Send a message to one endpoint, for Publish with a TargetArn.

    Raises InvalidParameterException, EndpointDisabledException or PlatformApplicationDisabledException.
    """
    application, endpoint = _found(tx, target_arn)
    if application is None or endpoint is None:
        raise invalid(f"TargetArn Reason: {NO_ENDPOINT}")
    if not application.is_enabled:
        raise PlatformApplicationDisabledException(APPLICATION_IS_DISABLED)
    if not endpoint.is_enabled:
        raise EndpointDisabledException(ENDPOINT_IS_DISABLED)
    _put(tx, application, endpoint, message, message.body_for(application.key.platform), now_ms)


class PushOutlet:
    """Where messages to a topic go that endpoints have subscribed to."""

    def put(self, tx: Tx, subscription: Subscription, message: Message, body: str, now_ms: int) -> None:
        """Send a message to the subscription's endpoint; raises Undeliverable.

        `body` is what protocols without a text of their own get: a platform may have one.
        """
        application, endpoint = _found(tx, subscription.endpoint)
        if application is None or endpoint is None:
            raise Undeliverable(NO_ENDPOINT)
        if not application.is_enabled:
            raise Undeliverable(APPLICATION_IS_DISABLED)
        if not endpoint.is_enabled:
            raise Undeliverable(ENDPOINT_IS_DISABLED)
        _put(tx, application, endpoint, message, message.structure.get(application.key.platform, body), now_ms)


def _found(tx: Tx, target_arn: str) -> tuple[Application | None, Endpoint | None]:
    key = platform_endpoints.key_of(target_arn, "TargetArn")
    return platform_applications.find(tx, key), platform_endpoints.find(tx, target_arn)


def _put(tx: Tx, application: Application, endpoint: Endpoint, message: Message, body: str, now_ms: int) -> None:
    details = {"platform": application.key.platform, "token": endpoint.token, **outbox.details_of(message)}
    outbox.put(
        tx,
        account=application.key.account,
        region=application.key.region,
        kind="push",
        destination=endpoint.arn,
        message_id=message.id,
        body=body,
        details=details,
        now_ms=now_ms,
    )
